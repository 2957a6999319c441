"""Complaints, their trend for people: how many of what was sent, by week, client, template and provider, as numbers and
as paths for an SVG. A message counts once, whoever told of it; what was sent is counted before it is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from troth.control.audit.asking import row, rows

CLAIMED, TARGET = 0.0003, 0.0005  # EML-10, as complaint_bounds() has them
SAMPLE = 1_000  # messages before a share says anything
MONTH = 30  # days that EML-10 is measured over
PERIODS, WEEKS = (4, 12, 26), 12  # weeks; the usual one
MOST, CHOICES = 50, 200
WIDTH, HEIGHT = 480, 200
_STEPS = 4
_NOW = "SELECT troth.now_v1(), troth.template_hours_read_v1()"
_WEEKS = "SELECT * FROM troth.complaint_weeks_v1(%s, %s, %s, %s, %s)"
_BY = "SELECT * FROM troth.complaint_by_v1(%s, %s, %s, %s, %s, %s, %s)"
_CHOICES = "SELECT * FROM troth.complaint_choices_v1(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown: the weeks up to now, of one client, template or source, or of all."""

    weeks: int = WEEKS
    client: UUID | None = None
    template: UUID | None = None
    source: str | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.client or self.template or self.source)


@dataclass(frozen=True, slots=True)
class Counted:
    sent: int
    complained: int

    @property
    def share(self) -> float | None:
        return self.complained / self.sent if self.sent else None

    @property
    def enough(self) -> bool:
        return self.sent >= SAMPLE

    @property
    def state(self) -> str:
        """The look's word: within the claim, above it, above the target; "" where too little was sent to say."""
        if self.share is None or not self.enough:
            return ""
        return "holds" if self.share < CLAIMED else "stale" if self.share < TARGET else "fails"


@dataclass(frozen=True, slots=True)
class Week(Counted):
    day: date


@dataclass(frozen=True, slots=True)
class Line(Counted):
    """Of a client, template or source. `case`: the newest complaint's; `flagged`: the template waits for a review."""

    id: str | None
    name: str
    client: str | None
    last_at: datetime | None
    case: UUID | None
    reference: str | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    name: str
    client: str | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths in a box of WIDTH by HEIGHT; heights of the claim and the target in it; marks are shares."""

    line: str
    claimed: float
    target: float
    grid: list[float]
    marks: list[float]
    days: list[date]


def now() -> tuple[datetime, datetime | None]:
    """The database's clock, and when templates' messages were counted last."""
    found = row(_NOW)
    assert found is not None
    return found[0], found[1]


def begins(at: datetime, weeks: int) -> datetime:
    """The Monday (UTC) that so many weeks begin with, this one among them."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday(), weeks=weeks - 1)


def weeks(at: datetime, asked: Asked) -> list[Week]:
    """Each week, the oldest first."""
    first = begins(at, asked.weeks)
    found = {
        day: (sent, told)
        for day, sent, told in rows(_WEEKS, first, at + timedelta(hours=1), asked.client, asked.template, asked.source)
    }
    days = [(first + timedelta(weeks=n)).date() for n in range(asked.weeks)]
    return [Week(*found.get(day, (0, 0)), day=day) for day in days]


def month(at: datetime, asked: Asked) -> Counted:
    """The days that EML-10 is measured over."""
    since = at.replace(minute=0, second=0, microsecond=0) - timedelta(days=MONTH)
    found = rows(_WEEKS, since, at + timedelta(hours=1), asked.client, asked.template, asked.source)
    return Counted(sum(sent for _, sent, _ in found), sum(told for _, _, told in found))


def by(what: str, at: datetime, asked: Asked) -> list[Line]:
    """what: client, template or source; the most complaints first, one more than MOST where there are more."""
    given = begins(at, asked.weeks), at + timedelta(hours=1), asked.client, asked.template, asked.source, MOST + 1
    return [
        Line(sent, told, id_, name, client, last, case, reference, flagged)
        for id_, name, client, sent, told, last, case, reference, flagged in rows(_BY, what, *given)
    ]


def choices(at: datetime, asked: Asked) -> dict[str, list[Choice]]:
    found: dict[str, list[Choice]] = {"client": [], "template": [], "source": []}
    for what, id_, name, client in rows(_CHOICES, begins(at, max(PERIODS)), asked.client, CHOICES):
        found[what].append(Choice(id_, name, client))
    return found


def chart(found: Sequence[Week]) -> Chart | None:
    """None where nothing was sent."""
    shares = [each.share for each in found]
    known = [share for share in shares if share is not None]
    if not known:
        return None
    first, last = found[0].day, found[-1].day
    top = _nice(max(*known, TARGET * 1.25, 0.0))
    return Chart(
        line=_line(shares, top),
        claimed=_y(CLAIMED, top),
        target=_y(TARGET, top),
        grid=[HEIGHT * n / _STEPS for n in range(_STEPS)],
        marks=[top * n / _STEPS for n in range(_STEPS, -1, -1)],
        days=[first + n * (last - first) / _STEPS for n in range(_STEPS + 1)],
    )


def _nice(most: float) -> float:
    """A share with few digits not below it, that four steps divide."""
    size = 0.0001
    while True:
        for factor in (1, 2, 4, 8):
            if size * factor >= most:
                return size * factor
        size *= 10


def _y(share: float, top: float) -> float:
    return round(HEIGHT - HEIGHT * min(share / top, 1), 1)


def _line(shares: Sequence[float | None], top: float) -> str:
    """A gap where nothing was sent; a week between two gaps is a dash."""
    made, step, drawn = "", WIDTH / max(len(shares) - 1, 1), False
    for n, share in enumerate(shares):
        if share is None:
            drawn = False
            continue
        alone = not drawn and (n + 1 == len(shares) or shares[n + 1] is None)
        x = round(n * step, 1)
        made += f"{'L' if drawn else 'M'}{x:g} {_y(share, top):g}"
        made += f"H{min(x + 6, WIDTH):g}" if alone and x + 6 <= WIDTH else f"H{x - 6:g}" if alone else ""
        drawn = True
    return made
