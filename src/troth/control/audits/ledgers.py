"""Audits: the ledger, as a document that leaves the house needs it: the newest checkpoint, entries with their proofs.

`connection` is psycopg's, of role troth_control, in a transaction for whichever client's rows are to be seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import Range, assemble, inclusion_ranges, plan
from troth.ledger.receipt import Entry

NOBODY = UUID(int=0)  # of no client: the house's own
_HEAD = """
SELECT c.size, c.root, c.at, c.note, k.vkey, troth.now_v1(), i.mode <> 'production'
FROM troth.installation i CROSS JOIN troth.ledger_checkpoint c JOIN troth.ledger_key k USING (log_id)
WHERE c.log_id = 1 ORDER BY c.size DESC LIMIT 1
"""
_NODES = "SELECT level, index, hash FROM troth.ledger_hashes_v1(%s::smallint[], %s::bigint[])"


class NoLedger(Exception):  # noqa: N818 - the name says what is so, as a sentence would
    """Temporary: nothing is sealed yet, or not all that is to be proved."""

    temporary = True


@dataclass(frozen=True, slots=True)
class Head:
    """The newest checkpoint, the key that verifies it, the database's clock, and whether that may be moved."""

    size: int
    root: bytes
    at: datetime
    note: str
    vkey: str
    now: datetime
    movable: bool


def head(connection: Connection) -> Head:
    """Raise NoLedger before the first checkpoint."""
    row = connection.execute(_HEAD).fetchone()
    if row is None:
        raise NoLedger("The ledger has no checkpoint yet: the sequencer signs the first one (`troth up`).")
    return Head(row[0], bytes(row[1]), *row[2:])


def clock(connection: Connection) -> datetime:
    """Now, which is later than all that was read before."""
    row = connection.execute("SELECT troth.now_v1()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def hashes(connection: Connection, ranges: Sequence[Range]) -> list[bytes]:
    """Of each range of leaves, the hash of the tree over it; all in one query."""
    planned = plan(ranges)
    places = sorted({place for group in planned for place in group})
    asked = ([level for level, _ in places], [number for _, number in places])
    found = connection.execute(_NODES, asked).fetchall()
    return assemble(planned, {(level, number): bytes(hashed) for level, number, hashed in found})


def proved(connection: Connection, leaves: Iterable[tuple[int, str]], size: int) -> dict[int, Entry]:
    """Entries (index, leaf) with their way to the root of the tree of `size` leaves; all in one query."""
    wanted = dict(leaves)
    ways = {index: inclusion_ranges(index, 0, size) for index in wanted}
    every = sorted({each for way in ways.values() for each in way})
    known = dict(zip(every, hashes(connection, every), strict=True))
    return {
        index: Entry(index, leaf_hash(leaf.encode()).hex(), [known[each].hex() for each in ways[index]], leaf)
        for index, leaf in wanted.items()
    }


def rows(connection: Connection, query: Any, *values: Any) -> list[tuple[Any, ...]]:
    """Every row of a query whose size its own text bounds."""
    found: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
    return found
