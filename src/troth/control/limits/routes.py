"""Around the river: the routes that mail leaves by, and how far each warm-up is, for the pages; the mark counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from troth.control.audit.asking import row, rows
from troth.rules import warm_up

_BEFORE, _AFTER = 3, 10  # days that are shown round today
_ROUTES = """
SELECT g.code, g.subject, g.retired, r.snapshot_id IS NOT NULL, s.artefact::jsonb ->> 'starts',
       ARRAY(SELECT x::int FROM jsonb_array_elements_text(s.artefact::jsonb -> 'caps') AS x), s.version, s.change_id
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id
WHERE g.kind = 'route' AND g.tenant_id IS NULL ORDER BY g.code LIMIT 20
"""
_DAYS = "SELECT day, used, held FROM troth.route_day WHERE route = %s AND day >= %s AND day <= %s"
_TODAY = "SELECT (troth.now_v1() AT TIME ZONE 'UTC')::date"
_PROPOSED = """
SELECT c.id FROM troth.change c WHERE c.kind = 'route' AND c.code = %s AND c.tenant_id IS NULL AND c.state = 1
  AND c.expires_at > troth.now_v1() ORDER BY c.proposed_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Day:
    """`n`: of the schedule, 1 the first. `used` None: it has not come. `held`: put off to the next day."""

    n: int
    day: date
    cap: int
    used: int | None
    held: int

    @property
    def left(self) -> int:
        return max(0, self.cap - (self.used or 0))


@dataclass(frozen=True, slots=True)
class Route:
    """`cap` None: as many as it likes. `state`: 'none', 'before', 'warming', 'over', 'ended' or 'stopped'. `change`
    made its schedule; `proposed`: one that waits for its second person. `used`, `held`: of today.
    """

    code: str
    state: str
    cap: int | None
    today: date
    days: tuple[Day, ...] = ()
    version: int = 0
    change: UUID | None = None
    subject: UUID | None = None
    proposed: UUID | None = None
    used: int = 0
    held: int = 0

    @property
    def now(self) -> Day | None:
        return next((each for each in self.days if each.day == self.today), None)

    @property
    def near(self) -> list[Day]:
        """The days round today; of a schedule that lies elsewhere its first or its last."""
        whole = range(len(self.days))
        at = next((n for n in whole if self.days[n].day >= self.today), len(self.days) - 1)
        at = max(at, 0)
        return list(self.days[max(0, at - _BEFORE) : at + _AFTER + 1])

    @property
    def whole(self) -> bool:
        return len(self.near) == len(self.days)

    @property
    def caps(self) -> list[int]:
        return [each.cap for each in self.days]


def today() -> date:
    found = row(_TODAY)
    assert found is not None
    day: date = found[0]
    return day


def routes(*, every: bool = False) -> list[Route]:
    """Those that have, or had, a schedule; `every`: those that never had one, too."""
    now = today()
    found = [_route(now, *each) for each in rows(_ROUTES)]
    known = {each.code for each in found}
    return found + [_without(now, code) for code in warm_up.ROUTES if every and code not in known]


def route(code: str) -> Route | None:
    return next((each for each in routes(every=True) if each.code == code and code in warm_up.ROUTES), None)


def _without(now: date, code: str) -> Route:
    return Route(code, "none", None, now, proposed=_proposed(code))


def _proposed(code: str) -> UUID | None:
    found = row(_PROPOSED, code)
    return found[0] if found else None


def _route(now: date, code: str, subject: UUID, *found: Any) -> Route:
    retired, stopped, starts, caps, version, change = found
    first = date.fromisoformat(starts)
    last = first + timedelta(days=len(caps) - 1)
    counted = {day: (used, held) for day, used, held in rows(_DAYS, code, min(first, now), max(last, now))}
    state = "before" if now < first else "warming" if now <= last else "over"
    state = "stopped" if stopped else "ended" if retired else state
    cap = 0 if stopped else None if retired else warm_up.cap(first, caps, now)
    used, held = counted.get(now, (0, 0))
    days = tuple(_days(first, caps, counted, now))
    return Route(code, state, cap, now, days, version, change, subject, _proposed(code), used, held)


def _days(first: date, caps: Sequence[int], counted: Mapping[date, tuple[int, int]], now: date) -> Iterable[Day]:
    for n, cap in enumerate(caps):
        day = first + timedelta(days=n)
        used, held = counted.get(day, (0, 0))
        yield Day(n + 1, day, cap, None if day > now else used, held)
