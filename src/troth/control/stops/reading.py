"""Emergency stops: those in force, and what one more would touch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.keys import places

# effect, its name, and what it does
EFFECTS = (
    ("stop-delivery", "Stop delivery", "Nothing goes out. What was accepted waits; new mail is refused."),
    ("stop-new", "Refuse new mail", "New mail is refused. What was accepted goes on."),
)
_SLOW = ("slow", "Slowed", "Hourly limits are at the share that the policy says. Nothing is held.")  # the watch's alone
_MOST = 100  # stops of a page
_COUNTED = 200_000  # waiting messages that are counted
_STOPS = "SELECT * FROM troth.stops_v1(%s)"
_REACH = "SELECT n, whole FROM troth.stop_reach_v1(%s, %s)"
_NOW = "SELECT troth.now_v1()"
_CATEGORIES = """
SELECT g.subject, g.code, coalesce(s.artefact::jsonb ->> 'name', g.code)
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s AND NOT g.retired ORDER BY g.code LIMIT 500
"""
_WATCHES = {
    "anomaly": "the watch, by itself",
    "complaints": "a pattern of complaints, by itself",
    "command:restore": "the restoring of a backup",
    "ledger": "the sequencer, by itself",
    "clock": "a person, since the clock was once ahead",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One in force. `who`: a person's name, or what started it; `release`: the open change that would lift it."""

    id: UUID
    tenant: UUID | None
    client: str
    category: str
    effect: str
    reason: str
    started_at: datetime
    age: timedelta
    who: str
    release: UUID | None

    @property
    def how(self) -> str:
        return next(name for effect, name, _ in (*EFFECTS, _SLOW) if effect == self.effect)

    @property
    def does(self) -> str:
        return next(words for effect, _, words in (*EFFECTS, _SLOW) if effect == self.effect)

    @property
    def title(self) -> str:
        if self.tenant is None:
            return "Everything, of every client"
        return f"{self.client}: {self.category}" if self.category else f"{self.client}: all mail"


@dataclass(frozen=True, slots=True)
class Category:
    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How many messages wait that a stop would touch; `whole`: not one more."""

    n: int
    whole: bool


def stops() -> list[Stop]:
    """Of the client that is looked at, those of the whole house among them; of all clients, where none is."""
    at = now()
    return [_stop(at, *each) for each in rows(_STOPS, _MOST)]


def _stop(
    at: datetime, id_: UUID, tenant: UUID | None, client: str | None, category: str | None, effect: str, reason: str,
    started_at: datetime, started_by: str, account: UUID | None, name_ct: bytes | None, release: UUID | None,
) -> Stop:  # fmt: skip
    who = _WATCHES.get(started_by, started_by)
    if account is not None and name_ct is not None:
        who = settings.TROTH_KEYS().operator.open(bytes(name_ct), places.account(account, "name")).decode()
    return Stop(id_, tenant, client or "", category or "", effect, reason, started_at, at - started_at, who, release)


def access_stop(actor: Actor, stop: UUID) -> Stop:
    """Raise Http404 for what is not in force, or not where this person looks: a member's own, staff's choice."""
    found = next((each for each in stops() if each.id == stop), None)
    if found is None or found.tenant != actor.scope:
        raise Http404
    return found


def categories(actor: Actor) -> list[Category]:
    return [Category(*each) for each in rows(_CATEGORIES, actor.scope)] if actor.scope else []


def reach(category: UUID | None) -> Reach:
    found = row(_REACH, category, _COUNTED)
    assert found is not None
    return Reach(*found)


def now() -> datetime:
    found = row(_NOW)
    assert found is not None
    at: datetime = found[0]
    return at
