"""The trust centre: sixty days of a promise, as the paths of an SVG, which the style sheet paints. Pure.

A day is a dash. One that holds is whole and in line, a broken one is longer and lower, what is not known is short, and
before the first look there is a dot: so each reads without its colour. Its tallies are trust/strokes.py's.
"""

from collections.abc import Sequence
from itertools import groupby

from troth.control.trust.found import State

DAYS = 60
_DAY = 3
_PAINTS = {State.HOLDS: ("kept", 8), State.FAILS: ("broken", 15)}

type Past = tuple[tuple[str, str], ...]  # paint, path


def past(days: Sequence[str | None]) -> Past:
    """A picture of 179 by 24, the oldest day first; nothing, where no day was looked at."""
    padded = [None] * (DAYS - len(days)) + list(days)[-DAYS:]
    paths, ends, at = dict[str, str](), dict[str, int](), 0
    for state, same in groupby(padded):
        paint, y = _PAINTS.get(State(state), ("none", 13)) if state else ("before", 13)
        n = len(list(same))
        step = f"m{at * _DAY - ends[paint]} 0" if paint in ends else f"M{at * _DAY} {y}"
        at += n
        ends[paint] = at * _DAY - 1
        paths[paint] = f"{paths.get(paint, '')}{step}h{n * _DAY - 1}"
    return tuple(paths.items()) if any(days) else ()
