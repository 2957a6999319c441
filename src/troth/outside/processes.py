"""The house's eyes on other processes: who runs under a number, since when; how to end it and never a stranger.

Linux is read from /proc; elsewhere (macOS) from `ps`. A zombie counts as gone. `started` together with the number names
a process for good: a number is used again, a number with its start is not.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Seen:
    """A live process. `command` is its words joined by spaces; `folder` its working directory, None when unknown."""

    pid: int
    uid: int
    started: str
    command: str
    folder: str | None


def look(pid: int) -> Seen | None:
    """The process with this number, or None when there is none or only a zombie."""
    if pid <= 0:
        return None
    return _look_proc(pid) if _has_proc() else next(_ps("-p", str(pid)), None)


def everyone() -> Iterator[Seen]:
    """Every live process that we may see."""
    if not _has_proc():
        yield from _ps("-ax")
        return
    for entry in _PROC.iterdir():
        seen = _look_proc(int(entry.name)) if entry.name.isdigit() else None
        if seen:
            yield seen


def carries(pid: int, name: str, value: str) -> bool:
    """Whether the process was started with this environment variable; False where that cannot be read."""
    try:
        return f"{name}={value}".encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def end(processes: Iterable[Seen], steps: Iterable[tuple[signal.Signals, float]]) -> list[Seen]:
    """Send each step's signal to those still there and wait up to its seconds; returns who outlived every step."""
    left = [seen for seen in processes if _same(seen)]
    for sign, seconds in steps:
        for seen in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(seen.pid, sign)
        left = _wait_gone(left, seconds)
        if not left:
            break
    return left


def _wait_gone(processes: list[Seen], seconds: float) -> list[Seen]:
    until = time.monotonic() + seconds
    while (processes := [seen for seen in processes if _same(seen)]) and time.monotonic() < until:
        time.sleep(0.05)
    return processes


def _same(seen: Seen) -> bool:
    now = look(seen.pid)
    return now is not None and now.started == seen.started


@cache
def _has_proc() -> bool:
    return (_PROC / "self" / "stat").exists()


@cache
def _boot() -> str:
    # Ticks count from the start of the machine, and two starts of a machine can look alike.
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _look_proc(pid: int) -> Seen | None:
    folder = _PROC / str(pid)
    try:
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        uid = folder.stat().st_uid
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    return Seen(pid, uid, f"{_boot()}:{fields[19]}", os.fsdecode(words).strip(), _folder(folder / "cwd"))


def _folder(link: Path) -> str | None:
    try:
        return os.readlink(link)  # noqa: PTH115 - a path that is gone reads "... (deleted)", which is no Path of ours
    except OSError:
        return None


def _ps(*which: str) -> Iterator[Seen]:
    """One row a process: number, user, state, start (five words), command."""
    command = ["ps", "-ww", "-o", "pid=,uid=,stat=,lstart=,command=", *which]
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    rows = subprocess.run(command, capture_output=True, env=env, check=False)  # noqa: S603 - our own words
    for row in os.fsdecode(rows.stdout).splitlines():
        pid, uid, state, *rest = row.split(None, 8)
        if not state.startswith("Z"):
            yield Seen(int(pid), int(uid), " ".join(rest[:5]), "".join(rest[5:]).strip(), None)
