"""Claims: a row of them, or the days of one, as strokes: the attributes of an SVG, which the style sheet paints. Pure.

Whole and in line: it holds. In two and out of line: it fails. Short: nobody knows. So each reads without its colour.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_STEP = 7


@dataclass(frozen=True, slots=True)
class Strokes:
    """A picture `width` wide and 52 high; `says`: how many of each."""

    width: int
    kept: str
    broken: str
    unknown: str
    says: str


def strokes(states: Iterable[str | None]) -> Strokes:
    """One a state; None: before its first look."""
    there = list(states)
    kept = "".join(f"M{_x(n)} 4V48" for n, each in enumerate(there) if each == "holds")
    broken = "".join(f"M{_x(n)} 0v20M{_x(n) + 3.5} 30v22" for n, each in enumerate(there) if each == "fails")
    unknown = "".join(f"M{_x(n)} 34V48" for n, each in enumerate(there) if each not in ("holds", "fails"))
    return Strokes(max(len(there) * _STEP + 1, 8), kept, broken, unknown, _says(there))


def _x(place: int) -> float:
    return place * _STEP + 1.5


def _says(states: list[str | None]) -> str:
    holds, fails = states.count("holds"), states.count("fails")
    return f"{holds} hold, {fails} fail, {len(states) - holds - fails} are not known"
