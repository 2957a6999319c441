"""The trust centre: its strokes, as the attributes of SVG: a tally of promises, and sixty days of one. Pure.

A stroke that holds is whole and in line; a broken one is in two and out of line; what is not known is a short mark. So
each reads without its colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from troth.control.trust.found import State

DAYS = 60
_STEP, _DAY = 7, 3


@dataclass(frozen=True, slots=True)
class Tally:
    """`width` of a picture that is 52 high; the paths of what holds, does not, and is not known."""

    width: int
    kept: str
    broken: str
    unknown: str


def tally(states: Iterable[State]) -> Tally:
    there = list(states)
    kept, broken, unknown = [], [], []
    for n, state in enumerate(there):
        x = n * _STEP + 1.5
        if state is State.HOLDS:
            kept.append(f"M{x} 4V48")
        elif state is State.FAILS:
            broken.append(f"M{x} 0v20M{x + 3.5} 30v22")
        else:
            unknown.append(f"M{x} 34V48")
    return Tally(max(len(there) * _STEP + 1, 8), "".join(kept), "".join(broken), "".join(unknown))


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring days in one state, from x1 to x2. `y`, `size`: of the dashes that they are drawn with."""

    paint: str
    x1: int
    x2: int
    y: int
    size: int


_SHAPES = {State.HOLDS: ("kept", 8, 12), State.FAILS: ("broken", 15, 16)}


def past(days: Sequence[str | None]) -> tuple[Run, ...]:
    """A picture of 179 by 24: one dash a day, the oldest first."""
    padded = [None] * (DAYS - len(days)) + list(days)[-DAYS:]
    runs, at = [], 0
    for state, same in groupby(padded):
        n = len(list(same))
        paint, y, size = _SHAPES.get(State(state), ("none", 13, 6)) if state else ("none", 13, 2)
        runs.append(Run(paint, at * _DAY, (at + n) * _DAY - 1, y, size))
        at += n
    return tuple(runs)
