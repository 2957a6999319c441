"""Evidence, as rows: the ledger's tables read by key pages, each a snapshot of its own, to be verified or exported.

A connection is psycopg's, of a role that sees all of the ledger (troth_ledger), autocommitting, `troth` on its path.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.datetime import TimestamptzLoader

from troth.ledger.verify import Found

Connection = psycopg.Connection[Any]


class Cursor(Protocol):
    """What psycopg's connections and Django's cursors both can."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...


LOG_ID = 1
_NO_TENANT = frozenset({"tenant_id"})
BATCHES_A_PAGE = 32  # each may hold a hundred thousand hashes

_LEAVES = """
SELECT index, tenant_id, kind, at, leaf, leaf_hash FROM ledger_leaf
WHERE log_id = %s AND index >= %s AND index < %s ORDER BY index
"""
_BATCHES = """
SELECT index, events, first_at, last_at, hashes FROM ledger_batch
WHERE log_id = %s AND index >= %s AND index < %s ORDER BY index LIMIT %s
"""
_NODES = """
SELECT n.level, n.index, n.hash
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS r(level, low, high)
JOIN ledger_node n ON n.log_id = %s AND n.level = r.level AND n.index >= r.low AND n.index < r.high
"""
_CHECKPOINTS = """
SELECT size, root, at, note FROM ledger_checkpoint
WHERE log_id = %s AND size > %s AND size <= %s ORDER BY size
"""
_NOTES = """
SELECT size, note FROM ledger_checkpoint WHERE log_id = %s AND size > %s AND size <= %s ORDER BY size LIMIT %s
"""
_COUNTS = {
    "ledger_leaf": "SELECT log_id, count(*), min(index), max(index) FROM ledger_leaf GROUP BY 1",
    "ledger_batch": "SELECT log_id, count(*), min(index), max(index) FROM ledger_batch GROUP BY 1",
    "ledger_checkpoint": "SELECT log_id, count(*), min(size), max(size) FROM ledger_checkpoint GROUP BY 1",
}
_NODE_COUNTS = "SELECT log_id, level, count(*), min(index), max(index) FROM ledger_node GROUP BY 1, 2 ORDER BY 1, 2"


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A row of ledger_leaf."""

    index: int
    tenant_id: UUID | None
    kind: str
    at: datetime
    leaf: str
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of ledger_batch; `hashes` are concatenated."""

    index: int
    events: int
    first_at: datetime
    last_at: datetime
    hashes: bytes


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A row of ledger_checkpoint."""

    size: int
    root: bytes
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows of one log there are, and the least and greatest of their places."""

    log_id: int
    n: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NodesCounted:
    """The same for one level of ledger_node."""

    log_id: int
    level: int
    n: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of ledger_key."""

    log_id: int
    vkey: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """All that says how large the ledger is, as of one moment."""

    counted: Mapping[str, Sequence[Counted]]
    nodes: Sequence[NodesCounted]
    keys: Sequence[KeyRow]

    @property
    def size(self) -> int:
        """Leaves, as their largest index says."""
        return max((row.high + 1 for row in self.counted["ledger_leaf"] if row.log_id == LOG_ID), default=0)


def connect(conninfo: Mapping[str, Any], name: str) -> Connection:
    """Autocommit; each statement is short, and none may run for longer than a vacuum can bear.

    Times come in UTC; one that no calendar has comes as `datetime.max`, which is nobody's.
    """
    keywords = {"connect_timeout": 5, "application_name": f"troth {name}", **conninfo}
    connection: Connection = psycopg.connect(**keywords, autocommit=True, row_factory=tuple_row)
    connection.adapters.register_loader("timestamptz", _AnyTime)
    connection.execute("SET search_path = troth; SET timezone = 'UTC'")
    return connection


class _AnyTime(TimestamptzLoader):
    """PostgreSQL has years that Python has not, and two infinities: somebody may have put one there."""

    def load(self, data: bytes | bytearray | memoryview) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return datetime.max.replace(tzinfo=UTC)


def whole[T](kind: type[T], row: Sequence[Any], index: int | None = None, lacks: frozenset[str] = frozenset()) -> T:
    """The row as `kind`; raise Found where a column is empty that never is, but for those that it may lack."""
    if None in row:
        names = (each.name for each in fields(kind))  # type: ignore[arg-type]  # the rows here are dataclasses
        for name, value in zip(names, row, strict=True):
            if value is None and name not in lacks:
                raise Found(f"the column {name} of a row of the ledger's is empty ({kind.__name__})", index)
    return kind(*row)


def head(connection: Connection) -> Head:
    """Counts of everything, in one short snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        counted = {
            name: [whole(Counted, row) for row in connection.execute(query).fetchall()]
            for name, query in _COUNTS.items()
        }
        nodes = [whole(NodesCounted, row) for row in connection.execute(_NODE_COUNTS).fetchall()]
        keys = [
            whole(KeyRow, row)
            for row in connection.execute("SELECT log_id, vkey, created_at FROM ledger_key ORDER BY 1").fetchall()
        ]
    return Head(counted, nodes, keys)


def leaves(connection: Connection, low: int, high: int) -> list[LeafRow]:
    """Those of [low, high) that are there."""
    found = connection.execute(_LEAVES, (LOG_ID, low, high)).fetchall()
    return [whole(LeafRow, row, row[0], _NO_TENANT) for row in found]


def batches(connection: Connection, low: int, high: int) -> Iterator[BatchRow]:
    """Those sealed by leaves of [low, high), few at a time."""
    while low < high:
        page = connection.execute(_BATCHES, (LOG_ID, low, high, BATCHES_A_PAGE)).fetchall()
        found = [whole(BatchRow, row, row[0]) for row in page]
        yield from found
        if len(found) < BATCHES_A_PAGE:
            return
        low = found[-1].index + 1


def checkpoints(connection: Connection, low: int, high: int) -> list[CheckpointRow]:
    """Those of sizes above `low`, up to `high`."""
    found = connection.execute(_CHECKPOINTS, (LOG_ID, low, high)).fetchall()
    return [whole(CheckpointRow, row, row[0] - 1) for row in found]


def nodes(connection: Connection, ranges: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], bytes]:
    """The stored nodes of level 1 and up in ranges (level, low, high)."""
    asked = list(ranges)
    columns = ([each[part] for each in asked] for part in range(3))
    return {(level, index): hashed for level, index, hashed in connection.execute(_NODES, (*columns, LOG_ID))}


def checkpoint_notes(connection: Connection, after: int, most: int, limit: int) -> list[tuple[int, str]]:
    """(size, note) of the next checkpoints above `after`, up to the size `most`."""
    return connection.execute(_NOTES, (LOG_ID, after, most, limit)).fetchall()


def fetched(connection: Cursor, query: str, params: object) -> list[tuple[Any, ...]]:
    """Rows; a Django cursor may answer `execute` with nothing and holds them itself."""
    cursor: Any = connection.execute(query, params) or connection
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
