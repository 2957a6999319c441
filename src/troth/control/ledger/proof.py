"""Evidence for one message: where its events lie in the ledger, with proofs, for a page or a file.

`connection` is a psycopg connection of any role that reads the ledger, or a Django cursor: both run `execute(query,
params)`. Nothing here needs more than a few index look-ups, however large the ledger is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.control.ledger.rows import Cursor, fetched
from troth.ledger.leaf import HASH_BYTES
from troth.ledger.proofs import assemble, inclusion_ranges, plan
from troth.ledger.tree import Node, Tree, split
from troth.rules.states import Kind

_NEWEST = """
SELECT c.size, c.root, c.at, c.note, k.vkey FROM ledger_checkpoint c JOIN ledger_key k USING (log_id)
WHERE c.log_id = 1 ORDER BY c.size DESC LIMIT 1
"""
_EVENTS = "SELECT kind, source_key, at, leaf_hash FROM event WHERE message_id = %s ORDER BY at, kind, source_key"
# In the order of their times: the one that holds it is among the first that end after it.
_BATCH = """
SELECT index, events, position(%s::bytea IN hashes) FROM ledger_batch
WHERE log_id = 1 AND last_at >= %s AND first_at <= %s AND position(%s::bytea IN hashes) > 0
ORDER BY last_at LIMIT 1
"""
_HASHES = "SELECT hashes FROM ledger_batch WHERE log_id = 1 AND index = %s"
_LEAF = "SELECT leaf FROM ledger_leaf WHERE log_id = 1 AND index = %s"
_NODES = "SELECT level, index, hash FROM ledger_hashes_v1(%s::smallint[], %s::bigint[])"


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoint: leaves, root, the time it was signed at, the signed note, the key that verifies it."""

    size: int
    root: bytes
    at: datetime
    note: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where an event was sealed: the sealing leaf, its proof to the checkpoint, and the event's own in the batch."""

    index: int
    leaf: str
    events: int
    position: int
    batch_proof: tuple[bytes, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EventProof:
    """One event of a message; `sealed` is None while it waits in the line."""

    kind: Kind
    source_key: str
    at: datetime
    leaf_hash: bytes
    sealed: Sealed | None


def newest(connection: Cursor) -> Newest | None:
    """The newest checkpoint; None before the first."""
    found = fetched(connection, _NEWEST, ())
    return Newest(found[0][0], bytes(found[0][1]), *found[0][2:]) if found else None


def event_proofs(connection: Cursor, message_id: UUID, checkpoint: Newest | None = None) -> list[EventProof]:
    """A message's events in their order, each with its proofs to `checkpoint` (else the newest one)."""
    checkpoint = checkpoint or newest(connection)
    batches: dict[int, _Batch] = {}
    return [
        EventProof(Kind(kind), source, at, bytes(hashed), _sealed(connection, bytes(hashed), at, checkpoint, batches))
        for kind, source, at, hashed in fetched(connection, _EVENTS, (message_id,))
    ]


def inclusion(connection: Cursor, index: int, size: int) -> tuple[bytes, ...]:
    """The proof of the leaf `index` in the tree of `size` leaves, in one query."""
    planned = plan(inclusion_ranges(index, 0, size))
    places = [place for group in planned for place in group]
    asked = ([level for level, _ in places], [number for _, number in places])
    found = fetched(connection, _NODES, asked)
    return tuple(assemble(planned, {(level, number): bytes(hashed) for level, number, hashed in found}))


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch that holds an event of the message; two events of one message are often sealed together."""

    leaf: str
    hashes: list[bytes]
    nodes: Mapping[tuple[int, int], bytes]
    proof: tuple[bytes, ...]


def _sealed(
    connection: Cursor, hashed: bytes, at: datetime, checkpoint: Newest | None, batches: dict[int, _Batch]
) -> Sealed | None:
    found = fetched(connection, _BATCH, (hashed, at, at, hashed))
    if not found or checkpoint is None or found[0][0] >= checkpoint.size:
        return None
    index, events, octet = found[0]
    if index not in batches:
        batches[index] = _batch(connection, index, checkpoint.size)
    batch, position = batches[index], (octet - 1) // HASH_BYTES
    in_batch = assemble(plan(inclusion_ranges(position, 0, events)), batch.nodes)
    return Sealed(index, batch.leaf, events, position, tuple(in_batch), batch.proof)


def _batch(connection: Cursor, index: int, size: int) -> _Batch:
    hashes = split(bytes(fetched(connection, _HASHES, (index,))[0][0]))
    leaf = str(fetched(connection, _LEAF, (index,))[0][0])
    tree = Tree()
    made: Iterable[Node] = [node for hashed in hashes for node in tree.append(hashed)]
    nodes = {(0, place): hashed for place, hashed in enumerate(hashes)}
    nodes |= {(level, place): hashed for level, place, hashed in made}
    return _Batch(leaf, hashes, nodes, inclusion(connection, index, size))
