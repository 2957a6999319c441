"""Suppressions: an export as a table of rows, whichever it is: CSV with its columns named, CSV without (as Amazon SES's
bulk files are: address, reason), or JSON.
"""

from collections.abc import Iterator
from itertools import chain

from troth.control.imports.table import DETECT, Line, Table
from troth.control.suppressions.exports.json_table import JsonTable

_BARE = ("email", "reason")
_JSON = (b"{", b"[")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0")


class Bare:
    """A table whose first line is a row already."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.header = tuple(_BARE[: len(table.header)]) + tuple(f"column {n}" for n in range(3, len(table.header) + 1))

    @property
    def encoding(self) -> str:
        return self._table.encoding

    def __iter__(self) -> Iterator[Line]:
        return chain((Line(1, self._table.header),), self._table)


type Opened = Table | Bare | JsonTable


def opened(parts: Iterator[bytes], asked: str = DETECT) -> Opened:
    """Raise imports.importer.Unreadable for what is none of these."""
    first = next((each for each in parts if each), b"")
    parts = chain((first,), parts) if first else iter(())
    start = first[:4096]
    for mark in _MARKS:
        start = start.replace(mark, b"")
    if start.lstrip().startswith(_JSON):
        return JsonTable(parts)
    table = Table(parts, asked)
    return Bare(table) if table.header and "@" in table.header[0] else table
