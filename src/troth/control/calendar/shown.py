"""The calendar for people: lines by month with what is overdue first, narrowed by programme, owner and promise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from troth.control.access.reading import names
from troth.control.calendar import reading
from troth.control.people.actor import Actor, raw, scoped
from troth.control.people.permissions import allowed
from troth.control.trust import catalogue
from troth.rules.due import Due

OVERDUE, WAITS = "Overdue", "Waiting for something to look at"
FIELDS = ("programme", "owner", "claim")
_DAY = timedelta(days=1)
# of reviews that pages of their own do: the page, where a finished one is seen, who may
_REVIEWS = {
    "access-review": ("/reviews", "/reviews/{}", "review:decide"),
    "dmarc-review": ("/dmarc/review/{}", "/dmarc/reviews/{}", "dmarc:review"),
    "complaint-review": ("/complaints/review/{}", "/complaints/reviews/{}", "complaint:review"),
}
_LOOK = {"overdue": "fails", "soon": "pending", "later": "none", "waits": "none"}


@dataclass(frozen=True, slots=True)
class Line:
    """One duty on the page. `act` "": this person may not, or there is nothing to do yet; `proof`: what shows that it
    was done last; `there`: its due time where its business is.
    """

    due: Due
    who: str
    act: str
    href: str
    proof: str
    there: datetime | None
    left: str

    @property
    def look(self) -> str:
        return _LOOK[self.due.state]

    @property
    def day(self) -> str:
        return f"{self.there.day} {self.there:%b %Y, %H:%M}" if self.there else ""

    @property
    def month(self) -> str:
        if self.there is None:
            return WAITS
        return OVERDUE if self.due.state == "overdue" else f"{self.there:%B %Y}"


@dataclass(frozen=True, slots=True)
class Month:
    name: str
    lines: tuple[Line, ...]


def found(actor: Actor) -> tuple[list[Due], datetime]:
    """Everything that is promised, and the database's clock."""
    try:
        return reading.agenda(raw()), reading.clock(raw())
    finally:
        scoped(actor.scope)


def lines(actor: Actor, every: Iterable[Due], now: datetime) -> list[Line]:
    every = list(every)
    known = names([each.account for each in every if each.account])
    return [_line(actor, each, known.get(each.account, "") if each.account else "", now) for each in every]


def months(every: Iterable[Line]) -> list[Month]:
    """As they come: what is due first, first; what waits, last."""
    return [Month(name, tuple(group)) for name, group in groupby(every, key=lambda line: line.month)]


def narrowed(every: Iterable[Due], asked: Mapping[str, str]) -> list[Due]:
    """What nobody offers narrows to nothing. A programme has what the whole installation owes for it, too."""
    every = list(every)
    profile = next((each.home.profile for each in every if each.home and each.programme == asked["programme"]), "")
    return [
        each for each in every
        if (not asked["programme"] or each.programme == asked["programme"]
            or (each.home is None and profile in each.duty.profiles))
        and (not asked["owner"] or each.duty.owner == asked["owner"])
        and (not asked["claim"] or each.duty.claim == asked["claim"])
    ]  # fmt: skip


def choices(every: Sequence[Due]) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers: the value and its words."""
    homes = {each.programme: each.home.name for each in every if each.home}
    owners = sorted({each.duty.owner for each in every})
    ids = {each.duty.claim for each in every}
    return {
        "programme": sorted(homes.items(), key=lambda one: one[1]),
        "owner": [(role, role) for role in owners],
        "claim": [(each.id, each.id) for each in catalogue.claims() if each.id in ids],
    }


def countdown(at: datetime | None, now: datetime, zone: str) -> str:
    """In whole days of the zone where it falls due: today, tomorrow, in 12 days, 3 days late."""
    if at is None:
        return ""
    where = ZoneInfo(zone)
    days = (at.astimezone(where).date() - now.astimezone(where).date()).days
    if at <= now:
        return f"{-days} day{'s' if days < -1 else ''} late" if days else "late since today"
    return f"in {days} days" if days > 1 else "tomorrow" if days else "today"


def _line(actor: Actor, each: Due, who: str, now: datetime) -> Line:
    there = each.due_at.astimezone(ZoneInfo(each.zone)) if each.due_at else None
    href, proof, right = _REVIEWS.get(each.duty.code, (each.duty.record, "/evidence/{}", "evidence:submit"))
    home = each.home.id if each.home else None
    act = "" if there is None or not allowed(actor, right) else "Record it" if each.duty.evidence_kind else "Review it"
    return Line(
        each, who, act, href.format(home), proof.format(each.ref) if each.ref else "", there,
        countdown(each.due_at, now, each.zone),
    )  # fmt: skip
