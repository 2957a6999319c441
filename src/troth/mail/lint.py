"""Before the river: is a proposed template safe to run? Nothing is run, nothing reaches the engine before it is.

Statements: if, elif, else, endif, for, endfor. Expressions: see template_expression. All else is refused by name.
"""

from collections.abc import Mapping
from typing import Any

from troth.mail.html_places import Places
from troth.mail.problem import Problem
from troth.mail.schema import RESERVED_NAMES, check_schema
from troth.mail.template_expression import Reader, printable
from troth.mail.template_scan import Segment, TemplateFault, scan
from troth.mail.template_shape import Shape, Source, of_schema

MAX_SUBJECT = 1_000  # characters of source
MAX_SOURCE = 200_000
MAX_BLOCKS = 5  # if and for within one another
MAX_LOOPS = 2  # for within for
MAX_TURNS = 100_000  # of all loops, counted at their fullest
MAX_WORK = 32 * 1024 * 1024  # bytes made in one rendering at its fullest

# Bytes a character of a value: an apostrophe becomes &#x27;, and no character of UTF-8 is longer than four.
_HTML, _PLAIN = 6, 4
_HINTS = {
    "raw": "write such text without tags",
    "set": "put the value into the schema",
    "with": "put the value into the schema",
    "include": "a template stands alone",
    "import": "a template stands alone",
    "from": "a template stands alone",
    "extends": "a template stands alone",
    "block": "a template stands alone",
    "macro": "repeat the text, or use a for loop",
    "call": "repeat the text, or use a for loop",
    "autoescape": "values are always escaped in HTML",
}


def lint(subject: str, html: str | None, text: str | None, schema: dict[str, Any]) -> list[Problem]:
    """Everything that forbids this template, one problem a part; an empty list may go on to be rendered."""
    problems = check_schema(schema)
    if problems:
        return problems
    if html is None and text is None:
        return [Problem("html", "missing", "A template needs html, text, or both.")]
    for part, source in (("subject", subject), ("html", html), ("text", text)):
        if source is not None and (problem := _part(part, source, schema)):
            problems.append(problem)
    return problems


def _part(part: str, source: object, schema: dict[str, Any]) -> Problem | None:
    if not isinstance(source, str):
        return Problem(part, "type", "This must be a string.")
    most = MAX_SUBJECT if part == "subject" else MAX_SOURCE
    if len(source) > most:
        return Problem(part, "too_large", f"This is longer than {most} characters.")
    if "\0" in source or any("\ud800" <= character <= "\udfff" for character in source):
        return Problem(part, "control", "This has a NUL or half a character; remove it.")
    if part == "subject" and ("\n" in source or "\r" in source):
        return Problem(part, "control", "A subject is one line.")
    try:
        _Walk(schema, is_html=part == "html").read(source)
    except TemplateFault as fault:
        return Problem(part, fault.code, f"Line {fault.line}: {fault.hint}")
    return None


class _Block:
    """An open if or for: what closes it, whether else was seen, and what a for added."""

    def __init__(
        self, kind: str, line: int, loop: int | None = None, hidden: Mapping[str, Shape] | None = None
    ) -> None:
        self.kind = kind
        self.line = line
        self.loop = loop
        self.hidden = hidden
        self.other = False


class _Walk:
    """Goes through one part from top to bottom, with the open blocks and what names mean inside them."""

    def __init__(self, schema: dict[str, Any], *, is_html: bool) -> None:
        self._scope: dict[str, Shape] = {name: of_schema(one) for name, one in schema.items()}
        self._blocks: list[_Block] = []
        self._turns: dict[int, int] = {}
        self._loops = 0
        self._total = 0
        self._escaped = _HTML if is_html else _PLAIN
        self._places = Places() if is_html else None

    def read(self, source: str) -> None:
        for segment in scan(source):
            if segment.kind == "text":
                self._text(segment)
            elif segment.kind == "output":
                self._output(segment)
            else:
                self._statement(segment)
        if self._blocks:
            raise TemplateFault("syntax", self._blocks[-1].line, f"A {{% {self._blocks[-1].kind} %}} is not closed.")

    def _text(self, segment: Segment) -> None:
        if self._places:
            _fits(self._places.text(segment.text), segment.line)
        self._spend(Source(len(segment.text.encode())).cost(self._turns), segment.line)

    def _output(self, segment: Segment) -> None:
        reader = self._reader(segment)
        shape = reader.expression()
        reader.done()
        if not printable(shape):
            raise TemplateFault(
                "type", segment.line, f"A {shape.kind} cannot be printed; write a loop, or name a property."
            )
        if self._places:
            _fits(self._places.value(shape.kind), segment.line)
        self._spend(shape.cost(self._turns) * self._escaped, segment.line)

    def _reader(self, segment: Segment) -> Reader:
        return Reader(segment.tokens, segment.line, self._scope, self._work)

    def _work(self, shape: Shape, line: int) -> None:
        self._spend(shape.cost(self._turns), line)

    def _spend(self, cost: int, line: int) -> None:
        self._total += cost
        if self._total > MAX_WORK:
            raise TemplateFault(
                "too_large",
                line,
                "With the largest variables the schema allows this would become too large; "
                "lower max_length or max_items, or repeat less.",
            )

    def _statement(self, segment: Segment) -> None:
        reader = self._reader(segment)
        word = reader.name() if reader.next.kind == "name" else ""
        match word:
            case "if":
                self._open(_Block("if", segment.line))
                reader.expression()
            case "elif" | "else":
                self._otherwise(word, reader, segment.line)
            case "for":
                self._for(reader, segment.line)
            case "endif" | "endfor":
                self._close(word.removeprefix("end"), segment.line)
            case _:
                raise TemplateFault("not_allowed", segment.line, _why_not(word))
        reader.done()

    def _open(self, block: _Block) -> None:
        self._blocks.append(block)
        if self._places:
            self._places.begin()
        if len(self._blocks) > MAX_BLOCKS:
            raise TemplateFault("too_complex", block.line, f"if and for may be nested {MAX_BLOCKS} deep at most.")

    def _otherwise(self, word: str, reader: Reader, line: int) -> None:
        block = self._blocks[-1] if self._blocks else None
        if block is None or block.other or (word == "elif" and block.kind == "for"):
            raise TemplateFault("syntax", line, f"{{% {word} %}} has no {{% if %}}.")
        if self._places:
            _fits(self._places.otherwise(), line)
        if word == "elif":
            reader.expression()
            return
        block.other = True
        self._leave(block)

    def _for(self, reader: Reader, line: int) -> None:
        name = reader.name()
        if name in RESERVED_NAMES:
            raise TemplateFault(
                "not_allowed", line, f"{name} is a word of the template language; name the item otherwise."
            )
        reader.need("in")
        over = reader.choice()
        if over.kind != "list":
            raise TemplateFault("type", line, f"A for loop goes over a list, not over a {over.kind}.")
        self._loops += 1
        block = _Block("for", line, self._loops, {**self._scope})
        self._open(block)
        self._turns[self._loops] = max(over.count, 1)
        self._bound_loops(over, line)
        self._scope[name] = over.items().inside(self._loops)
        self._scope["loop"] = Shape("loop")
        if reader.take("if"):
            reader.expression()

    def _bound_loops(self, over: Shape, line: int) -> None:
        if len(self._turns) > MAX_LOOPS:
            raise TemplateFault("too_complex", line, f"Loops may be nested {MAX_LOOPS} deep at most.")
        turns = 1
        for count in self._turns.values():
            turns *= count
        if turns > MAX_TURNS:
            raise TemplateFault(
                "too_large", line, f"These loops may turn {turns} times; lower max_items to {MAX_TURNS} at most."
            )
        self._work(over, line)

    def _close(self, kind: str, line: int) -> None:
        if not self._blocks or self._blocks[-1].kind != kind:
            raise TemplateFault("syntax", line, f"{{% end{kind} %}} does not close the innermost block.")
        if self._places:
            _fits(self._places.end(), line)
        self._leave(self._blocks.pop())

    def _leave(self, block: _Block) -> None:
        if block.loop is not None and block.hidden is not None:
            self._scope = dict(block.hidden)
            self._turns.pop(block.loop, None)


def _fits(hint: str | None, line: int) -> None:
    if hint:
        raise TemplateFault("place", line, hint)


def _why_not(word: str) -> str:
    if not word:
        return "A statement begins with a word: if, elif, else, endif, for or endfor."
    because = f": {_HINTS[word]}" if word in _HINTS else ""
    return f"{{% {word} %}} is not allowed{because}. if and for are."
