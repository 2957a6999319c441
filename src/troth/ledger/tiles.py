"""Evidence, its published form: where a log of some size keeps what (C2SP tlog-tiles), and entry bundles as bytes.

A tile of level L holds up to 256 hashes of tree level 8 * L; a bundle holds the same 256 leaves themselves, each
after its length in two bytes. The last one of a level may be partial: `.p/<width>`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from troth.ledger.tree import Node

WIDTH = 256
HEIGHT = 8  # levels of the tree in a tile
MAX_ENTRY = 2**16 - 1

_GROUP = 1000


class BadBundle(ValueError):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The bytes are not an entry bundle of that many entries, or an entry does not fit into one; permanent."""

    temporary = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: its level (-1: an entry bundle), number and width (1 to 256)."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Where it lies, relative to the log."""
        folder = "tile/entries" if self.level < 0 else f"tile/{self.level}"
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{folder}/{number_path(self.number)}{partial}"


def number_path(number: int) -> str:
    """A tile's number in groups of three digits, all but the last with an x: 1234067 is x001/x234/067."""
    groups = [f"{number % _GROUP:03}"]
    while number := number // _GROUP:
        groups.append(f"x{number % _GROUP:03}")
    return "/".join(reversed(groups))


def bundles(size: int) -> Iterator[Tile]:
    """The entry bundles of a log of `size` leaves, in order."""
    return _row(-1, size)


def levels(size: int) -> range:
    """The levels at which a log of `size` leaves has tiles."""
    return range((max(size, 1).bit_length() - 1) // HEIGHT + 1 if size else 0)


def tiles(size: int) -> Iterator[Tile]:
    """The hash tiles of a log of `size` leaves, level by level."""
    for level in levels(size):
        yield from _row(level, size >> level * HEIGHT)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Each entry after its length, big-endian, in two bytes."""
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise BadBundle(f"an entry of {len(entry)} bytes is longer than the {MAX_ENTRY} that a bundle takes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle; refuse any other number of them than `width`, and any byte left over."""
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data) or at + 2 > len(data):
            raise BadBundle(f"the entry {len(found)} of the bundle is cut off")
        found.append(data[at + 2 : end])
        at = end
    if len(found) != width:
        raise BadBundle(f"the bundle has {len(found)} entries, not {width}")
    if at != len(data):
        raise BadBundle(f"{len(data) - at} bytes follow the bundle's last entry")
    return found


def _row(level: int, count: int) -> Iterator[Tile]:
    for number in range(count // WIDTH):
        yield Tile(level, number, WIDTH)
    if count % WIDTH:
        yield Tile(level, count // WIDTH, count % WIDTH)


class TileRows:
    """The hash tiles of a growing log: leaf by leaf in, tiles out as they are complete; O(levels) memory."""

    def __init__(self) -> None:
        self._rows: list[list[bytes]] = [[]]
        self._numbers: list[int] = [0]

    def take(self, leaf_hash: bytes, completed: Sequence[Node]) -> Iterator[tuple[Tile, bytes]]:
        """Add a leaf and the nodes that it completed; the tiles that are full by it."""
        self._put(0, leaf_hash)
        for level, _, hashed in completed:
            if level % HEIGHT == 0:
                self._put(level // HEIGHT, hashed)
        for level, row in enumerate(self._rows):
            if len(row) == WIDTH:
                yield self._cut(level)

    def rest(self) -> Iterator[tuple[Tile, bytes]]:
        """The partial tiles, of which each level has one at most."""
        for level, row in enumerate(self._rows):
            if row:
                yield self._cut(level)

    def _put(self, level: int, hashed: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._numbers.append(0)
        self._rows[level].append(hashed)

    def _cut(self, level: int) -> tuple[Tile, bytes]:
        row, self._rows[level] = self._rows[level], []
        self._numbers[level] += 1
        return Tile(level, self._numbers[level] - 1, len(row)), b"".join(row)
