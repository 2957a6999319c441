"""The house of duties, what is due: every duty that somebody promises, with what it counts from and when it is due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.rules import duties
from troth.rules.cases import calendar
from troth.rules.desks import Stack
from troth.rules.duties import Duty
from troth.rules.policy import Policy
from troth.rules.profile import load_profile


@dataclass(frozen=True, slots=True)
class Home:
    """Whose duties they are: a programme with its levels as JSON, or, `id` None, the whole installation."""

    id: UUID | None
    code: str
    name: str
    profile: str
    begun: datetime
    promise: str | None = None
    operator: str | None = None

    def policy(self) -> Policy:
        """What is in force; the profile's promise, where nothing is or its levels contradict each other."""
        found = Stack(self.profile, None, self.promise, self.operator, None).policy() if self.promise else None
        return found or load_profile(self.profile).policy


@dataclass(frozen=True, slots=True)
class Fact:
    """What a duty counts from; `since` None: there is nothing yet that it could be about. `until`: how long what was
    done is good for, where that is known. `account`: who did it; `ref`: the review or the evidence.
    """

    programme: UUID | None
    claim: str
    kind: str
    since: datetime | None
    done: datetime | None
    until: datetime | None
    account: UUID | None
    ref: UUID | None


@dataclass(frozen=True, slots=True)
class Due:
    """A duty as it stands. `home` None: the whole installation's. `due_at` None: it waits. `zone`: of the business day
    on which it falls due; `promised_at`: until when the promise is kept.
    """

    duty: Duty
    home: Home | None
    due_at: datetime | None
    promised_at: datetime | None
    done_at: datetime | None
    state: str
    days: int
    zone: str
    account: UUID | None = None
    ref: UUID | None = None

    @property
    def programme(self) -> str:
        return self.home.code if self.home else ""

    @property
    def key(self) -> str:
        """Which duty of whom."""
        return f"{self.programme or 'installation'}:{self.duty.code}"


def all_due(homes: Sequence[Home], facts: Iterable[Fact], now: datetime) -> list[Due]:
    """Everything that is promised, what is due first at the beginning and what waits at the end."""
    known = {(fact.programme, fact.claim, fact.kind): fact for fact in facts}
    found = [*_of_programmes(homes, known, now), *_of_house(homes, known, now)]
    return sorted(found, key=lambda each: (each.due_at is None, each.due_at or now, each.key))


type _Known = Mapping[tuple[UUID | None, str, str], Fact]


def _of_programmes(homes: Iterable[Home], known: _Known, now: datetime) -> Iterator[Due]:
    for home in homes:
        for duty in duties.of_profile(home.profile):
            if not duty.house:
                yield _due(duty, home, home.begun, [home.policy()], known, now)


def _of_house(homes: Sequence[Home], known: _Known, now: datetime) -> Iterator[Due]:
    """Once, by the strictest of all programmes, if one of them promises it."""
    begun = next((home.begun for home in homes if home.id is None), None)
    policies = [home.policy() for home in homes if home.id is not None]
    profiles = {home.profile for home in homes}
    for duty in duties.DUTIES:
        if duty.house and begun is not None and profiles & set(duty.profiles):
            yield _due(duty, None, begun, policies, known, now)


def _due(
    duty: Duty, home: Home | None, begun: datetime, policies: Sequence[Policy], known: _Known, now: datetime
) -> Due:
    fact = known.get((home.id if home else None, duty.claim, duty.evidence_kind or ""))
    days, where = duties.every_days(duty, policies), calendar(policies[0])
    since = fact.since if fact else begun if duty.evidence_kind else None
    if since is None:
        return Due(duty, home, None, None, None, "waits", days, where.zone)
    last = _until(fact, since, timedelta(days=days), whole=duty.evidence_kind is not None)
    at = min(duties.due_at(last, since, calendar(policy)) for policy in policies)
    done, account, ref = (fact.done, fact.account, fact.ref) if fact else (None, None, None)
    return Due(duty, home, at, last, done, duties.state(at, now, days), days, where.zone, account, ref)


def _until(fact: Fact | None, since: datetime, every: timedelta, *, whole: bool) -> datetime:
    """Evidence counts in whole days, its last one included; a review from moment to moment."""
    last = duties.ends((since + every).date()) if whole else since + every
    return min(last, fact.until) if fact and fact.until else last
