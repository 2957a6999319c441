"""The first page's numbers: what the database counted, for the client looked at or for all.

Shares are of what the next hop answered for good: taken or refused; complaints, of what it took.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.control.audit.asking import rows
from troth.keys.ids import time_of
from troth.rules.states import Kind, State

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_WEEK = 7
MONTH = 30
MOST_CLIENTS = 20
MOST_SPOOL = 10_000  # rows that are counted one by one; more is said as "more than"


@dataclass(frozen=True, slots=True)
class Hours:
    """Events by hour and kind, from `first` (a whole hour) on."""

    counts: dict[tuple[datetime, int], int]

    def by_day(self, first: datetime, days: int) -> dict[int, list[int]]:
        """For each kind what happened on each day from `first` on, in one pass."""
        found: dict[int, list[int]] = {kind: [0] * days for kind in Kind}
        for (hour, kind), n in self.counts.items():
            day = (hour - first) // DAY
            if 0 <= day < days and kind in found:
                found[kind][day] += n
        return found

    def at(self, kind: Kind, hour: datetime) -> int:
        return self.counts.get((hour, kind), 0)


@dataclass(frozen=True, slots=True)
class Client:
    """A line of the clients' table, 24 hours of it. `of_average`: of the mean of the seven days before."""

    id: UUID
    name: str
    programme: str
    paused: bool
    accepted: int
    of_average: float | None
    bounced: float | None
    complained: int


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait in one state, and since when the oldest does."""

    word: str
    n: int
    age: timedelta | None


def now() -> datetime:
    """The database's clock."""
    at: datetime = rows("SELECT troth.now_v1()")[0][0]
    return at


def whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def hours(since: datetime) -> Hours:
    return Hours({(hour, kind): n for hour, kind, n in rows("SELECT * FROM troth.house_hours_v1(%s)", since)})


def clients(until: datetime) -> list[Client]:
    """Of the 24 hours to now, those with most first."""
    day = until - DAY
    query = "SELECT * FROM troth.house_clients_v1(%s, %s, %s)"
    return [
        Client(tenant, name, programme, paused, accepted, ratio(accepted, week / _WEEK), ratio(gone, taken + gone), bad)
        for tenant, name, programme, paused, accepted, week, taken, gone, bad in rows(
            query, day, day - _WEEK * DAY, MOST_CLIENTS
        )
    ]


def queues(at: datetime) -> list[Queue]:
    """Every state that the spool has, in the order of the way through it."""
    counted = rows("SELECT * FROM troth.house_spool_v1(%s)", MOST_SPOOL)
    found = {state: (n, time_of(oldest)) for state, n, oldest in counted}
    return list(_queues(found, at))


def _queues(found: dict[int, tuple[int, datetime]], at: datetime) -> Iterator[Queue]:
    for state in (State.QUEUED, State.CLAIMED, State.SENDING, State.DEFERRED, State.HELD):
        n, oldest = found.get(state, (0, at))
        yield Queue(state.name.lower(), n, max(at - oldest, timedelta(0)) if n else None)


def ratio(part: float, whole: float) -> float | None:
    """None where there is nothing to compare with."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Stat:
    """One number with 30 days behind it. `days`: None where nothing happened; `of`: how many it speaks of."""

    name: str
    value: float | None
    days: list[float | None]
    of: int


def stats(month: Hours, until: datetime) -> list[Stat]:
    days = month.by_day(until - MONTH * DAY, MONTH)
    return [
        _stat("Taken by the next hop", days, Kind.SENT, (Kind.SENT, Kind.BOUNCED, Kind.FAILED)),
        _stat("Bounced", days, Kind.BOUNCED, (Kind.SENT, Kind.BOUNCED)),
        _stat("Complained", days, Kind.COMPLAINED, (Kind.SENT,)),
        _stat("Suppressed before sending", days, Kind.SUPPRESSED, (Kind.ACCEPTED,)),
    ]


def _stat(name: str, days: dict[int, list[int]], part: Kind, whole: tuple[Kind, ...]) -> Stat:
    parts, wholes = days[part], [sum(each) for each in zip(*(days[kind] for kind in whole), strict=True)]
    shares = [ratio(p, w) for p, w in zip(parts, wholes, strict=True)]
    return Stat(name, ratio(sum(parts), sum(wholes)), shares, sum(wholes))
