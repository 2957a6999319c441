"""Privacy: what waits for a person: notices to be served otherwise, and reports of abuse; opened for who may see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.control.tenants import seeking
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.ids import wire
from troth.keys.keyring import PersonKey

MOST = 200  # of each list
HOW = (
    ("post", "By post"), ("by-hand", "By hand"), ("telephone", "By telephone"), ("portal", "In a portal of ours"),
    ("other", "Another way: say which"), ("not-needed", "It need not be served any more: say why"),
)  # fmt: skip
_ASKS = {"copy": "A copy of everything that is held about them", "erasure": "To be erased"}
_ASKED = "Asked for on their own page by somebody to whom no code can be mailed: make sure that it is the recipient"
WHY = {
    "stranger": "has nothing to do with the sender",
    "deceives": "says that it is not what it says it is",
    "harms": "says that it is offensive or harmful",
    "other": "says that something else is wrong",
}
_NOW = "SELECT troth.now_v1(), cell FROM troth.installation"
_SERVICES = """
SELECT s.message_id, s.person_id, p.data_key, p.address_ct, coalesce(v.artefact::jsonb ->> 'name', g.code),
       coalesce(v.artefact::jsonb ->> 'purpose', ''), s.opened_at, s.due, s.done_at, s.how, s.note_ct, a.id, a.name_ct,
       s.asks, coalesce(s.about, s.message_id)
FROM troth.serve_otherwise s JOIN troth.person p ON p.id = s.person_id
LEFT JOIN troth.governed g ON g.subject = s.category_id LEFT JOIN troth.snapshot v ON v.id = g.snapshot_id
LEFT JOIN troth.account a ON a.id = s.done_by
WHERE s.tenant_id = %s AND """
_OPEN = _SERVICES + "s.done_at IS NULL ORDER BY s.due, s.message_id LIMIT %s"
_DONE = _SERVICES + "s.done_at IS NOT NULL ORDER BY s.opened_at DESC, s.message_id LIMIT %s"
_ONE = _SERVICES + "s.message_id = %s"
_REPORTS = """
SELECT r.id, r.message_id, r.person_id, p.data_key, p.address_ct, r.words_ct,
       coalesce(v.artefact::jsonb ->> 'name', g.code), r.at, r.closed_at, r.outcome_ct, a.id, a.name_ct
FROM troth.abuse_report r JOIN troth.person p ON p.id = r.person_id
LEFT JOIN troth.governed g ON g.subject = r.category_id LEFT JOIN troth.snapshot v ON v.id = g.snapshot_id
LEFT JOIN troth.account a ON a.id = r.closed_by
WHERE r.tenant_id = %s AND """
_REPORTED = _REPORTS + "r.closed_at IS NULL ORDER BY r.at, r.id LIMIT %s"
_CLOSED = _REPORTS + "r.closed_at IS NOT NULL ORDER BY r.at DESC, r.id LIMIT %s"
_REPORT = _REPORTS + "r.id = %s"


@dataclass(frozen=True, slots=True)
class Service:
    """A notice for somebody who may not be mailed, or what such a one asks for. `left` is negative once it is late;
    `address` None: erased; `note` None: it went with them. `key` seals what is written of it; None: erased.
    """

    message: UUID
    ref: str
    address: str | None
    category: str
    purpose: str
    opened_at: datetime
    due: datetime
    left: timedelta
    done_at: datetime | None
    how: str
    note: str | None
    by: str
    key: PersonKey | None = field(repr=False)
    asks: str = ""  # copy, erasure; "" for a notice

    @property
    def late(self) -> bool:
        """Served after its time, or still waiting and out of it."""
        return (self.done_at or self.due - self.left) > self.due


@dataclass(frozen=True, slots=True)
class Report:
    """A recipient's word about a message. `reason` and `words` are empty once the recipient was erased, `outcome` is
    None. `key` seals what came of it; None: erased.
    """

    id: UUID
    message: UUID
    ref: str
    address: str | None
    reason: str
    words: str
    category: str
    at: datetime
    age: timedelta
    closed_at: datetime | None
    outcome: str | None
    by: str
    key: PersonKey | None = field(repr=False)


class _Keys:
    """Opens what is sealed for a client's people."""

    def __init__(self, tenant: UUID) -> None:
        self._tenant = seeking.keys_of(tenant)

    def person(self, person: UUID, data_key: Any) -> PersonKey | None:
        try:
            return self._tenant.person(bytes(data_key), person) if data_key is not None else None
        except Undecryptable:
            return None


def _opened(key: PersonKey | None, sealed: Any, place: bytes) -> bytes | None:
    try:
        return key.open(bytes(sealed), place) if key is not None and sealed is not None else None
    except Undecryptable:
        return None


def _written(key: PersonKey | None, sealed: Any, place: bytes) -> str | None:
    """What staff wrote; empty where they wrote nothing, None where it went with the recipient."""
    if sealed is None:
        return ""
    found = _opened(key, sealed, place)
    return found.decode() if found is not None else None


def now() -> datetime:
    return _clock()[0]


def _clock() -> tuple[datetime, str]:
    """Now, and this installation's cell, which stands in every id."""
    found = row(_NOW)
    assert found is not None
    return found[0], found[1]


def services(tenant: UUID, *, done: bool) -> list[Service]:
    """Open ones, the most urgent first; or done ones, the newest first."""
    return _services(tenant, _DONE if done else _OPEN, MOST)


def access_service(actor: Actor, message: UUID) -> Service:
    """Http404 for what is not this client's."""
    found = _services(actor.scope, _ONE, message) if actor.scope else []
    if not found:
        raise Http404
    return found[0]


def _services(tenant: UUID, query: str, *values: object) -> list[Service]:
    clock, keys = _clock(), _Keys(tenant)
    return [_service(clock, keys, found) for found in rows(query, tenant, *values)]


def _service(clock: tuple[datetime, str], keys: "_Keys", found: Sequence[Any]) -> Service:
    (at, cell), (id_, person, data_key, address, name, purpose, opened, due, done, *rest) = clock, found
    how, note, account, name_ct, asks, about = rest
    key = keys.person(person, data_key)
    shown = _opened(key, address, places.address(person))
    return Service(
        id_,
        wire("msg", cell, about),
        shown.decode() if shown else None,
        _ASKS.get(asks, name),
        _ASKED if asks else purpose,
        opened,
        due,
        due - at,
        done,
        dict(HOW).get(how or "", "").partition(":")[0],
        _written(key, note, places.service(id_)),
        _name(account, name_ct),
        key,
        asks or "",
    )


def reports(tenant: UUID, *, closed: bool) -> list[Report]:
    """Open ones, the oldest first; or closed ones, the newest first."""
    return _reports(tenant, _CLOSED if closed else _REPORTED, MOST)


def access_report(actor: Actor, report: UUID) -> Report:
    """Http404 for what is not this client's."""
    found = _reports(actor.scope, _REPORT, report) if actor.scope else []
    if not found:
        raise Http404
    return found[0]


def _reports(tenant: UUID, query: str, *values: object) -> list[Report]:
    (at, cell), keys = _clock(), _Keys(tenant)
    found = []
    for id_, message, person, data_key, address, words, name, told, closed, outcome, account, name_ct in rows(
        query, tenant, *values
    ):
        key = keys.person(person, data_key)
        shown = _opened(key, address, places.address(person))
        said = msgspec.json.decode(_opened(key, words, places.abuse(id_)) or b"{}")
        found.append(
            Report(
                id_,
                message,
                wire("msg", cell, message),
                shown.decode() if shown else None,
                WHY.get(said.get("reason"), ""),
                said.get("words", ""),
                name,
                told,
                at - told,
                closed,
                _written(key, outcome, places.abuse_outcome(id_)),
                _name(account, name_ct),
                key,
            )
        )
    return found


def _name(account: UUID | None, name_ct: Any) -> str:
    if account is None:
        return ""
    found: bytes = settings.TROTH_KEYS().operator.open(bytes(name_ct), places.account(account, "name"))
    return found.decode()
