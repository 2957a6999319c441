"""Four eyes, read for the queue: what waits for whom, and what was decided, by key pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from troth.control.approvals.names import opened, sealed_in
from troth.control.approvals.wording import KINDS, SHAPES, STATES, called, kind, titled
from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor

PAGE = 25
MOST_OPEN = 100  # that the page shows; more than these is said
_OPEN = "SELECT * FROM troth.changes_open_v1(%s, %s, %s, %s, %s, %s)"
_DECIDED = "SELECT * FROM troth.changes_decided_v1(%s, %s, %s, %s, %s::smallint, %s, %s, %s, %s)"
_AUTHORS = "SELECT id, name_ct FROM troth.change_authors_v1(%s, %s, %s)"
_PLACE = "SELECT tenant_id, tenant_name FROM troth.change_place_v1(%s, %s)"
_LAST = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
_BY_STATE = {name: n for n, name in STATES.items()}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address bar asks for; a field that cannot be read counts as empty."""

    kind: str = ""
    state: str = ""
    author: UUID | None = None
    client: UUID | None = None
    before: tuple[datetime, UUID] | None = None

    def query(self, **more: object) -> str:
        said = {"kind": self.kind, "state": self.state, "author": self.author, "client": self.client, **more}
        return urlencode({name: str(value) for name, value in said.items() if value})

    @property
    def anything(self) -> bool:
        return bool(self.kind or self.state or self.author or self.client)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open change. `wanted` and `given`: approvals; `client`: whose it is, None for the operator's own."""

    id: UUID
    title: str
    kind: str
    client: UUID | None
    client_name: str
    reason: str
    proposer: str
    proposed_at: datetime
    expires_at: datetime
    left: timedelta
    wanted: int
    given: int
    may: bool
    wrote: bool
    approved: bool
    asked: bool
    now: datetime

    @property
    def mine(self) -> bool:
        """It waits for this person."""
        return self.may and not self.wrote and not self.approved


@dataclass(frozen=True, slots=True)
class Decided:
    id: UUID
    title: str
    kind: str
    client: UUID | None
    client_name: str
    reason: str
    proposer: str
    state: str
    shape: str
    at: datetime
    decider: str


@dataclass(frozen=True, slots=True)
class Page:
    """`older`: the query of the next page; empty on the last."""

    found: list[Decided]
    older: str

    @property
    def older_href(self) -> str:
        return f"/changes?{self.older}" if self.older else ""


def read(given: Mapping[str, str]) -> Filter:
    return Filter(
        given.get("kind", "") if given.get("kind", "") in KINDS else "",
        given.get("state", "") if given.get("state", "") in _BY_STATE else "",
        _uuid(given.get("author", "")),
        _uuid(given.get("client", "")),
        _place(given.get("before", "")),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _place(text: str) -> tuple[datetime, UUID] | None:
    """microseconds-id"""
    at, _, one = text.partition("-")
    found = _uuid(one)
    if not (at.isascii() and at.isdigit() and len(at) <= 17) or found is None:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(at)), found


def _where(actor: Actor, asked: Filter) -> tuple[bytes, bool, UUID | None]:
    """The session, whether all clients' are meant, and the one client otherwise."""
    tenant = actor.scope or (asked.client if actor.staff else None)
    return actor.secret, tenant is None and actor.staff, tenant


def open_ones(actor: Actor, asked: Filter) -> list[Waiting]:
    """MOST_OPEN + 1 at most."""
    if asked.state not in ("", "proposed"):
        return []
    found = rows(_OPEN, *_where(actor, asked), asked.kind, asked.author, MOST_OPEN + 1)
    return [_waiting(each) for each in found]


def _waiting(each: tuple[Any, ...]) -> Waiting:
    (
        one,
        what,
        client,
        name,
        code,
        reason,
        by,
        name_ct,
        proposed,
        expires,
        wanted,
        given,
        *flags,
        version,
        now,
        subject,
        about,
    ) = each
    may, wrote, approved, asked = flags
    title, who = titled(what, code, version, _called(what, subject, about)), opened(by, name_ct)
    left = max(expires - now, timedelta(0))
    return Waiting(one, title, kind(what), client, name or "", reason, who, proposed, expires, left, wanted, given, may,
                   wrote, approved, asked, now)  # fmt: skip


def decided(actor: Actor, asked: Filter) -> Page:
    if asked.state == "proposed":
        return Page([], "")
    state = _BY_STATE.get(asked.state)
    at, one = asked.before or _LAST
    found = rows(_DECIDED, *_where(actor, asked), asked.kind, state, asked.author, at, one, PAGE + 1)
    shown = [_decided(each) for each in found[:PAGE]]
    last = shown[-1] if len(found) > PAGE else None
    key = f"{int(last.at.timestamp()) * 1_000_000 + last.at.microsecond}-{last.id}" if last else ""
    return Page(shown, asked.query(before=key) if key else "")


def _decided(each: tuple[Any, ...]) -> Decided:
    one, what, client, name, code, reason, by, name_ct, state, at, decider, decider_ct, version, subject, about = each
    title = titled(what, code, version - 1 if version else None, _called(what, subject, about))
    if version is None:
        title = title.removesuffix(", new")
    who, second = opened(by, name_ct), opened(decider, decider_ct) if decider else ""
    return Decided(one, title, kind(what), client, name or "", reason, who, STATES[state], SHAPES[state], at, second)


def _called(what: str, subject: UUID, about: list[str | None] | None) -> str:
    return called(what, about, lambda sealed: sealed_in(subject, sealed))


def authors(actor: Actor, asked: Filter) -> list[tuple[str, str]]:
    """(account, name) of everybody who has proposed something there."""
    found = [(str(one), opened(one, name_ct)) for one, name_ct in rows(_AUTHORS, *_where(actor, asked))]
    return sorted(found, key=lambda each: each[1])


def place(actor: Actor, change: UUID) -> tuple[UUID | None, str] | None:
    """Whose a change is, if this person may look at it there."""
    found = row(_PLACE, change, actor.secret)
    return (found[0], found[1] or "") if found else None
