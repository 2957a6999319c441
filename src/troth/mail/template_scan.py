"""Before the river: a template's source cut into text and tags, and tags into tokens.

What is allowed is listed; anything else is a fault with its line, so that no feature of the engine that we have
not thought of can be reached. The engine's delimiters, as minijinja reads them: {{ }}, {% %}, {# #}, each with an
optional - or + inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TOKENS = 120  # in one tag

_open_re = re.compile(r"\{[{%#]")
_token_re = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<end>[-+]?(?:\}\}|%\}))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?(?![A-Za-z0-9_]|\.[0-9]))"
    r"|(?P<string>\"[^\"\\]*\"|'[^'\\]*')"
    r"|(?P<operator>==|!=|<=|>=|//|[-+*/%<>()\[\],.|=])"
)
_WHY = {
    "~": "Joining strings with ~ is not allowed; write the two values one after the other.",
    ":": "Slices and dictionaries are not allowed.",
    "{": "Dictionaries are not allowed.",
    "\\": "Backslashes are not allowed in a tag.",
    "'": "A string is not closed, or has a backslash.",
    '"': "A string is not closed, or has a backslash.",
}


class TemplateFault(Exception):  # noqa: N818  # it travels inside the linter only, and ends as a Problem
    """Why a template is refused: code, line (from 1), hint."""

    def __init__(self, code: str, line: int, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # name, number, string, operator, end
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Segment:
    """kind `text`, `output` or `statement` (their tokens, the closing one left out); `text`: as it is written."""

    kind: str
    line: int
    text: str = ""
    tokens: tuple[Token, ...] = ()


def scan(source: str) -> Iterator[Segment]:
    """Text and tags in order; comments are left out; raises TemplateFault."""
    at, line = 0, 1
    while found := _open_re.search(source, at):
        if found.start() > at:
            yield Segment("text", line, source[at : found.start()])
        line += source.count("\n", at, found.start())
        if found[0] == "{#":
            end = source.find("#}", found.end())
            if end < 0:
                raise TemplateFault("syntax", line, "A comment {# is not closed with #}.")
            at = end + 2
        else:
            at, segment = _tag(source, found, line)
            yield segment
        line += source.count("\n", found.start(), at)
    if at < len(source):
        yield Segment("text", line, source[at:])


def _tag(source: str, opening: re.Match[str], line: int) -> tuple[int, Segment]:
    """One tag: where it ends, and what it says."""
    close, kind = ("}}", "output") if opening[0] == "{{" else ("%}", "statement")
    at = opening.end()
    if source[at : at + 1] in ("-", "+"):
        at += 1
    first_line, tokens = line, []
    while True:
        found = _token_re.match(source, at)
        if not found:
            raise _bad_token(source, at, line, opening[0])
        at = found.end()
        if found.lastgroup == "end":
            break
        line += found[0].count("\n")
        if found.lastgroup != "blank":
            tokens.append(Token(found.lastgroup or "", found[0], line))
        if len(tokens) > MAX_TOKENS:
            raise TemplateFault("too_complex", line, f"A tag has more than {MAX_TOKENS} parts; make it simpler.")
    if not found[0].endswith(close):
        raise TemplateFault("syntax", line, f"A tag that begins with {opening[0]} ends with {close}.")
    return at, Segment(kind, first_line, source[opening.start() : at], tuple(tokens))


def _bad_token(source: str, at: int, line: int, opening: str) -> TemplateFault:
    if at >= len(source):
        return TemplateFault("syntax", line, f"A tag {opening} is not closed.")
    character = source[at]
    if character in "0123456789":
        return TemplateFault("syntax", line, "A number has at most 15 digits, and letters may not follow it.")
    hint = _WHY.get(character, f"{character!a} is not allowed in a tag.")
    return TemplateFault("not_allowed", line, hint)
