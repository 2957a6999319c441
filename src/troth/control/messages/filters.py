"""Messages: what is looked for, as it stands in the address bar: who, email, category, state, from, to, sort; a place.

One search has one address: what is empty or unknown goes, the rest is in the same order. An address is never in it
in the clear (tenants/seeking.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import urlencode
from uuid import UUID

from troth.keys import ids

EMAIL, MESSAGE = "em", "msg"
STATES = ("accepted", "queued", "claimed", "sending", "sent", "delivered", "deferred", "held", "bounced", "failed",
          "suppressed", "cancelled", "expired")  # fmt: skip
HAPPENED = ("complained", "unsubscribed", "uncertain")  # events that are looked for, too; not states that last
NAMES = ("who", "email", "category", "state", "from", "to", "sort", "after", "before")
_OLDEST = "oldest"  # the only order that is said; without it the newest come first
_LONGEST = 1000
_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filters:
    """`given` as in the address; the rest as understood. `wrong`: field to sentence, and then nothing is looked up."""

    given: dict[str, str]
    email: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: UUID | None = None
    before: UUID | None = None
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        return any(name in self.given for name in NAMES[:-3])

    @property
    def oldest(self) -> bool:
        """Whether the oldest come first; `after` and `before` are meant in that order."""
        return self.given.get("sort") == _OLDEST

    @property
    def paged(self) -> bool:
        return self.after is not None or self.before is not None

    def query(self, **changes: str | None) -> str:
        """The address of the same search with `changes`; None takes a field away, and every change leaves the place."""
        kept = {name: value for name, value in self.given.items() if name not in ("after", "before")}
        found = {**kept, **{name: value for name, value in changes.items() if value}}
        return urlencode({name: found[name] for name in NAMES if name in found and changes.get(name, "") is not None})

    @property
    def canonical(self) -> str:
        return urlencode(self.given)


def read(query: Mapping[str, str], zone: tzinfo) -> Filters:
    """From the address bar; times without an offset are the person's own."""
    given = {name: value for name in NAMES if (value := query.get(name, "").strip()[:_LONGEST].replace("\0", ""))}
    if "after" in given:
        given.pop("before", None)
    if given.get("sort") != _OLDEST:
        given.pop("sort", None)
    wrong: dict[str, str] = {}
    after, before = (_place(given, name, wrong) for name in ("after", "before"))
    email = ids.unwire(EMAIL, given["email"]) if "email" in given else None
    if "email" in given and email is None:
        wrong["email"] = "An email’s id looks like em_a_0199… with 32 hexadecimal digits."
    if given.get("state", STATES[0]) not in (*STATES, *HAPPENED):
        wrong["state"] = "There is no such state."
    since, until = (_time(given, name, zone, wrong) for name in ("from", "to"))
    if since and until and since >= until:
        wrong["to"] = "The end lies before the start: give a later one, or leave it empty."
    return Filters(given, email, since, until, after, before, wrong)


def _place(given: dict[str, str], name: str, wrong: dict[str, str]) -> UUID | None:
    place = ids.unwire(MESSAGE, given[name]) if name in given else None
    if name in given and place is None:
        wrong[name] = "This place in the list cannot be read. Start again at the first page."
    return place


def _time(given: dict[str, str], name: str, zone: tzinfo, wrong: dict[str, str]) -> datetime | None:
    """A minute, or a day, whose end is meant as `to`."""
    if name not in given:
        return None
    try:
        there = datetime.fromisoformat(given[name])
        at = (there if there.tzinfo else there.replace(tzinfo=zone)).astimezone(UTC)
        day = timedelta(days=1 if name == "to" and len(given[name]) == len("2026-11-20") else 0)
        at += day
    except (ValueError, OverflowError):
        wrong[name] = "Give a day and a time such as 2026-11-20T09:30, or a day alone."
        return None
    if not _FIRST <= at <= _LAST:
        wrong[name] = "Give a day of this century."
        return None
    return at
