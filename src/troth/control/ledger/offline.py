"""Evidence, judged far from the house: an export's files against what its leaves make; no database, no keyring.

Every byte of every file is compared with what it must be, and there is no file that is not one of them.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from troth.control.ledger import layout
from troth.control.ledger.report import Report
from troth.ledger.checkpoint import NoteError, notes, read_unverified
from troth.ledger.leaf import HASH_BYTES
from troth.ledger.note import Verifier
from troth.ledger.tiles import MAX_ENTRY, WIDTH, BadBundle, Tile, TileRows, bundles, decode_bundle
from troth.ledger.tree import split
from troth.ledger.verify import (
    SEAL,
    CannotVerify,
    Entry,
    Found,
    Walk,
    check_batch,
    check_note,
    check_signed,
    read_note,
    read_since,
    trusted,
)

_MOST_BUNDLE = WIDTH * (MAX_ENTRY + 2)
_MOST_NOTES = layout.NOTES_A_FILE * 2000
_MOST_TEXT = 100_000


def verify_export(
    folder: Path,
    key: str | None,
    since: Sequence[tuple[str, Sequence[str]]],
    progress: Callable[[int, int], None],
) -> Report:
    """Judge the export in `folder`; `key` is one that a person trusts. Raise Found or CannotVerify."""
    if not folder.is_dir():
        raise CannotVerify(f"There is no folder {folder}.")
    if not any((folder / name).exists() for name in (layout.CHECKPOINT, layout.VKEY, "tile")):
        raise CannotVerify(f"{folder} is not an export of a ledger: it has neither checkpoint, log.vkey nor tile.")
    try:
        return _Offline(_Files(folder), key, since, progress).run()
    except OSError as trouble:
        raise CannotVerify(f"A file could not be read: {trouble}.") from trouble


class _Files:
    """The files that were asked for; in the end there must be no other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: set[str] = set()

    def open(self, name: str, index: int | None = None) -> BinaryIO:
        self.asked.add(name)
        path = self._folder / name
        if path.is_symlink() or not path.is_file():
            raise Found(f"the file {name} is missing", index)
        return path.open("rb")

    def there(self, name: str) -> bool:
        return (self._folder / name).exists()

    def read(self, name: str, most: int, index: int | None = None) -> bytes:
        with self.open(name, index) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise Found(f"the file {name} is longer than it can be", index)
        return data

    def text(self, name: str, most: int = _MOST_TEXT) -> str:
        try:
            return self.read(name, most).decode()
        except UnicodeDecodeError:
            raise Found(f"the file {name} is not UTF-8") from None

    def no_more(self) -> None:
        for place, folders, names in os.walk(self._folder, onerror=_raise):
            linked = [name for name in folders if (Path(place) / name).is_symlink()]
            for name in names + linked:
                found = (Path(place) / name).relative_to(self._folder).as_posix()
                if found not in self.asked:
                    raise Found(f"the file {_printable(found)} is none of this export: it was added or moved")


def _raise(error: OSError) -> None:
    raise error


def _printable(name: str) -> str:
    """A name may be made to hide from a terminal, or be no text at all."""
    return name if name.isprintable() else repr(name)


class _Offline:
    """One verification of an export, on its way."""

    def __init__(
        self,
        files: _Files,
        key: str | None,
        since: Sequence[tuple[str, Sequence[str]]],
        progress: Callable[[int, int], None],
    ) -> None:
        self._files, self._progress = files, progress
        self._report = Report("the export")
        own = files.text(layout.VKEY)
        self._key = self._trusted(key, own)
        self._newest = files.text(layout.CHECKPOINT)
        self._walk = Walk([one for name, held in since for one in read_since(held, self._key, name)])
        self._tiles = TileRows()
        self._notes = _Notes(files)

    def run(self) -> Report:
        size = read_note(self._newest, self._key).size
        for bundle in bundles(size):
            self._bundle(bundle)
            self._progress(self._walk.size, size)
        for tile, data in self._tiles.rest():
            self._tile(tile, data)
        self._end(size)
        return self._report

    def _trusted(self, key: str | None, own: str) -> Verifier:
        verifier = trusted(key, own.removesuffix("\n"))
        if not own.endswith("\n"):
            raise Found("the file log.vkey is cut off")
        self._report.key_given = key is not None
        whose = "the one given" if key else "the export says so itself; --key checks that"
        self._report.key = f"{own.strip()} ({whose})"
        return verifier

    def _bundle(self, bundle: Tile) -> None:
        first = bundle.number * WIDTH
        try:
            leaves = decode_bundle(self._files.read(bundle.path, _MOST_BUNDLE, first), bundle.width)
        except BadBundle as wrong:
            raise Found(f"the file {bundle.path}: {wrong}", first) from None
        batches: BinaryIO | None = None
        try:
            for index, leaf in enumerate(leaves, first):
                entry = self._walk.leaf(index, leaf)
                if entry.kind == SEAL:
                    batches = batches or self._files.open(layout.batches(bundle.number), index)
                    self._batch(entry, batches)
                for tile, data in self._tiles.take(entry.hash, entry.completed):
                    self._tile(tile, data)
                self._checkpoint()
                check_signed(entry, self._report.size_signed)
            if batches and batches.read(1):
                raise Found(f"the file {layout.batches(bundle.number)} has more than what is sealed", first)
        finally:
            if batches:
                batches.close()

    def _batch(self, entry: Entry, file: BinaryIO) -> None:
        count = entry.fields.get("count")
        there = os.fstat(file.fileno()).st_size - file.tell()
        if not isinstance(count, int) or not 0 <= count * HASH_BYTES <= there:
            raise Found(f"it seals {count} events, and its batch is cut off", entry.index)
        hashes = split(file.read(count * HASH_BYTES))
        check_batch(entry, hashes)
        self._report.sealed += len(hashes)

    def _tile(self, tile: Tile, data: bytes) -> None:
        first = (tile.number * WIDTH) << 8 * tile.level
        kept = self._files.read(tile.path, len(data), first)
        if kept != data:
            at = next((n for n, (own, other) in enumerate(zip(data, kept, strict=False)) if own != other), len(kept))
            index = first + (at // HASH_BYTES << 8 * tile.level)
            raise Found(f"the hash kept in {tile.path} is not what the leaves make", index)

    def _checkpoint(self) -> None:
        while (note := self._notes.due(self._walk.size)) is not None:
            self._report.checkpoint(check_note(note, self._key, self._walk.size, self._walk.root()))
            self._notes.last = note

    def _end(self, size: int) -> None:
        self._notes.end()
        last = size - 1
        check_note(self._newest, self._key, size, self._walk.root())
        if self._notes.last != self._newest:
            raise Found("the file checkpoint is not the last of the checkpoints", last)
        self._walk.since.end(size)
        self._files.no_more()
        report = self._report
        report.entries, report.root, report.since = size, self._walk.root(), self._walk.since.passed
        report.files = len(self._files.asked)


class _Notes:
    """The history of checkpoints, file by file, each note when the walk comes to its size."""

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._number = 0
        self._source = self._read()
        self._next = next(self._source, None)
        self._size = 0
        self.last: str | None = None

    def due(self, size: int) -> str | None:
        """The next note if it is of `size`; raise Found if it is of a smaller one, which has passed."""
        if self._next is None or self._next[0] > size:
            return None
        if self._next[0] <= self._size:
            raise Found("the checkpoints are not in order: one was doubled or moved", self._next[0] - 1)
        self._size, note = self._next
        if self._size < size:
            raise Found("the checkpoints are not in order: one was moved", self._size - 1)
        self._next = next(self._source, None)
        return note

    def end(self) -> None:
        """None must be left."""
        if self._next is not None:
            raise Found(f"there is a checkpoint of {self._next[0]} entries, which the export does not have")

    def _read(self) -> Iterator[tuple[int, str]]:
        found = [""] * layout.NOTES_A_FILE
        while len(found) == layout.NOTES_A_FILE and (self._number == 0 or self._more()):
            name = layout.checkpoints(self._number)
            text = self._files.text(name, _MOST_NOTES)
            found = notes(text)
            if "\n".join(found) != text or not 0 < len(found) <= layout.NOTES_A_FILE:
                raise Found(f"the file {name} is not signed notes with an empty line between two")
            for note in found:
                yield _claimed(note), note
            self._number += 1

    def _more(self) -> bool:
        return self._files.there(layout.checkpoints(self._number))


def _claimed(note: str) -> int:
    try:
        return read_unverified(note).size
    except NoteError as wrong:
        raise Found(f"a checkpoint cannot be read: {wrong}") from None
