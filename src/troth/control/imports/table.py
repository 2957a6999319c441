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
_RARE = 16  # with a zero byte more often than in so many, a file is no text; with fewer, it is a fault of their lines
_TOO_LONG = "\0\0too long\n"  # stands for a line that is
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
    """`number`: of the line of the file on which it begins, from 1; `last`: on which it ends, where a quoted cell has
    line ends. `fault`: why it cannot be read, `code` its name; it has no cells.
    """

    number: int
    cells: tuple[str, ...]
    fault: str = ""
    code: str = "entry"
    last: int = 0

    @property
    def where(self) -> str:
        """In words, for a row that is left out."""
        return f"Lines {self.number:,} to {self.last:,}, read as one," if self.last > self.number else "This line"


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
        if line == _TOO_LONG:
            raise Unreadable(f"The first line is longer than {LONGEST:,} characters: this is no file of rows.")
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
        if len(line) > LONGEST and not line.endswith(("\n", "\r")):
            self._skip()
            return _TOO_LONG
        if _ESCAPED.search(line) or (self._codec == "cp1252" and _is_utf_8(line)):
            raise Unreadable(self._not_text(line))
        return line

    def _skip(self) -> None:
        """The rest of a line that is too long, a piece at a time."""
        piece = "x"
        while piece and not piece.endswith(("\n", "\r")):
            piece = self._text.readline(LONGEST)

    def _not_text(self, line: str) -> str:
        if self._codec == "cp1252" and _ESCAPED.search(line) is None:
            return f"Line {self._number:,} reads as UTF-8, and the file was said to be Latin-1: import it without that."
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
            cells = next(self._rows)
        except StopIteration:
            return None
        except csv.Error as trouble:
            if "field limit" in str(trouble) or "end of data" in str(trouble):
                raise Unreadable(
                    f"A quote that opens in line {begins:,} is never closed: double it, or remove it."
                ) from None
            fault = "A quote stands where none may: put the whole cell into quotes, or remove it."
            if self._number > begins:
                lines = f"lines {begins:,} to {self._number:,} are left out with it"
                fault = f"A quote opens here, and {lines}: double it, or remove it."
            return Line(begins, (), fault, "quotes", self._number)
        whole = "".join(cells)
        if "\0" not in whole:
            return Line(begins, tuple(cell.strip() for cell in cells), last=self._number)
        if _TOO_LONG.strip() in whole:
            return Line(begins, (), f"It is longer than {LONGEST:,} characters.", "too-long", self._number)
        return Line(begins, (), "It has a zero byte, which is no text: remove it.", "zero-byte", self._number)


def _is_utf_8(line: str) -> bool:
    """What was read as Windows-1252; letters of that which happen to be UTF-8 stand in no language's text."""
    if line.isascii():
        return False
    try:
        line.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return False
    return True


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
    if b"\0" in start.partition(b"\n")[0] or start.count(0) * _RARE > len(start):
        raise Unreadable(f"The file has zero bytes: it may be UTF-16 without its mark, or no text at all. {_SAVE}")
    return "cp1252" if asked == LATIN else "utf-8"
