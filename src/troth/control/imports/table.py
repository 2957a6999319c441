"""Imports: a file of rows as text: its encoding, its separator, and one line after the other (CSV, RFC 4180; TSV).

Nothing is guessed that could be wrong: what is not UTF-8, UTF-16 with its mark, or declared to be Latin-1 is refused.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.control.imports.importer import Unreadable

DETECT, LATIN = "detect", "latin-1"
LONGEST = 65_536  # characters of one line
_LOOKED_AT = 4096  # octets at the start
_SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r"sep=(.)\s*\Z", re.IGNORECASE)  # how Excel says it
_ESCAPED = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a byte that is no text
_MARKS = (  # the longer one first: UTF-32's begins as UTF-16's does
    (b"\xff\xfe\0\0", ""), (b"\0\0\xfe\xff", ""), (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_NO_TEXT = (
    (b"PK\x03\x04", "a spreadsheet (or another zip archive)"), (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old Excel"),
    (b"\x1f\x8b", "compressed (gzip)"), (b"%PDF", "a PDF"), (b"{", "JSON"), (b"[", "JSON"),
)  # fmt: skip
_SAID = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8, with its mark", "utf-16": "UTF-16", "cp1252": "Latin-1 (Windows-1252)"}
_SAVE = "Save it as UTF-8 (“CSV UTF-8” in Excel), and import it again."


@dataclass(frozen=True, slots=True)
class Line:
    """`number`: of the line of the file on which it begins, from 1. `fault`: why it cannot be read; it has no cells."""

    number: int
    cells: tuple[str, ...]
    fault: str = ""


class Parts(io.RawIOBase):
    """Octets that come in parts, as a file that is read once, from its start."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # typeshed's WriteableBuffer is no type
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


class Table:
    """A file's columns and, by going through it once, its lines; Unreadable, at any point, when it is none."""

    def __init__(self, parts: Iterator[bytes], asked: str = DETECT) -> None:
        octets = io.BufferedReader(Parts(parts), 1 << 16)
        self._codec = _codec(octets.peek(_LOOKED_AT)[:_LOOKED_AT], asked)
        errors = "strict" if self._codec == "utf-16" else "surrogateescape"
        self._text = io.TextIOWrapper(octets, self._codec, errors=errors, newline="")
        self._number = 0
        first, separator = self._first()
        self._rows = csv.reader(self._physical(first), delimiter=separator, strict=True)
        heading = self._row(self._number)
        if heading is None or heading.fault:
            raise Unreadable("The first line cannot be read: it must name the columns, such as: email,timezone")
        self.header = heading.cells

    @property
    def encoding(self) -> str:
        return _SAID[self._codec]

    def _first(self) -> tuple[str, str]:
        """The first line that says anything, and what separates its cells."""
        line = self._next()
        if found := _SEP_LINE.match(line):
            return self._next(), found[1]
        while line and not line.strip():
            line = self._next()
        if not line:
            raise Unreadable("The file is empty: its first line must name the columns, such as: email,timezone")
        bare = re.sub(r'"[^"]*"', "", line)
        return line, max(_SEPARATORS, key=bare.count)

    def _next(self) -> str:
        try:
            line = self._text.readline(LONGEST + 1)
        except UnicodeError:
            raise Unreadable(f"After line {self._number:,} the file is not {self.encoding} any more. {_SAVE}") from None
        self._number += bool(line)
        if len(line) > LONGEST:
            raise Unreadable(f"Line {self._number:,} is longer than {LONGEST:,} characters: this is no file of rows.")
        if _ESCAPED.search(line):
            raise Unreadable(self._not_text())
        return line

    def _not_text(self) -> str:
        if self._codec == "cp1252":
            return f"Line {self._number:,} has a byte that Latin-1 (Windows-1252) has no character for. {_SAVE}"
        said = f"Line {self._number:,} is not UTF-8. If the file is Latin-1 (Windows-1252), say so when you import it."
        return f"{said} If not: {_SAVE[:1].lower()}{_SAVE[1:]}"

    def _physical(self, first: str) -> Iterator[str]:
        yield first
        while line := self._next():
            yield line

    def __iter__(self) -> Iterator[Line]:
        """What has cells; empty lines are no lines."""
        while (line := self._row(self._number + 1)) is not None:
            if line.fault or any(line.cells):
                yield line

    def _row(self, begins: int) -> Line | None:
        try:
            return Line(begins, tuple(cell.strip() for cell in next(self._rows)))
        except StopIteration:
            return None
        except csv.Error as trouble:
            if "field limit" in str(trouble) or "end of data" in str(trouble):
                raise Unreadable(
                    f"A quote that opens in line {begins:,} is never closed: double it, or remove it."
                ) from None
            fault = "A quote stands where none may: put the whole cell into quotes, or remove it."
            return Line(begins, (), fault)


def _codec(start: bytes, asked: str) -> str:
    if not start:
        raise Unreadable("The file is empty: its first line must name the columns, such as: email,timezone")
    mark = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
    if mark == "":
        raise Unreadable(f"The file is UTF-32, which is not taken. {_SAVE}")
    if mark and asked == LATIN:
        raise Unreadable(f"The file begins as {_SAID[mark]} does, and was said to be Latin-1: import it without that.")
    if mark:
        return mark
    if kind := next((kind for begins, kind in _NO_TEXT if start.lstrip().startswith(begins)), None):
        raise Unreadable(f"The file is {kind}, and no CSV. {_SAVE}")
    if b"\0" in start:
        raise Unreadable(f"The file has zero bytes: it may be UTF-16 without its mark, or no text at all. {_SAVE}")
    return "cp1252" if asked == LATIN else "utf-8"
