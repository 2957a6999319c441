"""The sequencer's rows, typed: what waits, the tree's right edge, and what is added to it (role troth_ledger)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, columns, rows, run, tuples
from troth.store.queries import load

_SQL = load("ledger")

type Node = tuple[int, int, bytes]  # level, index, hash
type Tally = Mapping[tuple[UUID, datetime, int], int]  # tenant, UTC hour, kind of event


@dataclass(frozen=True, slots=True)
class Entry:
    """What waits to become a leaf; `leaf` is canonical JSON, `leaf_hash` as RFC 9162 section 2.1.1."""

    id: int
    tenant_id: UUID | None
    kind: str
    at: datetime
    leaf: str
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """The events of one inserting statement: their leaf hashes, 32 octets each, and what they add to the counts."""

    id: int
    first_at: datetime
    last_at: datetime
    hashes: bytes
    tally_tenant: list[UUID]
    tally_hour: list[datetime]
    tally_kind: list[int]
    tally_n: list[int]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf at its place in the tree."""

    index: int
    tenant_id: UUID | None
    kind: str
    at: datetime
    leaf: str
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What the leaf at `index` seals."""

    index: int
    events: int
    first_at: datetime
    last_at: datetime
    hashes: bytes


_LEAF = tuple(f.name for f in fields(Leaf))
_BATCH = tuple(f.name for f in fields(Batch))


async def lead(connection: Connection) -> bool:
    """Whether this session is the sequencer, from now until it ends."""
    took: bool = (await tuples(connection, _SQL["ledger_lead"], {}))[0][0]
    return took


async def now(connection: Connection) -> datetime:
    at: datetime = (await tuples(connection, _SQL["ledger_now"], {}))[0][0]
    return at


async def key(connection: Connection) -> str | None:
    """The verifier key under which this ledger was begun; None before its first checkpoint."""
    found = await tuples(connection, _SQL["ledger_key"], {})
    return found[0][0] if found else None


async def add_key(connection: Connection, vkey: str, at: datetime) -> None:
    """`at` is the first checkpoint's time, so that a verifier can tell when it is changed."""
    await run(connection, _SQL["ledger_key_add"], {"vkey": vkey, "at": at})


async def size(connection: Connection) -> int:
    found: int = (await tuples(connection, _SQL["ledger_size"], {}))[0][0]
    return found


async def nodes(connection: Connection, places: Sequence[tuple[int, int]]) -> list[Node]:
    """The nodes (level, index) that are there; level 0 are the leaves' hashes."""
    params = {"levels": [level for level, _ in places], "indexes": [index for _, index in places]}
    return [(level, index, hashed) for level, index, hashed in await tuples(connection, _SQL["ledger_nodes"], params)]


async def entries(connection: Connection, most: int) -> list[Entry]:
    return await rows(connection, _SQL["ledger_entries"], {"most": most}, Entry)


async def events(connection: Connection, most: int) -> list[Told]:
    return await rows(connection, _SQL["ledger_events"], {"most": most}, Told)


async def add(
    connection: Connection, leaves: Sequence[Leaf], made: Sequence[Node], batch: Batch | None, tally: Tally
) -> None:
    """Extends the tree in one round trip; the database refuses leaves out of order or from nowhere."""
    async with connection.pipeline():
        await run(connection, _SQL["ledger_leaves_add"], columns(leaves, _LEAF))
        if made:
            params = {"levels": [n[0] for n in made], "indexes": [n[1] for n in made], "hashes": [n[2] for n in made]}
            await run(connection, _SQL["ledger_nodes_add"], params)
        if batch:
            await run(connection, _SQL["ledger_batch_add"], {name: getattr(batch, name) for name in _BATCH})
            await _count(connection, tally)


async def _count(connection: Connection, tally: Tally) -> None:
    keys = list(tally)
    params = {
        "tenants": [tenant for tenant, _, _ in keys],
        "hours": [hour for _, hour, _ in keys],
        "kinds": [kind for _, _, kind in keys],
        "counts": list(tally.values()),
    }
    await run(connection, _SQL["ledger_tally"], params)


async def add_checkpoint(connection: Connection, size: int, root: bytes, at: datetime, note: str) -> None:
    await run(connection, _SQL["ledger_checkpoint_add"], {"size": size, "root": root, "at": at, "note": note})


async def checkpoint(connection: Connection, size: int | None = None) -> str | None:
    """The signed note of a size, or the newest; None: there is none."""
    query, params = ("ledger_checkpoint_newest", {}) if size is None else ("ledger_checkpoint_at", {"size": size})
    found = await tuples(connection, _SQL[query], params)
    return found[0][0] if found else None


async def behind(connection: Connection, seen: int) -> bool:
    """This database lacks what was seen: all sending stops, in its own transaction. False: it had stopped before."""
    async with connection.transaction():
        stopped: bool = (await tuples(connection, _SQL["ledger_behind"], {"seen": seen}))[0][0]
    return stopped


async def drop(connection: Connection, entry_ids: Sequence[int], event_ids: Sequence[int]) -> None:
    """Out of the line, once in the tree: the database refuses anything else."""
    if entry_ids:
        await run(connection, _SQL["ledger_entries_drop"], {"ids": list(entry_ids)})
    if event_ids:
        await run(connection, _SQL["ledger_events_drop"], {"ids": list(event_ids)})
