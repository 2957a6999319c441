"""Records, the log of API requests: which key asked for what, and what the door answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.control.records.asked import Asked
from troth.control.records.logs import Log, Query
from troth.keys import ids

_WINDOW = """
SELECT id, at, method, route, status, problem, email_id, api_key_id FROM troth.api_request
WHERE tenant_id = %(tenant)s{bounds} ORDER BY id DESC LIMIT %(window)s
"""
_KEYS = "SELECT id, name FROM troth.api_key WHERE tenant_id = %s AND id = ANY(%s)"
_CHOICES = "SELECT id, name FROM troth.api_key WHERE tenant_id = %s ORDER BY name, id LIMIT 500"
KINDS = {"post": "Sending and changing", "get": "Asking"}
STATUSES = {"2": "Accepted (2xx)", "4": "Refused (4xx)", "5": "Our fault (5xx)"}
HEADER = ("id", "at", "key", "key_id", "method", "route", "status", "problem", "email")


@dataclass(frozen=True, slots=True)
class Request:
    """`problem`: the code of what was wrong; `email`: its id on the API."""

    id: UUID
    at: datetime
    method: str
    route: str
    status: int
    problem: str
    email: str
    key: UUID | None
    key_name: str

    @property
    def look(self) -> str:
        return {2: "holds", 4: "refused", 5: "failed"}.get(self.status // 100, "none")


def query(actor: Actor, asked: Asked, before: str) -> Query:
    bounds = " AND id < %(before)s" if before else ""
    bounds += " AND id >= troth.uuid7_floor(%(since)s)" if asked.since else ""
    bounds += " AND id < troth.uuid7_floor(%(until)s)" if asked.until else ""
    bounds += " AND api_key_id = %(key)s" if asked.key else ""
    where = [words for wanted, words in (
        (asked.kind == "get", "method = 'GET'"),
        (asked.kind == "post", "method <> 'GET'"),
        (asked.status, "status BETWEEN %(low)s AND %(low)s + 99"),
        (asked.q, "strpos(lower(concat_ws(' ', method, route, status, problem)), %(q)s) > 0"),
    ) if wanted]  # fmt: skip
    values = {"tenant": actor.scope, "before": _place(before), "since": asked.since, "until": asked.until,
              "key": asked.key, "low": int(asked.status or 0) * 100, "q": asked.q}  # fmt: skip
    return Query(_WINDOW.replace("{bounds}", bounds), f"WHERE {' AND '.join(where)}" if where else "", values)


def _place(before: str) -> UUID | None:
    try:
        return UUID(before) if before else None
    except ValueError:
        raise Http404 from None


def keys(actor: Actor) -> list[tuple[str, str]]:
    """(id, name), for choosing one."""
    return [(str(one), name) for one, name in rows(_CHOICES, actor.scope)]


def entries(actor: Actor, got: list[tuple[Any, ...]]) -> list[Request]:
    known: dict[UUID, str] = dict(rows(_KEYS, actor.scope, sorted({each[7] for each in got if each[7]})))
    cell = row("SELECT cell FROM troth.installation")
    return [_request(each, known, str(cell[0]) if cell else "a") for each in got]


def _request(each: tuple[Any, ...], known: dict[UUID, str], cell: str) -> Request:
    one, at, method, route, status, problem, email, key = each
    name = known.get(key, "a key that is gone") if key else "no key of this client"
    return Request(
        one, at, method, route, status, problem or "", ids.wire("em", cell, email) if email else "", key, name
    )


def exported(actor: Actor, found: Sequence[Request]) -> list[dict[str, Any]]:
    del actor
    return [
        {
            "id": str(each.id),
            "at": each.at.isoformat(),
            "key": each.key_name,
            "key_id": str(each.key or ""),
            "method": each.method,
            "route": each.route,
            "status": each.status,
            "problem": each.problem,
            "email": each.email,
        }
        for each in found
    ]


LOG: Log[Request] = Log("requests", "request-log:read", query, entries, exported, HEADER)
