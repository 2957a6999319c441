"""Around the house: doctor's check of the disk: every folder that we write to can be written, and has room."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from troth.cli.doctor.finding import Finding, Findings, State, ok, wrong
from troth.cli.doctor.patient import Patient

_MB = 1 << 20
_LEAST_EMBEDDED = 1024 * _MB  # the embedded database's log of changes alone may take 2 GB
_LEAST = 100 * _MB  # keys, sessions, run files
_LEAST_SHARE = 0.03  # of a disk with little left: this much must be free, up to _ENOUGH
_ENOUGH = 5 * 1024 * _MB
_LEAST_FILES = 1000
_PROBE = 64 * 1024  # bytes that are written to see whether writing works


def look(patient: Patient) -> Findings:
    least = _LEAST_EMBEDDED if patient.reached.embedded else _LEAST
    seen: set[tuple[int, int]] = set()
    for folder, need in _folders(patient, least):
        there = _existing(folder)
        try:
            status = there.stat()
        except OSError as trouble:
            yield wrong(f"{folder} cannot be looked into: {trouble.strerror}", "Give this user the right to enter it.")
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        told = any(device == status.st_dev for device, _ in seen)
        seen.add((status.st_dev, status.st_ino))
        # a disk that is well is told once; what is wrong, for each folder
        yield from (found for found in _one(folder, there, need) if found.state is not State.OK or not told)


def unusable(folder: Path) -> Finding | None:
    """Why a folder cannot become var_dir, if it cannot."""
    there = _existing(folder)
    if not there.is_dir():
        return wrong(f"{there} is not a folder", "Choose another place.")
    return _writable(there)


def _folders(patient: Patient, least: int) -> Iterator[tuple[Path, int]]:
    """What we write to, and how many bytes must be free there. The database's folder may be a link to elsewhere."""
    settings = patient.settings
    yield settings.var_dir, least
    if patient.reached.embedded:
        yield (settings.var_dir / "postgres").resolve(), least
    yield settings.key_path.parent, _LEAST


def _existing(folder: Path) -> Path:
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _one(folder: Path, there: Path, need: int) -> Findings:
    if not there.is_dir():
        yield wrong(f"{there} is not a folder", "Move it away, or set var_dir to another place.")
        return
    found = list(filter(None, (_room(folder, there, need), _files(folder, there), _mode(folder, there))))
    # PostgreSQL's own folder is another account's: root may always write there, anybody else asks through var_dir
    refused = _writable(there) if os.access(there, os.W_OK) or not _another_account(there) else None
    yield from found
    if refused:
        yield refused
    elif not found:
        yield ok(f"{folder} can be written; {_size(_free(there))} free")


def _another_account(there: Path) -> bool:
    return there.name == "postgres" and there.stat().st_uid != os.geteuid()


def _free(there: Path) -> int:
    status = os.statvfs(there)
    return status.f_bavail * status.f_frsize


def _room(folder: Path, there: Path, need: int) -> Finding | None:
    status = os.statvfs(there)
    free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    if free >= need and free >= min(total * _LEAST_SHARE, _ENOUGH):
        return None
    return wrong(
        f"the disk of {folder} is nearly full: {_size(free)} of {_size(total)} free",
        f"Free some space, or move var_dir to a larger disk: at least {_size(need)} should be free.",
    )


def _files(folder: Path, there: Path) -> Finding | None:
    status = os.statvfs(there)
    if not status.f_files or status.f_favail >= min(_LEAST_FILES, status.f_files // 10):
        return None
    return wrong(
        f"the disk of {folder} can take only {status.f_favail} more files (inodes)",
        "Remove files that nobody needs, or move var_dir to another disk.",
    )


def _mode(folder: Path, there: Path) -> Finding | None:
    """Who may write in var_dir may put other keys and run files there."""
    mode = there.stat().st_mode
    if folder != there or not mode & stat.S_IWOTH or mode & stat.S_ISVTX:
        return None
    return wrong(f"{folder} can be written by every user (mode {stat.S_IMODE(mode):04o})", f"`chmod 755 {folder}`.")


def _writable(there: Path) -> Finding | None:
    try:
        with tempfile.TemporaryFile(dir=there, prefix=".doctor-") as probe:
            probe.write(b"\0" * _PROBE)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as trouble:
        return wrong(
            f"{there} cannot be written: {trouble.strerror}",
            f"Let user {os.geteuid()} write there (a full disk, a read-only mount, a quota), or move var_dir.",
        )
    return None


def _size(octets: int) -> str:
    return f"{octets / (1024 * _MB):.1f} GB" if octets >= 1024 * _MB else f"{octets / _MB:.0f} MB"
