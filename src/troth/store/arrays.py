"""How the store hands columns to PostgreSQL: each as one ready array in the server's binary form, made in one go.

psycopg's own lists are looked at element by element, in Python, for every statement: half of what an accepted message
cost there. Shape: ndim, has-null flag, element's oid, then (length, lower bound) and each element as length and octets.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")
_EMPTY = struct.Struct(">iiI")
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIXTEEN, _EIGHT, _FOUR, _TWO, _ONE = (struct.pack(">i", n) for n in (16, 8, 4, 2, 1))
_LENGTH = struct.Struct(">i").pack


class Array:
    """A column's octets; each subclass is one PostgreSQL type."""

    __slots__ = ("octets",)
    oid: ClassVar[int]  # of the array's type
    element: ClassVar[int]  # of the element's type

    def __init__(self, values: Iterable[Any]) -> None:
        parts = self.parts(values)
        nulls = _NULL in parts
        head = _HEAD.pack(1, nulls, self.element, len(parts), 1) if parts else _EMPTY.pack(0, 0, self.element)
        self.octets = head + b"".join(parts)

    @staticmethod
    def parts(values: Iterable[Any]) -> list[bytes]:
        """Each element as length and octets."""
        raise NotImplementedError


class Uuids(Array):
    __slots__ = ()
    oid, element = 2951, 2950

    @staticmethod
    def parts(values: Iterable[UUID | None]) -> list[bytes]:
        return [_NULL if v is None else _SIXTEEN + v.int.to_bytes(16) for v in values]


class Byteas(Array):
    __slots__ = ()
    oid, element = 1001, 17

    @staticmethod
    def parts(values: Iterable[bytes | None]) -> list[bytes]:
        return [_NULL if v is None else _LENGTH(len(v)) + v for v in values]


class Texts(Array):
    __slots__ = ()
    oid, element = 1009, 25

    @staticmethod
    def parts(values: Iterable[str | None]) -> list[bytes]:
        encoded = (None if v is None else v.encode() for v in values)
        return [_NULL if v is None else _LENGTH(len(v)) + v for v in encoded]


class Smallints(Array):
    __slots__ = ()
    oid, element = 1005, 21

    @staticmethod
    def parts(values: Iterable[int | None]) -> list[bytes]:
        return [_NULL if v is None else _TWO + v.to_bytes(2, signed=True) for v in values]


class Booleans(Array):
    __slots__ = ()
    oid, element = 1000, 16

    @staticmethod
    def parts(values: Iterable[bool | None]) -> list[bytes]:
        return [_NULL if v is None else _ONE + (b"\x01" if v else b"\x00") for v in values]


class Integers(Array):
    __slots__ = ()
    oid, element = 1007, 23

    @staticmethod
    def parts(values: Iterable[int | None]) -> list[bytes]:
        return [_NULL if v is None else _FOUR + v.to_bytes(4, signed=True) for v in values]


class Bigints(Array):
    __slots__ = ()
    oid, element = 1016, 20

    @staticmethod
    def parts(values: Iterable[int | None]) -> list[bytes]:
        return [_NULL if v is None else _EIGHT + v.to_bytes(8, signed=True) for v in values]


class Times(Array):
    """Aware times; a naive one is refused, since nobody knows which hour it is."""

    __slots__ = ()
    oid, element = 1185, 1184

    @staticmethod
    def parts(values: Iterable[datetime | None]) -> list[bytes]:
        return [
            _NULL if v is None else _EIGHT + ((v - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True) for v in values
        ]


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer | None:
        return obj.octets


def register() -> None:
    """Teach psycopg the types above, once a process."""
    for kind in Array.__subclasses__():
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": kind.oid})
        psycopg.adapters.register_dumper(kind, dumper)


register()

type Shape = Sequence[tuple[str, type[Array], Callable[[Any], Any]]]


def shape(**columns: type[Array]) -> Shape:
    """Which of an item's fields go into which column type."""
    from operator import attrgetter

    return tuple((name, kind, attrgetter(name)) for name, kind in columns.items())


def packed(items: Sequence[Any], columns: Shape) -> dict[str, Array]:
    """Items as one array a column, which is how unnest() takes them."""
    return {name: kind(map(get, items)) for name, kind, get in columns}
