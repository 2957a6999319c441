"""Evidence, kept elsewhere: the file of checkpoints that finds a ledger which was rolled back.

Whoever holds a later checkpoint than the ledger shows has the proof. The sequencer asks its own file first, and
stops rather than sign a second history.
"""

import os
from pathlib import Path

from troth.ledger.checkpoint import Checkpoint, NoteError, notes, parse


class RolledBack(Exception):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The ledger is not the one that the witness saw. Permanent: a person must look."""

    temporary = False


class Witness:
    """An append-only file of signed notes with an empty line between two."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self, vkey: str) -> Checkpoint | None:
        """The largest checkpoint of the file's last part that this key signed; None when there is none."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 65_536))
                tail = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        found = [checkpoint for note in notes(tail) if (checkpoint := _read(note, vkey))]
        return max(found, key=lambda checkpoint: checkpoint.size, default=None)

    def add(self, note: str) -> None:
        """One more note, on disk when this returns; raise OSError when it cannot be."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{note}\n")
            file.flush()
            os.fsync(file.fileno())


def _read(note: str, vkey: str) -> Checkpoint | None:
    try:
        return parse(note, vkey)
    except NoteError:  # the cut start of the tail, or another ledger's
        return None
