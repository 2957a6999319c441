"""Evidence, its shape: the Merkle tree that leaves make (RFC 9162, section 2.1.1), grown one leaf at a time.

A *node* (level, index) covers leaves [index * 2^level, (index + 1) * 2^level) and is only named once complete,
so that it never changes again; level 0 are the leaves' own hashes. The tree keeps the *frontier* alone: the
complete nodes that its size is the sum of, left to right, at most one a level.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from troth.ledger.leaf import HASH_BYTES, node_hash

EMPTY_ROOT = hashlib.sha256(b"").digest()

type Node = tuple[int, int, bytes]  # level, index, hash


class Tree:
    """A growing tree: O(log n) memory and, on average, two hashes a leaf."""

    __slots__ = ("_frontier", "_size")

    def __init__(self) -> None:
        """Start empty; `resume` continues a stored one."""
        self._size = 0
        self._frontier: list[bytes] = []

    @classmethod
    def resume(cls, size: int, nodes: Iterable[Node]) -> Self:
        """Continue a tree of `size` leaves from its frontier's nodes (see `frontier`); others are ignored."""
        found = {(level, index): hashed for level, index, hashed in nodes}
        tree = cls()
        for place in frontier(size):
            if len(found.get(place, b"")) != HASH_BYTES:
                raise ValueError(f"the node {place[1]} of level {place[0]} is needed to go on from {size} leaves")
            tree._frontier.append(found[place])
        tree._size = size
        return tree

    @property
    def size(self) -> int:
        """Leaves so far, which is the next leaf's index."""
        return self._size

    def append(self, leaf_hash: bytes) -> list[Node]:
        """Add a leaf's hash; return the nodes of level 1 and up that it completed, lowest first."""
        if len(leaf_hash) != HASH_BYTES:
            raise ValueError("a leaf's hash has 32 bytes")
        completed: list[Node] = []
        level, index, hashed = 0, self._size, leaf_hash
        while index & 1:
            hashed = node_hash(self._frontier.pop(), hashed)
            level, index = level + 1, index >> 1
            completed.append((level, index, hashed))
        self._frontier.append(hashed)
        self._size += 1
        return completed

    def root(self) -> bytes:
        """The Merkle tree hash; of no leaves, SHA-256 of nothing."""
        return fold(self._frontier)


def frontier(size: int) -> Iterator[tuple[int, int]]:
    """Name the complete nodes (level, index) that `size` leaves are made of, left to right."""
    if size < 0:
        raise ValueError("a tree has no fewer than 0 leaves")
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, (size >> level) - 1


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a frontier's hashes, left to right: each joins all that lies right of it."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes, level by level: a node without a right neighbour moves up as it is."""
    row = list(hashes)
    while len(row) > 1:
        paired = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = [*paired, row[-1]] if len(row) % 2 else paired
    return row[0] if row else EMPTY_ROOT


def split(data: bytes) -> list[bytes]:
    """Cut concatenated 32-byte hashes (a batch's column, a tile); another length is refused."""
    if len(data) % HASH_BYTES:
        raise ValueError(f"{len(data)} bytes are not a whole number of hashes of {HASH_BYTES} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
