"""Records, the log of access: sign-ins, failures, sessions with how long they were, and what people did, from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import rows
from troth.control.people import browsers, page_sessions
from troth.control.people.actor import Actor
from troth.control.people.factors import kinds
from troth.control.records import names
from troth.control.records.asked import Asked
from troth.control.records.logs import Log, Query

_WINDOW = """
SELECT id, at, kind, what, account_id, session_id, place, detail_ct FROM troth.access_log
WHERE {whose}{bounds} ORDER BY id DESC LIMIT %(window)s
"""
_SPANS = "SELECT id, opened_at, until, ended, why FROM troth.session_spans_v1(%s, %s, %s)"
KINDS = {
    "sign-in": "Signed in",
    "sign-in-failed": "Sign-in failed",
    "locked": "Locked out",
    "sign-out": "Signed out",
    "session-ended": "Session ended",
    "proof": "Proved again",
    "factor-added": "Sign-in method added",
    "factor-removed": "Sign-in method removed",
    "sign-on-refused": "Sign-on refused",
    "refused": "Page refused",
    "act": "Did something",
}
STATUSES = {"good": "What succeeded", "bad": "Failures and refusals"}
_BAD = ("sign-in-failed", "locked", "sign-on-refused", "refused")
_SHOWN = ("sign-in", "proof", "factor-added", "factor-removed")  # these say methods
_METHODS = {**kinds.WORDS, **{kind: kinds.WORDS[word] for kind, word in kinds.METHODS.items()}}
_LOOKS = {**dict.fromkeys(_BAD, "refused"), "sign-in": "holds", "act": "accepted", "proof": "holds"}
HEADER = ("id", "at", "kind", "what", "person", "account", "session", "session_seconds", "address", "browser")


@dataclass(frozen=True, slots=True)
class Entry:
    """`length`: of the session that a sign-in opened, so far; `over`: it has ended, and `why`."""

    id: UUID
    at: datetime
    kind: str
    what: str
    account: UUID | None
    person: str
    session: UUID | None
    length: timedelta | None
    over: bool
    why: str
    place: str
    address: str
    agent: str

    @property
    def words(self) -> str:
        return KINDS.get(self.kind, self.kind)

    @property
    def look(self) -> str:
        return _LOOKS.get(self.kind, "none")

    @property
    def did(self) -> str:
        """A page's name and the answer, in words; else what it says."""
        if self.kind in ("act", "refused"):
            page, _, answer = self.what.partition(" ")
            return page.replace("-", " ") + (f" (answered {answer})" if answer else "")
        return ", ".join(_METHODS.get(each, each) for each in self.what.split()) if self.kind in _SHOWN else self.what

    @property
    def browser(self) -> str:
        return browsers.in_words(self.agent) if self.agent else ""


def query(actor: Actor, asked: Asked, before: str) -> Query:
    bounds = " AND id < %(before)s" if before else ""
    bounds += " AND id >= troth.uuid7_floor(%(since)s)" if asked.since else ""
    bounds += " AND id < troth.uuid7_floor(%(until)s)" if asked.until else ""
    bounds += " AND account_id = %(person)s" if asked.person else ""
    bounds += " AND place = %(place)s" if asked.place else ""
    where = [words for wanted, words in (
        (asked.kind, "kind = %(kind)s"),
        (asked.status == "bad", "kind = ANY(%(bad)s)"),
        (asked.status == "good", "kind <> ALL(%(bad)s)"),
        (asked.q, "strpos(lower(what), %(q)s) > 0"),
    ) if wanted]  # fmt: skip
    values = {"tenant": actor.scope, "before": _place(before), "since": asked.since, "until": asked.until,
              "person": asked.person, "place": asked.place, "kind": asked.kind, "bad": list(_BAD),
              "q": asked.q}  # fmt: skip
    whose = "tenant_id IS NULL" if actor.scope is None else "tenant_id = %(tenant)s"
    window = _WINDOW.replace("{whose}", whose).replace("{bounds}", bounds)
    return Query(window, f"WHERE {' AND '.join(where)}" if where else "", values)


def _place(before: str) -> UUID | None:
    try:
        return UUID(before) if before else None
    except ValueError:
        raise Http404 from None


def entries(actor: Actor, got: list[tuple[Any, ...]]) -> list[Entry]:
    known = names.named(str(account) for *_, account, _, _, _ in got if account)
    opened = [session for _, _, kind, _, _, session, _, _ in got if kind == "sign-in" and session]
    spans = {one: rest for one, *rest in rows(_SPANS, actor.secret, actor.scope, opened)} if opened else {}
    return [_entry(each, known, spans) for each in got]


def _entry(each: tuple[Any, ...], known: dict[str, str], spans: dict[UUID, list[Any]]) -> Entry:
    one, at, kind, what, account, session, place, detail = each
    told = page_sessions.told(bytes(detail) if detail is not None else None)
    nothing: list[Any] = [None, None, False, ""]
    began, until, over, why = spans.get(session, nothing) if kind == "sign-in" else nothing
    return Entry(
        one,
        at,
        kind,
        what,
        account,
        known.get(str(account), "") if account else "",
        session,
        until - began if began and until else None,
        over,
        why or "",
        bytes(place).hex() if place is not None else "",
        told.get("address", ""),
        told.get("agent", ""),
    )


def exported(actor: Actor, found: Sequence[Entry]) -> list[dict[str, Any]]:
    del actor
    return [
        {
            "id": str(each.id),
            "at": each.at.isoformat(),
            "kind": each.kind,
            "what": each.what,
            "person": each.person,
            "account": str(each.account or ""),
            "session": str(each.session or ""),
            "session_seconds": round(each.length.total_seconds()) if each.length is not None else None,
            "address": each.address,
            "browser": each.agent,
        }
        for each in found
    ]


LOG: Log[Entry] = Log("access", "access-log:read", query, entries, exported, HEADER)
