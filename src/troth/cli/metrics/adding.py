"""Around the river: adds up what the processes of this machine wrote down. What a dead one had counted stays counted.

The sheet of a process that is gone is taken into `total.json` once, so that no counter ever goes back.
"""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from troth.outside import processes
from troth.outside.meters import Sheet, Timing

FRESH = 30.0  # seconds; a process that wrote nothing for longer does not work
_TOTAL = "total.json"


class Added(msgspec.Struct):
    """`alive`: processes by kind; `silent`: kinds that have a process, and none that wrote lately."""

    counters: dict[str, dict[str, float]] = {}
    gauges: dict[str, dict[str, float]] = {}
    timings: dict[str, dict[str, Timing]] = {}
    alive: dict[str, int] = {}
    silent: list[str] = []


def add_up(place: Path) -> Added:
    """All sheets of the folder, those of the dead included."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(place):
        total = _read(place / _TOTAL, Added) or Added()
        living: list[Sheet] = []
        for path in sorted(place.glob("*-*.json")):
            page = _read(path, Sheet)
            if page is None or _gone(page):
                if page is not None:
                    _count(total, page)
                    _keep(place, total)  # first: a death between the two counts twice rather than backwards
                path.unlink()
            else:
                living.append(page)
    return _with(total, living)


def _with(total: Added, living: list[Sheet]) -> Added:
    now = time.time()
    for page in living:
        _count(total, page)
        if now - page.at <= FRESH:
            for name, values in page.gauges.items():
                _sum(total.gauges.setdefault(name, {}), values)
    fresh = Counter(page.kind for page in living if now - page.at <= FRESH)
    total.alive = dict(fresh)
    total.silent = sorted({page.kind for page in living} - set(fresh))
    return total


def _gone(page: Sheet) -> bool:
    seen = processes.look(page.pid)
    return page.ended or seen is None or (bool(page.started) and seen.started != page.started)


def _count(total: Added, page: Sheet) -> None:
    for name, values in page.counters.items():
        _sum(total.counters.setdefault(name, {}), values)
    for name, series in page.timings.items():
        into = total.timings.setdefault(name, {})
        for labels, timing in series.items():
            there = into.get(labels)
            if there is None or len(there.counts) != len(timing.counts):  # another version's bounds
                into[labels] = timing
            else:
                there.counts = [a + b for a, b in zip(there.counts, timing.counts, strict=True)]
                there.total += timing.total


def _sum(into: dict[str, float], values: dict[str, float]) -> None:
    for labels, value in values.items():
        into[labels] = into.get(labels, 0.0) + value


def _keep(place: Path, total: Added) -> None:
    new = place / f"{_TOTAL}.new"
    new.write_bytes(msgspec.json.encode(total))
    new.replace(place / _TOTAL)


def _read[T](path: Path, kind: type[T]) -> T | None:
    """None for what is gone, or no sheet."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=kind)
    return None


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Two adders (an operator's `curl` beside Prometheus) do not take the same sheet twice."""
    descriptor = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
