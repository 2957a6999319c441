"""Claims: the ledger as a control reads it: client by client, because row-level security shows one at a time.

Small ledgers are walked whole. Of large ones the newest blocks are walked each time and one older block in turn; the
blocks between stand by their own hashes, which make the signed root. A block has 32,768 leaves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.trust.look import Look
from troth.ledger.leaf import leaf_hash, microseconds
from troth.ledger.tree import Node, Tree, frontier, merkle_root
from troth.ledger.verify import SEAL, Found, fields_of

LEVEL = 15
BLOCK = 1 << LEVEL
_TAIL = 2  # blocks
_MOST_SEALED = 400_000  # events of batches looked at
_LEAVES = """
SELECT index, tenant_id, kind, at, leaf, leaf_hash FROM ledger_leaf
WHERE log_id = 1 AND index >= %s AND index < %s AND tenant_id IS NOT DISTINCT FROM %s
"""
_NODES = """
SELECT level, index, hash FROM ledger_node
WHERE log_id = 1 AND index >= %s::bigint >> level AND index <= %s::bigint >> level
"""
_UPPER = "SELECT level, index, hash FROM ledger_node WHERE log_id = 1 AND level >= %s"
_BATCHES = """
SELECT index, events, hashes FROM ledger_batch WHERE log_id = 1 AND index >= %s AND index < %s ORDER BY index DESC
"""
_AT = "SELECT leaf FROM ledger_leaf WHERE log_id = 1 AND index = %s"

type Row = tuple[int, UUID | None, str, datetime, str, bytes]


@dataclass(slots=True)
class Walked:
    """What a walk came through: roots at the sizes that were asked for, sealing leaves, and what is wrong."""

    root: bytes = b""
    roots: dict[int, bytes] = field(default_factory=dict)
    seals: dict[int, dict[str, str | int]] = field(default_factory=dict)
    sealed: set[bytes] = field(default_factory=set)
    whole: bool = True
    leaves: int = 0
    swept: int = 0
    wrong: list[str] = field(default_factory=list)


def walk(look: Look, size: int, asked: set[int], swept: int) -> Walked:
    """Walk a ledger of `size` leaves; `asked`: sizes whose root is wanted; `swept`: the older block in turn."""
    made = Walked()
    start = max(0, size // BLOCK - _TAIL) * BLOCK
    tree = _resumed(look, made, start)
    if tree is None:
        return made
    _stretch(look, made, tree, start, size, asked)
    if start:
        made.whole, made.swept = False, (swept + 1) % (start // BLOCK)
        _older(look, made, swept % (start // BLOCK))
    made.root = tree.root()
    for early in (one for one in asked if one <= start and one):
        made.roots[early] = _root_at(look, early)
    _batches(look, made, start, size)
    return made


def _resumed(look: Look, made: Walked, start: int) -> Tree | None:
    """A tree that goes on from `start`, which is made of whole blocks, each by its own hash."""
    if not start:
        return Tree()
    with look.of(None) as connection:
        upper = {(row[0], row[1]): bytes(row[2]) for row in connection.execute(_UPPER, (LEVEL,)).fetchall()}
    blocks, nodes = Tree(), {}
    for index in range(start // BLOCK):
        if (LEVEL, index) not in upper:
            made.wrong.append(f"the node {index} of level {LEVEL} is gone")
            return None
        for level, place, hashed in blocks.append(upper[LEVEL, index]):
            if upper.get((LEVEL + level, place)) != hashed:
                made.wrong.append(f"the node {place} of level {LEVEL + level} is not of the ones below it")
            nodes[LEVEL + level, place] = hashed
    nodes |= {place: hashed for place, hashed in upper.items() if place[0] == LEVEL}
    return Tree.resume(start, [(*place, nodes[place]) for place in frontier(start)])


def _stretch(look: Look, made: Walked, tree: Tree, start: int, end: int, asked: set[int]) -> None:
    """Leaf by leaf: each is there, canonical, what its columns say, and under the nodes that are kept."""
    nodes = _nodes(look, start, end)
    completed: list[Node] = []
    expected = start
    for index, tenant, kind, at, leaf, hashed in sorted(_leaves(look, start, end)):
        if index != expected:
            made.wrong.append(f"entry {expected} is missing")
            return
        expected += 1
        data = leaf.encode()
        own = leaf_hash(data)
        if own != bytes(hashed):
            made.wrong.append(f"entry {index}: its hash is not of its leaf")
        made.wrong += _columns(made, index, tenant, kind, at, data)
        completed += tree.append(own)
        if tree.size in asked:
            made.roots[tree.size] = tree.root()
    made.leaves += expected - start
    if expected != end:
        made.wrong.append(f"entry {expected} is missing")
    made.wrong += [f"the node {i} of level {v} is not of its leaves" for v, i, h in completed if nodes.get((v, i)) != h]


def _columns(made: Walked, index: int, tenant: UUID | None, kind: str, at: datetime, data: bytes) -> Iterator[str]:
    try:
        fields = fields_of(data)
    except Found as wrong:
        yield f"entry {index}: {wrong.what}"
        return
    if (fields["at"], fields["kind"], fields["tenant"]) != (microseconds(at), kind, str(tenant or "")):
        yield f"entry {index}: its columns say another thing than its leaf"
    if kind == SEAL:
        made.seals[index] = fields


def _older(look: Look, made: Walked, block: int) -> None:
    """One of the blocks that stand by their hash: its leaves make it."""
    start = block * BLOCK
    tree = Tree()
    for index, _, _, _, leaf, _ in sorted(_leaves(look, start, start + BLOCK)):
        if index != start + tree.size:
            break
        tree.append(leaf_hash(leaf.encode()))
    made.leaves += tree.size
    if tree.size != BLOCK:
        made.wrong.append(f"entry {start + tree.size} is missing")
    elif _nodes(look, start, start + BLOCK).get((LEVEL, block)) != tree.root():
        made.wrong.append(f"the entries from {start} on do not make their node")


def _leaves(look: Look, start: int, end: int) -> Iterator[Row]:
    for tenant in (None, *(each.id for each in look.tenants)):
        with look.of(tenant) as connection:
            yield from connection.execute(_LEAVES, (start, end, tenant)).fetchall()


def _nodes(look: Look, start: int, end: int) -> dict[tuple[int, int], bytes]:
    with look.of(None) as connection:
        rows = connection.execute(_NODES, (start, max(start, end - 1))).fetchall()
    return {(level, index): bytes(hashed) for level, index, hashed in rows}


def _root_at(look: Look, size: int) -> bytes:
    """An earlier root from the nodes that are kept."""
    found: dict[tuple[int, int], bytes] = {}
    for level, index in frontier(size):
        with look.of(None) as connection:
            query = "SELECT hash FROM ledger_node WHERE log_id = 1 AND level = %s AND index = %s"
            row: Any = connection.execute(query, (level, index)).fetchone() if level else None
        hashed = bytes(row[0]) if row else _leaf_at(look, index) if not level else b""
        found[level, index] = hashed
    try:
        return Tree.resume(size, [(*place, hashed) for place, hashed in found.items()]).root()
    except ValueError:
        return b""


def _leaf_at(look: Look, index: int) -> bytes:
    for tenant in (None, *(each.id for each in look.tenants)):
        with look.of(tenant) as connection:
            row = connection.execute(_AT, (index,)).fetchone()
        if row:
            return leaf_hash(row[0].encode())
    return b""


def _batches(look: Look, made: Walked, start: int, end: int) -> None:
    """Each sealing leaf's batch makes the root that it seals; the newest, up to a bound."""
    looked: set[int] = set()
    with look.of(None) as connection:
        rows = connection.execute(_BATCHES, (start, end)).fetchall()
    for index, events, hashes in rows:
        if len(made.sealed) > _MOST_SEALED:
            made.whole = False
            break
        looked.add(index)
        cut = [bytes(hashes[at : at + 32]) for at in range(0, len(hashes), 32)]
        made.sealed.update(cut)
        fields = made.seals.get(index, {})
        if (fields.get("count"), fields.get("root")) != (len(cut), merkle_root(cut).hex()) or events != len(cut):
            made.wrong.append(f"entry {index}: its batch is not what it seals")
    if made.whole:
        made.wrong += [f"entry {index}: its batch is gone" for index in sorted(made.seals.keys() - looked)]
