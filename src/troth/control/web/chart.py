"""The first page's charts as numbers for SVG attributes; colours are the style sheet's, words are the page's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from troth.control.web.numbers import DAY, HOUR, Hours
from troth.rules.states import Kind

WIDTH, HEIGHT = 480, 200
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 32
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """The same as the table beside the chart has it: an hour, what was accepted, and the mean of the seven before."""

    hour: datetime
    accepted: int
    average: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Volume:
    """Paths in a box of WIDTH by HEIGHT. `marks`: what the y axis says, from the top; `grid`: where its lines are."""

    line: str
    average: str
    band: str
    marks: list[int]
    grid: list[float]
    hours: list[datetime | None]  # one a point; None: it has no label
    rows: list[Row]
    total: int
    dot: str


def volume(found: Hours, until: datetime) -> Volume:
    """Accepted an hour, the 24 to `until`, over the mean and the range of the same hours of the seven days before."""
    times = [until - (23 - n) * HOUR for n in range(24)]
    now = [found.at(Kind.ACCEPTED, hour) for hour in times]
    before = [[found.at(Kind.ACCEPTED, hour - day * DAY) for day in range(1, 8)] for hour in times]
    means = [sum(week) / 7 for week in before]
    top = _nice(max([*now, *(max(week) for week in before), 1]))
    upper = _points([max(week) for week in before], top)
    lower = _points([min(week) for week in before], top)
    rows = [Row(t, n, m, n / m if m else None) for t, n, m in zip(times, now, means, strict=True)]
    line = _points(now, top)
    return Volume(
        line=_path(line),
        average=_path(_points(means, top)),
        band=f"{_path(upper)} L{_joined(lower[::-1])}Z",
        marks=[top * n // _STEPS for n in range(_STEPS, -1, -1)],
        grid=[HEIGHT * n / _STEPS for n in range(_STEPS)],
        hours=[at if n % 6 == 0 or n == 23 else None for n, at in enumerate(times)],
        rows=rows,
        total=sum(now),
        dot=f"M{line[-1][0]:g} {line[-1][1]:g}h.01",
    )


def spark(days: Sequence[float | None]) -> str:
    """The path of a small line over its days; the days without anything are left out. Empty: nothing to draw."""
    known = [(n, value) for n, value in enumerate(days) if value is not None]
    if len(known) < 2:
        return ""
    low, top = min(value for _, value in known), max(value for _, value in known)
    step, height = _SPARK_WIDTH / (len(days) - 1), _SPARK_HEIGHT - 8
    return _path([(n * step, 4 + height * ((top - value) / (top - low) if top > low else 0.5)) for n, value in known])


def _nice(most: float) -> int:
    """A round number not below it that four steps divide."""
    size = 4
    while size < most:
        for factor in (1, 2, 5):
            if size * factor >= most:
                return size * factor
        size *= 10
    return size


def _points(values: Sequence[float], top: int) -> list[tuple[float, float]]:
    step = WIDTH / (len(values) - 1)
    return [(n * step, HEIGHT - HEIGHT * value / top) for n, value in enumerate(values)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return f"M{_joined(points)}"


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in points)
