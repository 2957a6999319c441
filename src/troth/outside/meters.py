"""The house's meters, for a monitoring system outside: each process counts in plain numbers and writes them down every
few seconds; `troth serve metrics` adds the processes up. Counting costs under a microsecond and takes no lock.

    ACCEPTED = meters.counter("troth_gate_answers_total", "answer")
    ACCEPTED["taken"] += 1                      # a dict of label values (a tuple for several labels)
    TIME = meters.histogram("troth_smtp_seconds")
    TIME.observe(0.012)
    meters.watch(lambda: {"troth_relay_connections": {"open": 3}})   # asked when written down

Names and labels are listed in cli/metrics/catalogue.py. No label holds personal data or a client's name.
"""

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

type Labels = str | tuple[str, ...]
type Values = dict[str, float]  # by the label values, joined by SEPARATOR
type Watch = Callable[[], Mapping[str, Mapping[str, float]]]

SEPARATOR = "|"
# seconds; of a batch, requests
BOUNDS: dict[str, tuple[float, ...]] = {
    "troth_door_seconds": (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    "troth_gate_batch_seconds": (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    "troth_gate_batch_asks": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "troth_mark_seconds": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
    "troth_smtp_seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
}


class Timing(msgspec.Struct):
    """One histogram's series: observations at or under each bound (the last: all above), and their sum."""

    counts: list[int]
    total: float = 0.0


class Sheet(msgspec.Struct):
    """What one process writes down. `at`: its clock, seconds; `started`: which process had this number."""

    kind: str
    pid: int
    started: str
    at: float
    ended: bool
    counters: dict[str, Values]
    gauges: dict[str, Values]
    timings: dict[str, dict[str, Timing]]


@dataclass(slots=True)
class Histogram:
    bounds: tuple[float, ...]
    series: dict[Labels, Timing] = field(default_factory=dict)

    def observe(self, value: float, labels: Labels = "") -> None:
        found = self.series.get(labels)
        if found is None:
            found = self.series[labels] = Timing([0] * (len(self.bounds) + 1))
        found.counts[bisect_left(self.bounds, value)] += 1
        found.total += value


_counters: dict[str, defaultdict[Labels, float]] = {}
_histograms: dict[str, Histogram] = {}
_watches: list[Watch] = []


def counter(name: str) -> defaultdict[Labels, float]:
    """This process's counts by label values ("" without labels)."""
    return _counters.setdefault(name, defaultdict(float))


def histogram(name: str) -> Histogram:
    return _histograms.setdefault(name, Histogram(BOUNDS[name]))


def watch(ask: Watch) -> Callable[[], None]:
    """Ask for gauges, and totals that are kept elsewhere (names in `_total`), at each writing; returns its end."""
    _watches.append(ask)
    return lambda: _watches.remove(ask)


def sheet(kind: str, started: str, *, ended: bool = False) -> Sheet:
    """Everything as it stands."""
    counters = {name: {_joined(labels): n for labels, n in found.items()} for name, found in _counters.items()}
    gauges: dict[str, Values] = {}
    for ask in _watches:
        for name, values in ask().items():
            into = counters if name.endswith("_total") else gauges
            into.setdefault(name, {}).update(values)
    timings = {
        name: {_joined(labels): timing for labels, timing in found.series.items()}
        for name, found in _histograms.items()
    }
    return Sheet(kind, os.getpid(), started, time.time(), ended, counters, gauges, timings)


def write(folder: Path, page: Sheet) -> None:
    """In one step: a reader sees the old sheet or the new."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / f"{page.kind}-{page.pid}.json"
    new = place.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(page))
    new.replace(place)


def _joined(labels: Labels) -> str:
    return labels if isinstance(labels, str) else SEPARATOR.join(labels)
