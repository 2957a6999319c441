"""Ids of the whole house: UUIDv7 (RFC 9562 section 5.7) made from the database's clock, and their form on the API."""

import os
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_WIRE = re.compile(r"(?P<kind>[a-z]+)_(?P<cell>[a-z])_(?P<hex>[0-9a-f]{32})\Z")


def uuid7(now: datetime) -> UUID:
    """48 bits of milliseconds of `now` (aware), then 74 random bits. Partitions are ranges of these."""
    milliseconds = (now - _EPOCH) // _MILLISECOND
    tail = int.from_bytes(os.urandom(10))
    return UUID(int=milliseconds << 80 | 7 << 76 | (tail >> 68 << 64) | 2 << 62 | tail & (1 << 62) - 1)


def time_of(value: UUID) -> datetime:
    """The millisecond in which a UUIDv7 was made."""
    return _EPOCH + (value.int >> 80) * _MILLISECOND


def wire(kind: str, cell: str, value: UUID) -> str:
    """`em_a_<32 hex>`: type, cell, id."""
    return f"{kind}_{cell}_{value.hex}"


def unwire(kind: str, text: str) -> UUID | None:
    """The id in `text`, or None if it is not one of this kind."""
    found = _WIRE.match(text)
    return UUID(hex=found["hex"]) if found and found["kind"] == kind else None
