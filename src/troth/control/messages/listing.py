"""Messages, found: one page of a search, in the order of their ids, which is that of time.

However many messages there are, a page looks at SCAN of them at most: by the narrowest index that the search has
(the address's, the email's, that of seldom events, the spool, else the client's own), and it says how far it looked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from troth.control.audit.asking import row, rows
from troth.control.messages.filters import Filters
from troth.keys.ids import time_of
from troth.rules.states import Kind, State

PAGE = 50
SCAN = 20_000  # candidates that one page looks at
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)

_SPOOLED = {"queued", "claimed", "sending"}  # states of the spool, which the message's cached state may not know
_SELDOM = {
    "deferred": Kind.DEFERRED, "held": Kind.HELD, "bounced": Kind.BOUNCED, "failed": Kind.FAILED,
    "suppressed": Kind.SUPPRESSED, "cancelled": Kind.CANCELLED, "expired": Kind.EXPIRED,
    "complained": Kind.COMPLAINED, "unsubscribed": Kind.UNSUBSCRIBED, "uncertain": Kind.UNCERTAIN,
}  # fmt: skip
_COLUMNS = "m.id, m.email_id, m.person_id, m.category_id, m.created_at, m.state, m.state_at"
# {way}: DESC or ASC. Each gives its candidates in that order, and stops after SCAN of them.
_DRIVERS = {
    "own": "SELECT {columns} FROM troth.message m WHERE m.tenant_id = %(tenant)s AND m.id > %(low)s"
           " AND m.id < %(high)s ORDER BY m.id {way} LIMIT %(scan)s",
    "email": "SELECT {columns} FROM troth.message m WHERE m.email_id = %(email)s AND m.tenant_id = %(tenant)s"
             " AND m.id > %(low)s AND m.id < %(high)s ORDER BY m.id {way} LIMIT %(scan)s",
    "who": "SELECT * FROM unnest(%(who)s::bytea[]) AS own(layer) CROSS JOIN LATERAL (SELECT {columns}"
           " FROM troth.message m WHERE m.tenant_id = %(tenant)s AND m.blind_index = own.layer AND m.id > %(low)s"
           " AND m.id < %(high)s ORDER BY m.id {way} LIMIT %(scan)s) AS m ORDER BY m.id {way} LIMIT %(scan)s",
    "seldom": "SELECT {columns} FROM (SELECT DISTINCT e.message_id FROM troth.event e"
              " WHERE e.tenant_id = %(tenant)s AND e.kind = %(kind)s AND e.kind IN (3, 5, 6, 7, 9, 11, 12, 13, 14, 15)"
              " AND e.message_id > %(low)s AND e.message_id < %(high)s ORDER BY e.message_id {way} LIMIT %(scan)s) AS e"
              " JOIN troth.message m ON m.id = e.message_id AND m.tenant_id = %(tenant)s ORDER BY m.id {way}",
    "spool": "SELECT {columns} FROM (SELECT q.message_id, q.state FROM troth.spool q WHERE q.tenant_id = %(tenant)s"
             " AND q.message_id > %(low)s AND q.message_id < %(high)s ORDER BY q.message_id {way} LIMIT %(scan)s) AS q"
             " JOIN troth.message m ON m.id = q.message_id AND m.tenant_id = %(tenant)s WHERE q.state = %(state)s"
             " ORDER BY m.id {way}",
}  # fmt: skip
_PAGE = """
SELECT m.id, m.email_id, m.person_id, m.category_id, m.created_at, coalesce(s.state, m.state), m.state_at,
       p.data_key, p.address_ct
FROM (SELECT * FROM ({driver}) AS m WHERE true{also} ORDER BY m.id {way} LIMIT %(limit)s) AS m
JOIN troth.person p ON p.id = m.person_id AND p.tenant_id = %(tenant)s
LEFT JOIN troth.spool s ON s.message_id = m.id AND s.tenant_id = %(tenant)s
ORDER BY m.id {way}
"""
# The last candidate that a page looked at, if there may be more behind it.
_REACHED = "SELECT c.id FROM ({driver}) AS c ORDER BY c.id {way} OFFSET %(scan)s - 1 LIMIT 1"
_REACHES = {
    "own": _DRIVERS["own"].replace("{columns}", "m.id"),
    "email": _DRIVERS["email"].replace("{columns}", "m.id"),
    "who": _DRIVERS["who"].replace("{columns}", "m.id").replace("SELECT *", "SELECT m.id"),
    "seldom": "SELECT DISTINCT e.message_id AS id FROM troth.event e WHERE e.tenant_id = %(tenant)s"
              " AND e.kind = %(kind)s AND e.kind IN (3, 5, 6, 7, 9, 11, 12, 13, 14, 15) AND e.message_id > %(low)s"
              " AND e.message_id < %(high)s ORDER BY e.message_id {way} LIMIT %(scan)s",
    "spool": "SELECT q.message_id AS id FROM troth.spool q WHERE q.tenant_id = %(tenant)s AND q.message_id > %(low)s"
             " AND q.message_id < %(high)s ORDER BY q.message_id {way} LIMIT %(scan)s",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a page; its address is still sealed (None: the person was erased)."""

    id: UUID
    email_id: UUID
    person_id: UUID
    category_id: UUID
    created_at: datetime
    state: State
    state_at: datetime
    data_key: bytes | None
    address_ct: bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """`on` and `back`: where the pages beside this one begin, in the order asked for. `reached`: how far this one
    looked before it gave up looking, when there may be more.
    """

    found: list[Found]
    on: UUID | None = None
    back: UUID | None = None
    reached: datetime | None = None


def page(tenant: UUID, asked: Filters, who: list[bytes] | None, category: UUID | None) -> Page:
    """One page of a search. `who`: the address's indexes, one a layer; `category` as `categories` names it."""
    backwards = asked.before is not None
    way = "ASC" if backwards != asked.oldest else "DESC"
    driver, also = _driver(asked, who, category)
    scan = SCAN if also or driver in ("seldom", "spool") else PAGE + 1
    values = _values(tenant, asked, who, category, scan)
    query = _PAGE.replace("{driver}", _DRIVERS[driver]).replace("{columns}", _COLUMNS)
    got = [_found(each) for each in _ask(query.replace("{also}", also).replace("{way}", way), values)]
    more = len(got) > PAGE
    reached = None
    if not more and scan == SCAN:
        query = _REACHED.replace("{driver}", _REACHES[driver]).replace("{way}", way)
        last = _ask(query, values)
        reached = last[0][0] if last else None
    return _page(asked, got[:PAGE], more=more, reached=reached)


def _ask(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _page(asked: Filters, got: list[Found], *, more: bool, reached: UUID | None) -> Page:
    """`got` in the order of looking; `reached` is set where it stopped before PAGE of them."""
    onwards = got[-1].id if more else reached
    at = time_of(reached) if reached else None
    if asked.before is not None:
        found = got[::-1]
        return Page(found, found[-1].id if found else asked.before, onwards, at)
    return Page(got, onwards, (got[0].id if got else asked.after) if asked.after else None, at)


def _driver(asked: Filters, who: list[bytes] | None, category: UUID | None) -> tuple[str, str]:
    """The narrowest way in, and what is still to be looked at in each candidate."""
    state = asked.given.get("state")
    also = " AND m.category_id = %(category)s" if category else ""
    if asked.email and not who:
        return "email", also + _of_state(state)
    if who:
        return "who", also + _of_state(state) + (" AND m.email_id = %(email)s" if asked.email else "")
    if state in _SELDOM:
        return "seldom", also + (" AND m.state = %(state)s" if _lasts(state) else "")
    if state in _SPOOLED:
        return "spool", also
    return "own", also + _of_state(state)


def _lasts(state: str) -> bool:
    return state.upper() in State.__members__ and state != "uncertain"


def _of_state(state: str | None) -> str:
    """For candidates that no state led to."""
    if state is None:
        return ""
    if state in _SPOOLED:
        return " AND EXISTS (SELECT FROM troth.spool q WHERE q.message_id = m.id AND q.state = %(state)s)"
    if _lasts(state):
        return " AND m.state = %(state)s"
    return " AND EXISTS (SELECT FROM troth.event e WHERE e.message_id = m.id AND e.kind = %(kind)s)"


def _values(tenant: UUID, asked: Filters, who: list[bytes] | None, category: UUID | None, scan: int) -> dict[str, Any]:
    state = asked.given.get("state", "")
    behind, ahead = (asked.after, asked.before) if asked.oldest else (asked.before, asked.after)
    lows = [floor(asked.since) if asked.since else _FIRST, behind or _FIRST]
    highs = [floor(asked.until) if asked.until else _LAST, ahead or _LAST]
    return {
        "tenant": tenant, "low": max(lows), "high": min(highs), "scan": scan, "limit": PAGE + 1, "email": asked.email,
        "who": who, "category": category, "kind": int(_SELDOM.get(state, 0)),
        "state": int(State[state.upper()]) if state.upper() in State.__members__ else 0,
    }  # fmt: skip


def floor(at: datetime) -> UUID:
    """Less than every UUIDv7 of that millisecond and later, as uuid7_floor() in the database."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _found(each: tuple[Any, ...]) -> Found:
    message, email, person, category, created, state, at, data_key, address = each
    key, sealed = (bytes(value) if value is not None else None for value in (data_key, address))
    return Found(message, email, person, category, created, State(state), at, key, sealed)


def categories(tenant: UUID) -> dict[str, UUID]:
    """Code to subject of every category that the client has or had."""
    query = (
        "SELECT code, subject FROM troth.governed WHERE kind = 'category' AND tenant_id = %s ORDER BY code LIMIT 500"
    )
    return dict(rows(query, tenant))


def alone(tenant: UUID, email: UUID) -> UUID | None:
    """The only message of an email; None when it has several, or is not this client's."""
    query = "SELECT id FROM troth.message WHERE email_id = %s AND tenant_id = %s LIMIT 2"
    found = rows(query, email, tenant)
    return found[0][0] if len(found) == 1 else None


def email_there(tenant: UUID, email: UUID) -> bool:
    return row("SELECT 1 FROM troth.email WHERE id = %s AND tenant_id = %s", email, tenant) is not None
