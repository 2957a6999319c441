"""Beside the bench's river: what processes cost: their CPU time, with that of those that ended, and their memory.

Read from /proc, so that an ordinary user can; where there is none (macOS), nothing is known.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


def known() -> bool:
    return (PROC / "self" / "stat").exists()


def _stat(pid: int) -> list[str]:
    """The fields of stat(5) after the program's name: state, parent, ..."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(roots: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir() if known() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, left = [], list(roots)
    while left:
        pid = left.pop()
        found.append(pid)
        left.extend(parents.get(pid, ()))
    return found


def cpu(roots: Iterable[int]) -> float:
    """Seconds of both kinds, of the living and (through those who waited for them) of the ended."""
    total = 0.0
    for pid in family(roots):
        with contextlib.suppress(OSError, IndexError):
            total += sum(map(int, _stat(pid)[11:15])) / _TICK
    return total


def own_cpu(pid: int) -> float:
    """Seconds of one process alone."""
    return sum(map(int, _stat(pid)[11:13])) / _TICK


def threads(pid: int) -> Iterator[tuple[int, float]]:
    """Each thread of a process with its seconds; the main one's number is the process's.

    From schedstat (nanoseconds) where the kernel keeps it: a short run is less than one of stat's ticks.
    """
    for task in (PROC / str(pid) / "task").iterdir():
        try:
            seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            seconds = sum(map(int, (task / "stat").read_text().rpartition(")")[2].split()[11:13])) / _TICK
        yield int(task.name), seconds


def pss_mb(roots: Iterable[int]) -> float:
    """Proportional set size: what is shared counts once."""
    total = 0
    for pid in family(roots):
        with contextlib.suppress(OSError, IndexError):
            text = (PROC / str(pid) / "smaps_rollup").read_text()
            total += int(text.split("\nPss:")[1].split()[0])
    return total / 1024
