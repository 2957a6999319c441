"""Suppressions: JSON as a table of rows, read once, in bounded memory: a list, an object around one (an API's answer),
objects one after the other (JSON Lines, or answers that were put into one file), or a list of addresses.

Raise imports.importer.Unreadable, at any point, when it is none of these.
"""

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from troth.control.imports.importer import Unreadable
from troth.control.imports.table import Line
from troth.control.suppressions.exports.forms import fold

LONGEST = 262_144  # characters of one entry
_LOOKED_AT = 100  # entries whose keys make the columns
_SPACE = re.compile(r"[ \t\r\n]*")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_AROUND = frozenset({"items", "suppressions", "bounces", "suppresseddestinationsummaries", "recipientemails"})
_JSON = "JSON: “line” is the number of an entry"
_ADDRESS = "email"  # what a list of bare addresses has for a column


class _NoNumberError(ValueError):
    """NaN and the like, which JSON (RFC 8259, section 6) does not know."""


def _no_constant(text: str) -> None:
    raise _NoNumberError(text)


class _Text:
    """The file as text, a piece at a time; `line` counts from 1."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        first = next(parts, b"")
        codec = next((name for mark, name in _MARKS if first.startswith(mark)), "utf-8")
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._parts, self._text, self._place, self.line = chain((first,), parts), "", 0, 1
        self._json = json.JSONDecoder(parse_constant=_no_constant)
        self.encoding = {"utf-16": f"UTF-16, {_JSON}"}.get(codec, f"UTF-8, {_JSON}")

    def _fill(self) -> bool:
        """False: that was all. What was read is let go."""
        part = next(self._parts, None)
        try:
            more = self._decoder.decode(part or b"", final=part is None)
        except UnicodeDecodeError:
            raise Unreadable(f"After line {self.line:,} the file is no UTF-8: save it as UTF-8.") from None
        self._text, self._place = self._text[self._place :] + more, 0
        return part is not None

    def peek(self, after: int = 0) -> str:
        """The next character that is no space, `after` as many of them; "": the end."""
        while (place := self._ahead(after)) >= len(self._text) and self._fill():
            pass
        place = self._ahead(after)
        return self._text[place : place + 1]

    def _ahead(self, after: int) -> int:
        place = self._past(self._place)
        for _ in range(after):
            place = self._past(place + 1)
        return place

    def _past(self, place: int) -> int:
        match = _SPACE.match(self._text, place)
        return match.end() if match else place

    def skip(self) -> None:
        """To what `peek` shows."""
        self.peek()
        self._to(self._past(self._place))

    def take(self) -> str:
        self.skip()
        found = self._text[self._place : self._place + 1]
        self._to(self._place + 1)
        return found

    def value(self) -> Any:
        self.skip()
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._place)
            except json.JSONDecodeError as wrong:
                if len(self._text) - self._place > LONGEST or not self._fill():
                    raise self.wrong() from wrong
                continue
            except (ValueError, RecursionError) as wrong:
                raise self.wrong() from wrong
            if end < len(self._text) or not self._fill():  # a number may go on in the next piece
                self._to(end)
                return found

    def wrong(self) -> Unreadable:
        return Unreadable(f"The JSON cannot be read at line {self.line:,}: export the list again, or as CSV.")

    def _to(self, place: int) -> None:
        self.line += self._text.count("\n", self._place, place)
        self._place = place


class JsonTable:
    """As imports.table.Table is for CSV: `header`, `encoding`, and lines by going through it once. Several entries may
    stand on one line of JSON, so a line's number is its entry's.
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._text = _Text(parts)
        entries = self._entries()
        first = list(islice(entries, _LOOKED_AT))
        self.header = tuple(dict.fromkeys(key for each in first if isinstance(each, dict) for key in each))
        if any(isinstance(each, str) for each in first):
            self.header = tuple(dict.fromkeys((_ADDRESS, *self.header)))
        if not self.header:
            raise Unreadable("The file is JSON, and has no entries: it must be a list of objects, or hold one.")
        self._all = chain(first, entries)

    @property
    def encoding(self) -> str:
        return self._text.encoding

    def __iter__(self) -> Iterator[Line]:
        for number, each in enumerate(self._all, start=1):
            entry = {_ADDRESS: each} if isinstance(each, str) else each
            if isinstance(entry, dict):
                yield Line(number, tuple(_cell(entry.get(name)) for name in self.header))
            else:
                yield Line(number, (), "This entry is neither an object nor an address.")

    def _entries(self) -> Iterator[Any]:
        text = self._text
        while (begins := text.peek()) != "":
            if begins == "[":
                yield from self._list()
            elif begins == "{":
                yield from self._object()
            else:
                raise text.wrong()

    def _list(self) -> Iterator[Any]:
        text = self._text
        text.take()
        if text.peek() == "]":
            text.take()
            return
        while True:
            yield text.value()
            after = text.take()
            if after == "]":
                return
            if after != ",":
                raise text.wrong()

    def _object(self) -> Iterator[Any]:
        """An entry; or what an API answers, with the entries in one of its lists."""
        text, found, around = self._text, {}, False
        text.take()
        after = "" if text.peek() != "}" else text.take()
        while after != "}":
            key = text.value()
            if not isinstance(key, str) or text.take() != ":":
                raise text.wrong()
            if text.peek() == "[" and (text.peek(1) == "{" or fold(key) in _AROUND):
                around = True
                yield from self._list()
            else:
                found[key] = text.value()
            after = text.take()
            if after not in (",", "}"):
                raise text.wrong()
        if not around:
            yield found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    return json.dumps(value, ensure_ascii=False)
