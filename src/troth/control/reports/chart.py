"""Reports of others: four weeks of them as numbers for SVG attributes: all, what passed, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from troth.control.reports.reading import Day

WIDTH, HEIGHT = 480, 200
_STEPS = 4
_LABELS = 3  # between the first and the last day, evenly: the axis is as wide as the plot


@dataclass(frozen=True, slots=True)
class Volume:
    """Paths in a box of WIDTH by HEIGHT. `passed`: an area; the others are lines."""

    passed: str
    failed: str
    all: str
    marks: list[int]
    grid: list[float]
    days: list[date]
    rows: list[Day]


def volume(found: Sequence[Day]) -> Volume | None:
    """None where nothing was told."""
    most = max((each.messages for each in found), default=0)
    if not most:
        return None
    top = _nice(most)
    upper, lower = _points([d.messages for d in found], top), _points([d.passed for d in found], top)
    return Volume(
        passed=f"M0 {HEIGHT} L{_joined(lower)} L{WIDTH} {HEIGHT}Z",
        failed=f"M{_joined(_points([d.failed for d in found], top))}",
        all=f"M{_joined(upper)}",
        marks=[top * n // _STEPS for n in range(_STEPS, -1, -1)],
        grid=[HEIGHT * n / _STEPS for n in range(_STEPS)],
        days=[found[n * (len(found) - 1) // _LABELS].day for n in range(_LABELS + 1)],
        rows=[each for each in reversed(found) if each.messages],
    )


def _nice(most: int) -> int:
    """A round number not below it that four steps divide."""
    size = 4
    while True:
        for factor in (1, 2, 5):
            if size * factor >= most:
                return size * factor
        size *= 10


def _points(values: Sequence[int], top: int) -> list[tuple[float, float]]:
    return [(n * WIDTH / (len(values) - 1), HEIGHT - HEIGHT * value / top) for n, value in enumerate(values)]


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in points)
