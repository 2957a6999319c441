"""Evidence, its short form: proofs that a leaf is in a tree and that one tree grew out of another (RFC 9162, 2.1).

Beside whole trees they speak of *subtrees* [start, end), whose start is a multiple of the smallest power of two
that is not below their length; a tree of n leaves is the subtree [0, n).

Making one is a list of ranges of leaves, so that a caller can fetch the nodes of all of them at once: `plan` them,
fetch, `assemble`. Verifying raises `BadProof`, a ValueError, and needs nothing but its arguments.
"""

from collections.abc import Mapping, Sequence

from troth.ledger.leaf import HASH_BYTES, node_hash
from troth.ledger.tree import EMPTY_ROOT, fold, frontier

type Place = tuple[int, int]  # level, index of a complete node
type Range = tuple[int, int]  # leaves [low, high)


class BadProof(ValueError):  # noqa: N818 - the name says what is wrong, as a sentence would
    """What was to be proved is not; permanent."""

    temporary = False


def inclusion_ranges(index: int, start: int, end: int) -> list[Range]:
    """PATH of the leaf `index` in the subtree [start, end), lowest first (RFC 9162, 2.1.3.1)."""
    _check_subtree(start, end)
    if not start <= index < end:
        raise BadProof(f"the leaf {index} is not one of [{start}, {end})")
    ranges: list[Range] = []
    low, high = start, end
    while high - low > 1:
        middle = _middle(low, high)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency_ranges(start: int, end: int, size: int) -> list[Range]:
    """SUBPROOF that the tree of `size` leaves holds the subtree [start, end), lowest first (RFC 9162, 2.1.4.1)."""
    _check_subtree(start, end)
    if end > size or start == end:
        raise BadProof(f"a tree of {size} leaves has nothing to prove of [{start}, {end})")
    ranges: list[Range] = []
    known, low, high = True, 0, size
    while (start, end) != (low, high):
        middle = _middle(low, high)
        if end <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            known, start, low = known and start >= middle, max(start, middle), middle
    return [*([] if known else [(low, high)]), *ranges[::-1]]


def plan(ranges: Sequence[Range]) -> list[list[Place]]:
    """For each range the complete nodes that its hash is folded from, left to right."""
    return [range_nodes(low, high) for low, high in ranges]


def range_nodes(low: int, high: int) -> list[Place]:
    """The complete nodes that the subtree [low, high) is made of."""
    return [(level, (low >> level) + index) for level, index in frontier(high - low)]


def assemble(planned: Sequence[Sequence[Place]], nodes: Mapping[Place, bytes]) -> list[bytes]:
    """The proof's hashes from the fetched nodes; KeyError names a missing one."""
    return [fold([nodes[place] for place in places]) for places in planned]


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, 2.1.3.2; raise `BadProof`."""
    verify_subtree_inclusion(index, 0, size, leaf_hash, proof, root)


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """The leaf `index` is in the subtree [start, end) of hash `root`; raise `BadProof`."""
    _check_subtree(start, end)
    if not start <= index < end:
        raise BadProof(f"the leaf {index} is not one of [{start}, {end})")
    _check_hashes([leaf_hash, *proof])
    at, last, climbed = index - start, end - start - 1, leaf_hash
    for step in proof:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if at & 1 or at == last:
            climbed = node_hash(step, climbed)
            while not at & 1:
                at, last = at >> 1, last >> 1
        else:
            climbed = node_hash(climbed, step)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise BadProof("the proof is too short")
    if climbed != root:
        raise BadProof("the proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """RFC 9162, 2.1.4.2; raise `BadProof`. Of an empty tree there is nothing to prove: that is refused."""
    if not 0 < size1 <= size2:
        raise BadProof(f"a tree of {size2} leaves cannot be shown to extend one of {size1}")
    verify_subtree_consistency(0, size1, size2, proof, root1, root2)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree: bytes, root: bytes
) -> None:
    """The tree of `size` leaves and hash `root` holds the subtree [start, end) of hash `subtree`; raise `BadProof`.

    An empty subtree is in every tree, if its hash is the one of nothing.
    """
    _check_subtree(start, end)
    if end > size:
        raise BadProof(f"[{start}, {end}) does not lie in a tree of {size} leaves")
    if start == end:
        if proof or subtree != EMPTY_ROOT:
            raise BadProof("an empty subtree has an empty proof and the hash of nothing")
        return
    _check_hashes(proof)
    if _climb(start, end, size, proof, subtree) != (subtree, root):
        raise BadProof("the proof leads to other roots")


def _climb(start: int, end: int, size: int, proof: Sequence[bytes], subtree: bytes) -> tuple[bytes, bytes]:
    """Both hashes as the proof makes them. `first`, `last`, `rightmost` are leaves' ancestors, climbing together."""
    first, last, rightmost = start, end - 1, size - 1
    while first != last and (last & 1 or last == rightmost):
        first, last, rightmost = first >> 1, last >> 1, rightmost >> 1
    steps = list(proof)
    if first != last and not steps:
        raise BadProof("the proof is empty")
    inner = outer = subtree if first == last else steps.pop(0)
    for step in steps:
        if rightmost == 0:
            raise BadProof("the proof is longer than the tree is high")
        if last & 1 or last == rightmost:
            inner = node_hash(step, inner) if first < last else inner
            outer = node_hash(step, outer)
            while not last & 1:
                first, last, rightmost = first >> 1, last >> 1, rightmost >> 1
        else:
            outer = node_hash(outer, step)
        first, last, rightmost = first >> 1, last >> 1, rightmost >> 1
    if rightmost != 0:
        raise BadProof("the proof is too short")
    return inner, outer


def _middle(low: int, high: int) -> int:
    """Where the tree over [low, high) splits: the largest power of two below its length."""
    return low + (1 << (high - low - 1).bit_length() - 1)


def _check_subtree(start: int, end: int) -> None:
    if not 0 <= start <= end:
        raise BadProof(f"[{start}, {end}) is not a range of leaves")
    if start and end > start and start & ((1 << (end - start - 1).bit_length()) - 1):
        raise BadProof(f"[{start}, {end}) is not a subtree: it starts in the middle of one")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise BadProof("a hash has 32 bytes")
