"""Evidence, compared: are the event hashes that were sealed and the event rows that are there the same ones?

Two heaps of 32-byte hashes, thrown into 256 buckets by their first byte and compared bucket by bucket; beyond a limit
of memory the buckets lie in a temporary folder. Hashes are salted, so none of them comes twice by chance.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from troth.ledger.leaf import HASH_BYTES
from troth.ledger.verify import Found

MEMORY = 64 * 2**20  # bytes of both heaps before they go to disk
IN_LINE = 2**64 - 1  # the "index" of what waits and is sealed by no leaf yet

_BUCKETS = 256
_SEALED = HASH_BYTES + 8  # hash, index of the sealing leaf
_ROW = HASH_BYTES + 16 + 2  # hash, message, kind

type EventName = tuple[UUID, int]  # message, kind


class Cover:
    """Both heaps. Use as a context manager: its folder goes when it ends."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._held = 0
        self._heaps: dict[str, list[bytearray]] = {name: _buckets() for name in ("sealed", "rows")}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder:
            self._folder.cleanup()

    def sealed(self, index: int, hashes: Sequence[bytes]) -> None:
        """These hashes are sealed by the leaf `index`, or IN_LINE."""
        place = index.to_bytes(8)
        heap = self._heaps["sealed"]
        for hashed in hashes:
            heap[hashed[0]] += hashed + place
        self._grew(len(hashes) * _SEALED)

    def row(self, hashed: bytes, message: UUID, kind: int) -> None:
        """This event row is there."""
        self._heaps["rows"][hashed[0]] += hashed + message.bytes + (kind & 0xFFFF).to_bytes(2)
        self.rows += 1
        self._grew(_ROW)

    def compare(self) -> Iterator[tuple[bytes, int]]:
        """Raise Found for a row that no batch and no line holds, or two rows or batches that hold the same hash.

        Yields the hashes that were sealed without a row, with their sealing leaf: the row may have come since.
        """
        for bucket in range(_BUCKETS):
            sealed = self._sealed_of(bucket)
            for hashed, message, kind in self._rows_of(bucket):
                if sealed.pop(hashed, None) is None:
                    raise Found(
                        f"the event {kind} of message {message} is in no sealed batch and not in the line: it was "
                        "changed, added or doubled after it was told"
                    )
            yield from ((hashed, index) for hashed, index in sealed.items() if index != IN_LINE)

    def _sealed_of(self, bucket: int) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for record in _records(self._read("sealed", bucket), _SEALED):
            hashed, index = record[:HASH_BYTES], int.from_bytes(record[HASH_BYTES:])
            before = found.get(hashed)
            if before is None:
                found[hashed] = index
            elif before == index:
                raise Found("it holds one event twice", None if index == IN_LINE else index)
            elif IN_LINE in (before, index):  # sealed while we were reading
                found[hashed] = min(before, index)
            else:
                raise Found(f"it seals an event that the entry {min(before, index)} seals", max(before, index))
        return found

    def _rows_of(self, bucket: int) -> Iterator[tuple[bytes, UUID, int]]:
        for record in _records(self._read("rows", bucket), _ROW):
            yield record[:HASH_BYTES], UUID(bytes=record[HASH_BYTES:-2]), int.from_bytes(record[-2:])

    def _grew(self, by: int) -> None:
        self._held += by
        if self._held < self._memory:
            return
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="troth-verify-")
        for name, heap in self._heaps.items():
            for bucket, held in enumerate(heap):
                with self._path(name, bucket).open("ab") as file:
                    file.write(held)
            self._heaps[name] = _buckets()
        self._held = 0

    def _read(self, name: str, bucket: int) -> bytes:
        held = bytes(self._heaps[name][bucket])
        if self._folder and self._path(name, bucket).exists():
            return self._path(name, bucket).read_bytes() + held
        return held

    def _path(self, name: str, bucket: int) -> Path:
        return Path(self._folder.name if self._folder else "") / f"{name}-{bucket:03}"


def _buckets() -> list[bytearray]:
    return [bytearray() for _ in range(_BUCKETS)]


def _records(data: bytes, width: int) -> Iterator[bytes]:
    return (data[at : at + width] for at in range(0, len(data), width))
