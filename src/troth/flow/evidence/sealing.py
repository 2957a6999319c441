"""Evidence, from the line to leaves: entries as they are, and all waiting message events under one sealing leaf."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.ledger.canonical import canonical
from troth.ledger.leaf import HASH_BYTES, leaf_hash, microseconds
from troth.ledger.tree import Node, Tree, merkle_root, split
from troth.store.ledger import Batch, Entry, Leaf, Tally, Told

SEAL = "evidence:batch:seal"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one turn adds to the ledger."""

    leaves: tuple[Leaf, ...]
    nodes: tuple[Node, ...]
    batch: Batch | None
    tally: Tally


def seal(tree: Tree, entries: Sequence[Entry], told: Sequence[Told], now: datetime) -> Sealed:
    """Append what waits to `tree`: the entries in their order, then one leaf for all events told."""
    leaves = [Leaf(tree.size + n, e.tenant_id, e.kind, e.at, e.leaf, e.leaf_hash) for n, e in enumerate(entries)]
    batch = _batch(tree.size + len(entries), told) if told else None
    if batch:
        leaves.append(_sealing_leaf(batch, now))
    nodes = tuple(node for leaf in leaves for node in tree.append(leaf.leaf_hash))
    return Sealed(tuple(leaves), nodes, batch, _tally(told))


def _batch(index: int, told: Sequence[Told]) -> Batch:
    hashes = b"".join(each.hashes for each in told)
    first, last = min(each.first_at for each in told), max(each.last_at for each in told)
    return Batch(index, len(hashes) // HASH_BYTES, first, last, hashes)


def _sealing_leaf(batch: Batch, now: datetime) -> Leaf:
    body: dict[str, str | int] = {
        "at": microseconds(now),
        "count": batch.events,
        "first_at": microseconds(batch.first_at),
        "kind": SEAL,
        "last_at": microseconds(batch.last_at),
        "root": merkle_root(split(batch.hashes)).hex(),
        "tenant": "",
    }
    leaf = canonical(body)
    return Leaf(batch.index, None, SEAL, now, leaf.decode(), leaf_hash(leaf))


def _tally(told: Sequence[Told]) -> Counter[tuple[UUID, datetime, int]]:
    counts: Counter[tuple[UUID, datetime, int]] = Counter()
    for each in told:
        places = zip(each.tally_tenant, each.tally_hour, each.tally_kind, strict=True)
        for place, n in zip(places, each.tally_n, strict=True):
            counts[place] += n
    return counts
