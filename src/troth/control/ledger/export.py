"""Evidence, taken out of the house: the whole ledger as files that anyone can verify with `troth verify --export`.

It reads by key pages, so that no snapshot of the database stays open; what it writes is complete or is not there.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from troth.control.ledger import layout, rows
from troth.control.ledger.rows import LOG_ID, Connection, Head
from troth.ledger.tiles import WIDTH, BadBundle, Tile, TileRows, encode_bundle
from troth.ledger.verify import SEAL, CannotVerify, Found, Walk, check_note, read_key


class CannotExport(Exception):  # noqa: N818 - the name says what happened, as a sentence would
    """Nothing was written, in a sentence that says why and what to do."""

    temporary = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    folder: Path
    entries: int
    checkpoints: int
    files: int
    vkey: str


def export(connection: Connection, folder: Path, progress: Callable[[int, int], None]) -> Exported:
    """Write the ledger, as it is now, to `folder`, which must be new or empty; raise CannotExport."""
    head = rows.head(connection)
    if not head.size or not head.keys:
        raise CannotExport("The ledger has no entry yet: there is nothing to export.")
    with _new(folder) as place:
        try:
            return _Export(connection, head, place, progress).run(folder)
        except (Found, CannotVerify, BadBundle) as wrong:
            raise CannotExport(f"The ledger is not whole, so nothing was exported: {wrong} (`troth verify`)") from None


class _Export:
    """One export, on its way."""

    def __init__(self, connection: Connection, head: Head, place: Path, progress: Callable[[int, int], None]) -> None:
        self._connection, self._place, self._progress = connection, place, progress
        self._size = head.size
        self._vkey = next(row.vkey for row in head.keys if row.log_id == LOG_ID)
        self._walk = Walk()
        self._tiles = TileRows()
        self._files = 0

    def run(self, folder: Path) -> Exported:
        for low in range(0, self._size, WIDTH):
            self._bundle(low, min(low + WIDTH, self._size))
            self._progress(self._walk.size, self._size)
        for tile, data in self._tiles.rest():
            self._write(tile.path, data)
        count, newest = self._checkpoints()
        check_note(newest, read_key(self._vkey), self._size, self._walk.root())
        self._write(layout.CHECKPOINT, newest.encode())
        self._write(layout.VKEY, f"{self._vkey}\n".encode())
        return Exported(folder, self._size, count, self._files, self._vkey)

    def _bundle(self, low: int, high: int) -> None:
        leaves, seals = [], 0
        for row in rows.leaves(self._connection, low, high):
            leaves.append(row.leaf.encode())
            entry = self._walk.leaf(row.index, leaves[-1])
            seals += entry.kind == SEAL
            for tile, data in self._tiles.take(entry.hash, entry.completed):
                self._write(tile.path, data)
        if self._walk.size != high:
            raise Found("it is missing", self._walk.size)
        number = low // WIDTH
        self._write(Tile(-1, number, high - low).path, encode_bundle(leaves))
        if seals:
            self._write_all(layout.batches(number), (row.hashes for row in rows.batches(self._connection, low, high)))

    def _checkpoints(self) -> tuple[int, str]:
        """All notes, in files; how many there are, and the newest."""
        after, count, newest = 0, 0, ""
        while found := rows.checkpoint_notes(self._connection, after, self._size, layout.NOTES_A_FILE):
            notes = [note for _, note in found]
            self._write(layout.checkpoints(count // layout.NOTES_A_FILE), "\n".join(notes).encode())
            after, newest, count = found[-1][0], notes[-1], count + len(found)
        return count, newest

    def _write(self, name: str, data: bytes) -> None:
        self._write_all(name, iter((data,)))

    def _write_all(self, name: str, parts: Iterator[bytes]) -> None:
        path = self._place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
        self._files += 1


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place when all is written, and goes when it is not."""
    target = folder.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CannotExport(f"{folder} is there and not an empty folder: name a new one; nothing is overwritten.")
    place = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir()
        yield place
        place.rename(target)  # an empty folder gives way
    except OSError as trouble:
        raise CannotExport(f"{folder} could not be written: {trouble.strerror or trouble}.") from trouble
    finally:
        with suppress(OSError):
            shutil.rmtree(place)
