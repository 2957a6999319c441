"""Around the house: reads a backup: first to its end, to see that it is whole, then once more, to load it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from troth.cli.backup.catalogue import Manifest, Sum, Table
from troth.cli.backup.sealed import DATA, Header, NotWhole, Reader
from troth.cli.backup.taking import Begun, Carried, Ended, Last, Record
from troth.cli.words import CommandError

_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole backup says of itself, its tables' shapes, and its small files by name."""

    manifest: Manifest
    tables: list[Table]
    files: dict[str, bytes] = field(repr=False)


def header(path: Path) -> Header:
    """What is said in the open; raise CommandError for a file that is not there, or no backup."""
    try:
        with path.open("rb") as file:
            return Reader(file, str(path)).header
    except OSError as trouble:
        raise CommandError(f"{path} cannot be read: {trouble.strerror}.") from trouble


def check(path: Path, key: bytes) -> Contents:
    """Read it all: every seal, every sum, every part. Raise NotWhole at the first that is not as it was."""
    files: dict[str, bytes] = {}
    tables: list[Table] = []
    sums: list[Sum] = []
    manifest: Manifest | None = None
    for part in parts(path, key):
        match part:
            case Carried(name, octets):
                files[name] = octets
            case Opened(table, stream):
                tables.append(table)
                sums.append(stream.drain())
            case Manifest():
                manifest = part
    if manifest is None or manifest.tables != sums or manifest.files != list(files):
        raise _misfit(path)
    return Contents(manifest, tables, files)


@dataclass(slots=True)
class Stream:
    """One table's octets, to be read once, to the end."""

    path: Path
    frames: Iterator[tuple[bytes, bytes]]
    _total: Sum | None = None

    def __iter__(self) -> Iterator[bytes]:
        digest, octets = hashlib.sha256(), 0
        for kind, payload in self.frames:
            if kind == DATA:
                digest.update(payload)
                octets += len(payload)
                yield payload
                continue
            record = _record(self.path, payload)
            found = (octets, digest.hexdigest())
            if not isinstance(record, Ended) or (record.total.octets, record.total.sha256) != found:
                raise _misfit(self.path)
            self._total = record.total
            return
        raise _misfit(self.path)

    @property
    def total(self) -> Sum:
        assert self._total is not None, "read it first"
        return self._total

    def drain(self) -> Sum:
        for _ in self:
            pass
        return self.total


@dataclass(frozen=True, slots=True)
class Opened:
    """A table whose octets come next."""

    table: Table
    stream: Stream


def parts(path: Path, key: bytes) -> Iterator[Carried | Opened | Manifest]:
    """In the order of the file; an Opened's stream is read before the next part is asked for."""
    with path.open("rb", buffering=_READ) as file:
        frames = Reader(file, str(path)).frames(key)
        for kind, payload in frames:
            record = None if kind == DATA else _record(path, payload)
            match record:
                case Carried():
                    yield record
                case Begun(table):
                    yield Opened(table, Stream(path, frames))
                case Last(manifest):
                    yield manifest
                case _:
                    raise _misfit(path)


def digest(path: Path) -> str:
    """SHA-256 of the file itself, as `sha256sum` says it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record(path: Path, payload: bytes) -> Record:
    try:
        record: Record = msgspec.json.decode(payload, type=Record)
    except msgspec.DecodeError:
        raise NotWhole(
            f"{path} was made by another version of Troth, and this one does not know its parts: restore it with the "
            "version that made it."
        ) from None
    return record


def _misfit(path: Path) -> NotWhole:
    return NotWhole(f"{path} does not hold what it says it holds: take another copy of it.")
