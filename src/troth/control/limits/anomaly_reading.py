"""Around the river: what the watch counts and what it found, and the mail that is held for it, for the pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.limits import anomaly_chart
from troth.control.limits.anomaly_chart import Curve
from troth.keys import ids, places
from troth.rules.anomaly import WINDOWS, ceiling_of

PAGE = 50  # held messages, and anomalies, of a page
_CLIENTS = 20
_COUNTED = 200_000  # held messages that are counted
_WATCH = "SELECT * FROM troth.volume_watch_v1(%s)"
_ALL = "SELECT * FROM troth.anomalies_v1(coalesce(%s, 'infinity'::timestamptz), %s, %s, %s)"
_HELD = "SELECT * FROM troth.anomaly_held_v1(%s, %s, %s)"
_BEHIND = """
SELECT a.id, a.client, a.tenant, h.n FROM troth.anomalies_v1('infinity', false, NULL, %s) AS a(id, tenant, client),
    LATERAL (SELECT count(*) AS n FROM troth.anomaly_held_v1(a.id, %s, %s)) AS h
WHERE h.n > 0
"""
_NOW = "SELECT troth.now_v1(), (SELECT cell FROM troth.installation)"
ACTIONS = {
    "slow": ("Slowed", "Its hourly limits are lower; nothing is held."),
    "stop-new": ("New mail stopped", "What was accepted before goes on; new mail is held or refused."),
    "stop-delivery": (
        "Delivery stopped",
        "Nothing goes out, what was queued before included; new mail is held or refused.",
    ),
}
CAUSES = {"volume": "Unusual volume", "bounce": "Unusually many bounces", "complaint": "Unusually many complaints"}
_OUTCOMES = {None: "wait", 1: "released", 2: "refused", 3: "expired", 4: "withdrawn or suppressed"}


@dataclass(frozen=True, slots=True)
class Client:
    """One client under the watch. `limit`: the most that is usual; `share`: of it; None before the watch has looked."""

    id: UUID
    name: str
    recent: int
    mean: float
    limit: int | None
    share: float | None
    first_week: bool
    percent: int
    floor: int


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`released_at`, `looked_at` None: not yet. `release`: the open change that would end it."""

    id: UUID
    tenant: UUID
    client: str
    pause: UUID
    cause: str
    action: str
    at: datetime
    review_due: datetime
    n: int
    of_n: int
    threshold: int
    floor: int
    sentence: str
    released_at: datetime | None
    release_change: UUID | None
    looked_at: datetime | None
    release: UUID | None

    @property
    def title(self) -> str:
        return CAUSES[self.cause]

    @property
    def how(self) -> str:
        return ACTIONS[self.action][0]

    @property
    def does(self) -> str:
        return ACTIONS[self.action][1]

    def left(self, now: datetime) -> timedelta:
        """Until a person is to have looked; how late it is, once it is over."""
        return abs(self.review_due - now)

    def late(self, now: datetime) -> bool:
        return self.review_due <= now and self.looked_at is None and self.released_at is None


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits; `ref` is its id as the API has it."""

    id: UUID
    ref: str
    category: str
    template: str
    at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """Held mail of one category and template; `template` empty: content without one."""

    category_id: UUID
    category: str
    template_id: UUID | None
    template: str
    n: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """A person's look, and what they found."""

    at: datetime
    words: str
    who: str


def now() -> datetime:
    at: datetime = _row(_NOW)[0]
    return at


def clients() -> list[Client]:
    """The one looked at, or those nearest to what is unusual."""
    return [_client(*each) for each in rows(_WATCH, _CLIENTS)]


def _client(
    tenant: UUID, name: str, recent: int, previous: list[int], _: datetime, reviewed: int,
    reviewed_at: datetime | None, percent: int | None, floor: int | None, __: str | None,
) -> Client:  # fmt: skip
    lately = reviewed if reviewed_at and now() - reviewed_at < timedelta(days=1) else 0
    limit = ceiling_of(previous, percent, floor, lately) if percent is not None and floor is not None else None
    return Client(tenant, name, recent, sum(previous) / WINDOWS, limit, recent / limit if limit else None,
                  len(previous) < WINDOWS, percent or 0, floor or 0)  # fmt: skip


def anomalies(*, is_open: bool, before: datetime | None = None) -> list[Anomaly]:
    """The newest, and one more where there are more than a page. before: those that began earlier."""
    return [Anomaly(*each) for each in rows(_ALL, before, is_open, None, PAGE + 1)]


@dataclass(frozen=True, slots=True)
class Behind:
    """Mail that still waits for people although sending goes on again; `n` is counted to a thousand."""

    id: UUID
    client: str
    tenant: UUID
    n: int


def behind() -> list[Behind]:
    """Of the newest anomalies that are over."""
    return [Behind(*each) for each in rows(_BEHIND, PAGE, UUID(int=0), 1000)]


def access_anomaly(anomaly: UUID) -> Anomaly:
    """Raise Http404 for what is not there, or not where this person looks."""
    found = rows(_ALL, None, None, anomaly, 1)
    if not found:
        raise Http404
    return Anomaly(*found[0])


def watched_curve(client: Client, moments: list[datetime]) -> Curve:
    """Of the client that is looked at, to now."""
    ends, hours = _row("SELECT * FROM troth.volume_hours_v1()")
    return anomaly_chart.curve(ends, hours, client.percent, client.floor, moments)


def found_curve(anomaly: Anomaly) -> Curve | None:
    """Round the moment; None where it was no volume."""
    if anomaly.cause != "volume":
        return None
    ends, hours = _row("SELECT * FROM troth.anomaly_hours_v1(%s)", anomaly.id)
    return anomaly_chart.curve(ends, hours, anomaly.threshold, anomaly.floor, [anomaly.at])


def groups(anomaly: Anomaly) -> list[Group]:
    found = rows("SELECT * FROM troth.anomaly_groups_v1(%s, %s)", anomaly.id, _COUNTED)
    return [Group(c, code or "", t, named or "", n, ends) for c, code, t, named, n, ends in found]


def held(anomaly: Anomaly, after: UUID) -> list[Held]:
    """The next that wait, and one more where there are more than a page."""
    cell = _row(_NOW)[1]
    return [
        Held(one, ids.wire("msg", cell, one), category or "", template or "", at, ends)
        for one, category, template, at, ends in rows(_HELD, anomaly.id, after, PAGE + 1)
    ]


def outcomes(anomaly: Anomaly) -> dict[str, int]:
    """How many wait, were released, refused, expired or withdrawn; `more`: not all were counted."""
    found = dict(rows("SELECT * FROM troth.anomaly_outcomes_v1(%s, %s)", anomaly.id, _COUNTED))
    return {word: found.get(number, 0) for number, word in _OUTCOMES.items()}


def looks(anomaly: Anomaly) -> list[Looked]:
    operator = settings.TROTH_KEYS().operator
    return [
        Looked(at, words, operator.open(bytes(name_ct), places.account(account, "name")).decode())
        for at, words, account, name_ct in rows("SELECT * FROM troth.anomaly_looks_v1(%s)", anomaly.id)
    ]


def _row(query: str, *values: Any) -> tuple[Any, ...]:
    found = row(query, *values)
    assert found is not None
    return found
