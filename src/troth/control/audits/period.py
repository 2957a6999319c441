"""Audits: the contiguous range of the ledger that a period lies in, and the entries of it that its taker may read.

It begins where a checkpoint was signed before the period, and ends where one was signed a minute after it: an entry is
sequenced within seconds of its time, so that none of the period lies outside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.audits.ledgers import Head, hashes, rows
from troth.control.audits.seeing import seeing
from troth.ledger.bundle import Range
from troth.ledger.leaf import microseconds
from troth.ledger.proofs import consistency_ranges
from troth.ledger.tree import frontier

MOST_ENTRIES = 500_000
MOST_SHOWN = 100_000
_LATE = timedelta(minutes=1)
_BEFORE = """
SELECT size, note FROM troth.ledger_checkpoint WHERE log_id = 1 AND at < %s ORDER BY at DESC, size DESC LIMIT 1
"""
_AFTER = """
SELECT size, root, note FROM troth.ledger_checkpoint WHERE log_id = 1 AND at >= %s ORDER BY at, size LIMIT 1
"""
_HASHES = "SELECT hash FROM troth.ledger_hashes_v1(%s::smallint[], %s::bigint[]) ORDER BY index"
_OWN = """
SELECT index, at, leaf FROM troth.ledger_leaf
WHERE log_id = 1 AND tenant_id = %s AND index >= %s AND index < %s ORDER BY index LIMIT %s
"""
_HOUSE = _OWN.replace("tenant_id = %s", "(tenant_id IS NULL AND %s::uuid IS NULL)")
_PAGE = 10_000


class CannotBundle(Exception):  # noqa: N818 - the name says what is so, as a sentence would
    """Nothing was made, in a sentence that says why and what to do."""

    temporary = False


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment to another, which is not of it; both aware."""

    begins: datetime
    ends: datetime

    @property
    def numbers(self) -> tuple[int, int]:
        """As a bundle writes them."""
        return microseconds(self.begins), microseconds(self.ends)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The range, the hash of each of its leaves, and the root that it ends with."""

    told: Range
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Entries:
    """(index, leaf) of the period; `outside`: of just before or after it, since its range is a little longer."""

    shown: list[tuple[int, str]]
    outside: list[tuple[int, str]]


def stretch(connection: Connection, period: Period, head: Head) -> Stretch:
    """Raise CannotBundle where it is too long for one bundle."""
    before = rows(connection, _BEFORE, period.begins)
    after = rows(connection, _AFTER, period.ends + _LATE)
    start, begins = before[0] if before else (0, None)
    end, root, note = after[0] if after and after[0][0] <= head.size else (head.size, head.root, head.note)
    if end - start > MOST_ENTRIES:
        raise CannotBundle(
            f"The period has {end - start:,} entries of the ledger, and a bundle holds {MOST_ENTRIES:,}."
        )
    told = Range(start, end, note, _before(connection, start), _growth(connection, end, head.size), begins)
    return Stretch(told, b"".join(_hashes(connection, start, end)), bytes(root))


def _before(connection: Connection, start: int) -> list[str]:
    """The complete nodes that the tree of `start` leaves is folded from."""
    ranges = [(number << level, (number + 1) << level) for level, number in frontier(start)]
    return [each.hex() for each in hashes(connection, ranges)] if ranges else []


def _growth(connection: Connection, end: int, size: int) -> list[str]:
    return [each.hex() for each in hashes(connection, consistency_ranges(0, end, size))] if end < size else []


def _hashes(connection: Connection, start: int, end: int) -> Iterable[bytes]:
    for low in range(start, end, _PAGE):
        indexes = list(range(low, min(low + _PAGE, end)))
        yield from (bytes(each) for (each,) in rows(connection, _HASHES, [0] * len(indexes), indexes))


def entries(connection: Connection, clients: Iterable[UUID], told: Range, period: Period) -> Entries:
    """The house's own, and these clients', in their order."""
    found: list[tuple[int, datetime, str]] = []
    for client in (None, *clients):
        with seeing(connection, client):
            query = _OWN if client else _HOUSE
            found += rows(connection, query, client, told.start, told.end, MOST_SHOWN + 1 - len(found))
        if len(found) > MOST_SHOWN:
            raise CannotBundle(f"The period has more than {MOST_SHOWN:,} entries to show: ask for a shorter one.")
    shown = sorted((index, leaf) for index, at, leaf in found if period.begins <= at < period.ends)
    return Entries(shown, sorted({(index, leaf) for index, _, leaf in found} - set(shown)))
