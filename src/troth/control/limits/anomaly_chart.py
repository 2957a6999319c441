"""Around the river: a client's trailing 24 hours as numbers for SVG attributes: the curve, the band and the moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.rules.anomaly import WINDOWS, ceiling_of

WIDTH, HEIGHT = 480, 200
HOURS = 48  # that are drawn
_DAY, _STEPS = 24, 4
_HOUR = timedelta(hours=1)
NEEDED = HOURS + _DAY * (WINDOWS + 1)  # hours of history that a chart is made of


@dataclass(frozen=True, slots=True)
class Row:
    """One hour's end: the 24 hours to it, their mean before, and what would be unusual; the same as the table has."""

    at: datetime
    recent: int
    mean: float
    limit: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Paths in a box of WIDTH by HEIGHT. `moments`: vertical lines; `dot`: where the curve met the limit."""

    line: str
    mean: str
    band: str
    limit: str
    marks: list[int]
    grid: list[float]
    times: list[datetime]
    rows: list[Row]
    moments: list[str]
    dot: str


def curve(ends: datetime, hours: Sequence[int], percent: int, floor: int, moments: Sequence[datetime] = ()) -> Curve:
    """Of 240 hourly counts, oldest first, the last ending at `ends`. percent, floor: the policy's that apply."""
    padded = [0] * (NEEDED - len(hours)) + list(hours)[-NEEDED:]
    rows = [_row(ends - n * _HOUR, padded[: len(padded) - n], percent, floor) for n in range(HOURS, -1, -1)]
    top = _nice(max(*(row.recent for row in rows), *(row.limit for row in rows), 1))
    line, mean = _points([r.recent for r in rows], top), _points([r.mean for r in rows], top)
    limit = _points([r.limit for r in rows], top)
    places = [_place(ends, moment) for moment in moments if ends - HOURS * _HOUR <= moment <= ends]
    return Curve(
        line=f"M{_joined(line)}",
        mean=f"M{_joined(mean)}",
        band=f"M{_joined(limit)} L{_joined(mean[::-1])}Z",
        limit=f"M{_joined(limit)}",
        marks=[top * n // _STEPS for n in range(_STEPS, -1, -1)],
        grid=[HEIGHT * n / _STEPS for n in range(_STEPS)],
        times=[row.at for row in rows[:: HOURS // 4]],
        rows=rows,
        moments=[f"M{round(x, 1):g} 0V{HEIGHT}" for x in places],
        dot="".join(f"M{round(x, 1):g} {round(_height(line, x), 1):g}h.01" for x in places),
    )


def _row(at: datetime, hours: Sequence[int], percent: int, floor: int) -> Row:
    """Of the hours up to `at`; those before the beginning count as none."""
    full = [0] * max(0, _DAY * (WINDOWS + 1) - len(hours)) + list(hours)
    before = full[-_DAY * (WINDOWS + 1) : -_DAY]
    return Row(at, sum(full[-_DAY:]), sum(before) / WINDOWS, ceiling_of([sum(before)], percent, floor))


def _place(ends: datetime, moment: datetime) -> float:
    return WIDTH * (1 - (ends - moment) / (HOURS * _HOUR))


def _height(line: Sequence[tuple[float, float]], x: float) -> float:
    """Where the curve is at x, between the two hours beside it."""
    step = WIDTH / HOURS
    left = min(int(x / step), HOURS - 1)
    share = x / step - left
    return line[left][1] * (1 - share) + line[left + 1][1] * share


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
    return [(n * WIDTH / (len(values) - 1), HEIGHT - HEIGHT * value / top) for n, value in enumerate(values)]


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in points)
