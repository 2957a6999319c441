"""Before the river: a template's tags taken out of its HTML or MJML while that is compiled, and put back afterwards.

Parsers move and mangle what they do not know (FACTS 32), so each tag becomes something that every one of them keeps:

    {{ value }}, and any tag inside a quoted attribute, a comment or a title   a word of letters and figures
    {% if %}, {% for %} between elements                                        a comment
    {% if %}...{% endif %} round whole attributes                               one attribute that nobody knows
    a style attribute with tags                                                 the same, joined to what styles make

Marks come back once each (words as often as they were copied), or the fault says in which line none can stand.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from troth.mail.html_pieces import RAW, SHOWN, Piece, attribute_re, pieces
from troth.mail.template_scan import TemplateFault, scan

_PREFIX = "trothtag"
_ends = {"endif": "if", "endfor": "for"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands for a tag. place: word, comment, attribute, style; word: a statement's first word, else empty."""

    raw: str
    line: int
    word: str
    place: str = "word"


class Masked:
    """A source without tags: `pieces` in their order, `marks` by their number."""

    def __init__(self, source: str) -> None:
        self.prefix = _PREFIX
        while self.prefix in source.lower():
            self.prefix += "q"
        self._mark_re = re.compile(rf"{self.prefix}([0-9]+)z")
        self._put_re = re.compile(rf'<!--{self.prefix}([0-9]+)z-->|{self.prefix}([0-9]+)z=""|{self.prefix}([0-9]+)z')
        self.marks: list[Mark] = []
        self._moved = [(1, 0)]  # from which line of the marked text on, how many more the source has
        marked = self._marked(source)
        try:
            self.pieces = [replace(one, line=self._line(one.line)) for one in pieces(marked)]
        except TemplateFault as fault:
            raise TemplateFault(fault.code, self._line(fault.line), fault.hint) from None

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.pieces)

    def hide(self, *, styled: bool) -> None:
        """Give each mark the form that its place needs; `styled`: rules will be put into elements."""
        self.pieces = [hidden for one in self.pieces for hidden in self._hidden(one, styled=styled)]

    def add(self, raw: str) -> str:
        """A further mark, for something that parsers need not see."""
        self.marks.append(Mark(raw, 0, ""))
        return f"{self.prefix}{len(self.marks) - 1}z"

    def raw(self, text: str, change: Callable[[str], str] = str) -> str:
        """The text with its tags as they were written, or changed."""
        return self._put_re.sub(lambda found: self.raw(change(self.marks[_number(found)].raw), change), text)

    def word_of(self, comment: str) -> str:
        """The first word of the statement that a comment stands for, or nothing."""
        found = self._mark_re.fullmatch(comment)
        return self.marks[int(found[1])].word if found else ""

    def found(self, text: str) -> list[int]:
        """The numbers of the marks in a text, in their order."""
        return [int(found[1]) for found in self._mark_re.finditer(text)]

    def statement(self, piece: Piece) -> Mark | None:
        """The statement that this comment stands for."""
        found = self._mark_re.fullmatch(piece.text, 4, len(piece.text) - 3) if piece.kind == "comment" else None
        return self.marks[int(found[1])] if found else None

    def restore(self, html: str) -> str:
        """What was compiled, with its tags again; raises TemplateFault for one that did not come through."""
        got = list(pieces(html))
        self._complete(html)
        self._even(got)
        return self.raw("".join(self._restored(one) for one in got))

    # ---- taking out

    def _marked(self, source: str) -> str:
        made, lines = [], 1
        for segment in scan(source):
            if segment.line - lines != self._moved[-1][1]:
                self._moved.append((lines, segment.line - lines))
            if segment.kind == "text":
                made.append(segment.text)
                lines += segment.text.count("\n")
                continue
            word = segment.tokens[0].text if segment.kind == "statement" and segment.tokens else ""
            made.append(f"{self.prefix}{len(self.marks)}z")
            self.marks.append(Mark(segment.text, segment.line, word))
        return "".join(made)

    def _line(self, line: int) -> int:
        """A line of the marked text as a line of the source: comments and tags over several lines were taken out."""
        return line + next(by for at, by in reversed(self._moved) if at < line or at == 1)

    def _hidden(self, piece: Piece, *, styled: bool) -> Iterator[Piece]:
        numbers = self.found(piece.text)
        if not numbers or piece.kind == "comment" or (piece.kind == "raw" and piece.name in SHOWN):
            yield piece
        elif piece.kind == "text":
            yield from self._between(piece)
        elif piece.kind == "start":
            yield self._tag(piece, styled=styled)
        else:
            line = self.marks[numbers[0]].line
            if piece.name in RAW and piece.kind == "raw":
                hint = f"<{piece.name}> is the same for every reader: no tag may stand in it."
                raise TemplateFault("place", line, hint)
            raise TemplateFault("place", line, "A template's tag may not stand here; write it between elements.")

    def _between(self, piece: Piece) -> Iterator[Piece]:
        """Text with its values, and each statement as a comment of its own."""
        at, line = 0, piece.line
        for found in self._mark_re.finditer(piece.text):
            number = int(found[1])
            mark = self.marks[number]
            if not mark.word:
                continue
            if found.start() > at:
                yield Piece("text", piece.text[at : found.start()], line)
            self.marks[number] = replace(mark, place="comment")
            yield Piece("comment", f"<!--{found[0]}-->", mark.line)
            at, line = found.end(), mark.line + mark.raw.count("\n")
        if at < len(piece.text):
            yield Piece("text", piece.text[at:], line)

    def _tag(self, piece: Piece, *, styled: bool) -> Piece:
        if self.found(piece.name):
            raise TemplateFault("place", piece.line, "Write a tag's name in one piece.")
        rest = self._whole_attributes(piece, styled=styled)
        rest = attribute_re.sub(lambda found: self._attribute(found, styled=styled), rest)
        head = piece.text[: 1 + len(piece.name)]
        return replace(piece, text=f"{head}{rest}>", rest=rest)

    def _whole_attributes(self, piece: Piece, *, styled: bool) -> str:
        """Runs from {% if %} to its {% endif %} outside of quotes become one attribute each."""
        rest, made, at, begun, depth = piece.rest, [], 0, 0, 0
        for found in re.finditer(rf"\"[^\"]*\"|'[^']*'|{self.prefix}([0-9]+)z", rest):
            if found[1] is None:
                continue
            mark = self.marks[int(found[1])]
            if not mark.word and not depth:
                hint = 'Put quotes round an attribute that holds a value, as in href="{{ link }}".'
                raise TemplateFault("place", mark.line, hint)
            if mark.word in ("if", "for"):
                if not depth:
                    made.append(rest[at : found.start()])
                    begun = found.start()
                depth += 1
            elif mark.word in _ends:
                depth -= 1
                if not depth:
                    made.append(self._opaque(piece, rest[begun : found.end()], mark.line, styled=styled))
                    at = found.end()
        if depth:
            raise TemplateFault("place", piece.line, "if and for must hold whole attributes, quotes included.")
        return "".join(made) + rest[at:]

    def _opaque(self, piece: Piece, run: str, line: int, *, styled: bool) -> str:
        if piece.name.startswith("mj-"):
            hint = f"<{piece.name}> is made into other elements: put the if inside an attribute's quotes, or round it."
            raise TemplateFault("place", line, hint)
        names = {found[1].lower() for found in attribute_re.finditer(self._mark_re.sub(" ", run)) if found[2]}
        if styled and names & {"style", "class", "id"}:
            hint = (
                "Rules are put into elements before values are known: put the if inside the quotes of style, or round "
                "two whole elements."
            )
            raise TemplateFault("place", line, hint)
        return self._new(run, line, "attribute")

    def _new(self, run: str, line: int, place: str) -> str:
        self.marks.append(Mark(run, line, "", place))
        return f' {self.prefix}{len(self.marks) - 1}z="" '

    def _attribute(self, found: re.Match[str], *, styled: bool) -> str:
        name, value = found[1].lower(), found[3] or ""
        numbers = self.found(value)
        if not numbers:
            return found[0]
        line = self.marks[numbers[0]].line
        if name == "mj-class" or (styled and name in ("class", "id", "css-class")):
            hint = f"{name} chooses rules, which are put into elements before values are known: write it without tags."
            raise TemplateFault("place", line, hint)
        if name == "style":
            return self._new(value[1:-1], line, "style")
        return found[0]

    # ---- putting back

    def _complete(self, html: str) -> None:
        inner = {number for mark in self.marks if mark.place != "word" for number in self.found(mark.raw)}
        counts = Counter(self.found(html))
        for number, mark in enumerate(self.marks):
            if number in inner:
                continue
            if not counts[number]:
                hint = f"MJML leaves out what stands here, and {_short(mark.raw)} with it; put it where readers see it."
                raise TemplateFault("place", mark.line, hint)
            if counts[number] > 1 and mark.place != "word":
                raise TemplateFault("place", mark.line, f"{_short(mark.raw)} would be made twice here; move it.")

    def _even(self, got: Iterable[Piece]) -> None:
        """A block's tags must be children of one element, or a loop would open more than it closes."""
        opened: list[tuple[str, int]] = []
        blocks: list[int] = []
        count = 0
        for piece in got:
            if piece.kind == "start" and not piece.closes_itself:
                count += 1
                opened.append((piece.name, count))
            elif piece.kind == "end":
                _leave(opened, piece.name)
            elif mark := self.statement(piece):
                here = opened[-1][1] if opened else 0
                if mark.word in ("if", "for"):
                    blocks.append(here)
                elif blocks and blocks[-1] != here:
                    hint = "stands in another element than its beginning: if and for must hold whole elements."
                    raise TemplateFault("place", mark.line, f"{_short(mark.raw)} {hint}")
                if mark.word in _ends and blocks:
                    blocks.pop()

    def _restored(self, piece: Piece) -> str:
        text = piece.text
        if piece.kind == "start":
            text = self._joined(piece)
        if "{" not in text:
            return text
        # what parsers made of &#123; must not become a tag
        brace = "{ " if piece.kind == "comment" or piece.name in RAW else "&#123;"
        return re.sub(rf"\{{(?=[{{%#]|(?:<!--)?{self.prefix}[0-9]+z)", brace, text)

    def _joined(self, piece: Piece) -> str:
        """A style attribute that was hidden goes behind what the rules made of it: it outranks them."""
        hidden = [n for n in self.found(piece.text) if self.marks[n].place == "style"]
        if not hidden:
            return piece.text
        mark = f'{self.prefix}{hidden[0]}z=""'
        made = re.search(r'\sstyle="([^"]*)"', piece.text)
        before = made[1].rstrip().rstrip(";") + ";" if made and made[1].strip() else ""
        text = piece.text.replace(made[0], "", 1) if made else piece.text
        own = self.marks[hidden[0]].raw.replace('"', "&quot;")
        return text.replace(mark, f'style="{before}{own}"')


def _leave(opened: list[tuple[str, int]], name: str) -> None:
    for at in range(len(opened) - 1, -1, -1):
        if opened[at][0] == name:
            del opened[at:]
            return


def _number(found: re.Match[str]) -> int:
    return int(found[1] or found[2] or found[3])


def _short(raw: str) -> str:
    return raw if len(raw) <= 40 else raw[:37] + "..."
