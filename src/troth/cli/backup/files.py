"""Around the house: files of a backup: whole or not there, readable by this user alone, never in another's place."""

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from troth.cli.words import CommandError


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when all is written and on disk; on any failure nothing is left."""
    if path.exists():
        raise CommandError(f"{path} is there already and is not replaced: name another file.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike rename it replaces nobody's file
        _sync(path.parent)
    except OSError as trouble:
        raise CommandError(cannot_write(path, trouble)) from trouble
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write(path: Path, octets: bytes) -> None:
    with new_file(path) as file:
        file.write(octets)


def cannot_write(path: Path, trouble: OSError) -> str:
    if trouble.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no room left in {path.parent} for {path.name}: nothing of it was kept. Name another place."
    if trouble.errno == errno.ENOENT:
        return f"{path.parent} is not there: make the folder first."
    return f"{path} cannot be written: {trouble.strerror}."


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
