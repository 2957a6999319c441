"""The gate's counters: which fixed windows a message is counted in, and sharing out what a batch asks of them."""

import hashlib
from collections import Counter as Sum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from troth.rules.facts import Rate
from troth.rules.policy import Policy
from troth.rules.rates import limit_for
from troth.store.gate import Counter, CounterKey

TENANT_HOUR, TENANT_DAY, KEY_HOUR, TEMPLATE_HOUR, RECIPIENT_DAY = 1, 2, 3, 4, 5
ASKED_A_DAY = 4  # mails that ask one address's owner, of all clients together; a policy can say fewer
_NAMES = {
    TENANT_HOUR: ("tenant", "hour"),
    TENANT_DAY: ("tenant", "day"),
    KEY_HOUR: ("key", "hour"),
    TEMPLATE_HOUR: ("template", "hour"),
    RECIPIENT_DAY: ("recipient", "day"),
}


class Asked(Struct, frozen=True):
    """One counter with what one email wants of it, and when its window ends."""

    counter: Counter
    amount: int
    resets_at: datetime


def names(scope: int) -> tuple[str, str]:
    """The rules' words for a scope: (scope, window)."""
    return _NAMES[scope]


def hour_of(due: datetime) -> tuple[datetime, datetime]:
    """The UTC hour in which a message is due: start and end."""
    start = due.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return start, start + timedelta(hours=1)


@lru_cache(maxsize=4096)
def _midnight(year: int, month: int, day: int, zone: str) -> datetime:
    return datetime(year, month, day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_of(due: datetime, zone: str) -> tuple[datetime, datetime]:
    """The tenant's local day in which a message is due: start and end, in UTC; 23 or 25 hours at a clock change."""
    local = due.astimezone(ZoneInfo(zone))
    after = local.date() + timedelta(days=1)
    return (
        _midnight(local.year, local.month, local.day, zone),
        _midnight(after.year, after.month, after.day, zone),
    )


def recipient_subject(template: UUID, index: bytes) -> UUID:
    """The counter of one template to one recipient; nothing of the address can be read from it."""
    return UUID(bytes=hashlib.sha256(template.bytes + index).digest()[:16])


@dataclass(frozen=True, slots=True)
class Windows:
    """What a message is counted by: the tenant, its zone, the key (or the tenant again), the template, the due time."""

    tenant: UUID
    zone: str
    asker: UUID
    what: UUID
    due: datetime
    whole: UUID | None = None

    def at(self, due: datetime) -> "Windows":
        """The same for a message that goes at another time."""
        return self if due == self.due else replace(self, due=due)

    @property
    def all_of_it(self) -> UUID:
        """The subject of the tenant's own windows."""
        return self.whole or self.tenant


def apart(places: Windows) -> Windows:
    """The windows of a test key: under the same limits, and in counters that no real message is counted in."""
    what = UUID(bytes=hashlib.sha256(places.asker.bytes + places.what.bytes).digest()[:16])
    return replace(places, what=what, whole=places.asker)


def shared(places: Windows, policy: Policy, messages: int, *, slow: bool) -> Iterator[Asked]:
    """The counters that all messages of an email share."""
    hour, day = hour_of(places.due), day_of(places.due, places.zone)
    for scope, subject, window in (
        (KEY_HOUR, places.asker, hour),
        (TENANT_HOUR, places.all_of_it, hour),
        (TENANT_DAY, places.all_of_it, day),
        (TEMPLATE_HOUR, places.what, hour),
    ):
        cap = limit_for(policy, *names(scope), slow=slow)
        yield Asked(Counter(places.tenant, scope, subject, window[0], cap), messages, window[1])


def personal(places: Windows, policy: Policy, index: bytes) -> Asked:
    """The counter of one recipient and one template."""
    start, end = day_of(places.due, places.zone)
    cap = limit_for(policy, *names(RECIPIENT_DAY))
    return Asked(Counter(places.tenant, RECIPIENT_DAY, recipient_subject(places.what, index), start, cap), 1, end)


def day_in(asked: Iterable[Asked]) -> datetime:
    """When the day began that a message was counted in."""
    return next(a.counter.window_start for a in asked if a.counter.scope == TENANT_DAY)


def counted_in(places: Windows, index: bytes, day: datetime | None) -> set[tuple[int, UUID, datetime]]:
    """(scope, subject, start) of the windows that a message was counted in, at `places.due` and in the day that began
    at `day`, whatever the client's zone is by now; without one those of the day are not known.
    """
    hour = hour_of(places.due)[0]
    found = {(KEY_HOUR, places.asker, hour), (TENANT_HOUR, places.all_of_it, hour), (TEMPLATE_HOUR, places.what, hour)}
    if day is not None:
        found |= {(TENANT_DAY, places.all_of_it, day), (RECIPIENT_DAY, recipient_subject(places.what, index), day)}
    return found


def asked_for(house: UUID, policy: Policy, index: bytes, due: datetime) -> Asked:
    """The counter of one address and the mails that ask its owner, whichever client asks: a day of UTC."""
    subject = UUID(bytes=hashlib.sha256(b"asked for\0" + index).digest()[:16])
    start, end = day_of(due, "UTC")
    cap = min(limit_for(policy, *names(RECIPIENT_DAY)), ASKED_A_DAY)
    return Asked(Counter(house, RECIPIENT_DAY, subject, start, cap), 1, end)


@dataclass(slots=True)
class Shares:
    """What a batch has reserved. `used` is each counter before this batch; `taken` what its accepted emails took."""

    used: Mapping[CounterKey, int]
    reserved: Mapping[CounterKey, int]
    taken: Sum[CounterKey] = field(default_factory=Sum)

    def rate(self, asked: Asked) -> Rate:
        """The counter as the next email finds it."""
        key = asked.counter.key
        scope, window = names(asked.counter.scope)
        used = self.used[key] + self.taken[key]
        return Rate(scope, str(asked.counter.subject), window, asked.counter.cap, used, asked.amount, asked.resets_at)

    def take(self, asked: Iterable[Asked]) -> None:
        """An email was accepted: what it asked for is taken."""
        for one in asked:
            self.taken[one.counter.key] += one.amount

    def corrections(self, counters: Iterable[Counter]) -> list[tuple[Counter, int]]:
        """What must still be added to or given back by each counter, so that it holds what was taken."""
        wanted = ((c, self.taken[c.key] - self.reserved.get(c.key, 0)) for c in counters)
        return [(c, n) for c, n in wanted if n]
