"""Messages: one with all that is known of it, and those beside it in its email."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.messages import words
from troth.control.messages.encoded import readable
from troth.control.messages.filters import EMAIL, MESSAGE
from troth.control.messages.opening import Opener, document
from troth.control.people.actor import Actor
from troth.keys import ids, places
from troth.keys.keyring import PersonKey
from troth.rules.states import State

_FIELDS = {1: "to", 2: "copy", 3: "blind copy"}
_ONE = """
SELECT m.id, m.email_id, m.person_id, m.field, m.created_at, coalesce(s.state, m.state), m.state_at, m.decision_ct,
       p.data_key, p.address_ct, e.scheduled_at, e.recipients, s.due, s.lifetime_ends,
       c.code, c.artefact::jsonb ->> 'name', c.artefact::jsonb ->> 'legal_class',
       t.subject, t.code, t.version, k.name, k.prefix
FROM troth.message m
JOIN troth.email e ON e.id = m.email_id AND e.tenant_id = m.tenant_id
JOIN troth.person p ON p.id = m.person_id AND p.tenant_id = m.tenant_id
LEFT JOIN troth.spool s ON s.message_id = m.id
LEFT JOIN troth.snapshot c ON c.id = e.category_snapshot
LEFT JOIN troth.snapshot t ON t.id = e.template_snapshot
LEFT JOIN troth.api_key k ON k.id = e.api_key_id
WHERE m.id = %s AND m.tenant_id = %s
"""
_EVENTS = "SELECT kind, source_key, at, detail_ct FROM troth.event WHERE message_id = %s AND tenant_id = %s LIMIT 1000"
_OTHERS = """
SELECT m.id, m.field, coalesce(s.state, m.state), m.person_id, p.data_key, p.address_ct
FROM troth.message m JOIN troth.person p ON p.id = m.person_id AND p.tenant_id = m.tenant_id
LEFT JOIN troth.spool s ON s.message_id = m.id
WHERE m.email_id = %s AND m.tenant_id = %s AND m.id <> %s ORDER BY m.id LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Other:
    """Another message of the same email."""

    ref: str
    field: str
    state: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What its email, spool row, category, template and key tell of it."""

    scheduled_at: datetime | None
    recipients: int
    due: datetime | None
    lifetime_ends: datetime | None
    category: str | None
    category_name: str | None
    legal_class: str | None
    template: UUID | None
    template_code: str | None
    template_version: int | None
    key_name: str | None
    key_prefix: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `address` None: not for whoever looks, or `erased`, and with the key went all that it sealed."""

    id: UUID
    ref: str
    email: str
    field: str
    created_at: datetime
    state: State
    state_at: datetime
    address: str | None
    erased: bool
    beside: Beside
    decision: dict[str, Any]
    events: list[words.Happened]
    others: list[Other]

    @property
    def word(self) -> str:
        return self.state.name.lower()

    @property
    def wire(self) -> words.Happened | None:
        """The last attempt that tells what went over the wire."""
        told = [each for each in self.events if each.headers or each.conversation]
        return told[-1] if told else None

    @property
    def headers(self) -> words.Happened | None:
        told = [each for each in self.events if each.headers]
        return told[-1] if told else None

    @property
    def headerless(self) -> str:
        """Why no header stands here: an attempt writes it down once the message as a whole went out."""
        return words.headerless(self.state, {each.kind for each in self.events})

    @property
    def subject(self) -> str | None:
        sent = header(self.headers.headers, "subject") if self.headers else None
        return readable(sent) if sent else None

    @property
    def message_id(self) -> str | None:
        return header(self.headers.headers, "message-id") if self.headers else None


def header(lines: list[str], name: str) -> str | None:
    """A field's body, unfolded; encoded words (RFC 2047) are left as they were sent."""
    found: list[str] = []
    for line in lines:
        if found and line[:1] in (" ", "\t"):
            found.append(line.strip())
        elif found:
            break
        elif line.lower().startswith(f"{name}:"):
            found.append(line.partition(":")[2].strip())
    return " ".join(found) or None


def access_message(actor: Actor, message: UUID, cell: str, opener: Opener) -> Message:
    """Raise Http404 for what is not there, and for what is another client's."""
    found = row(_ONE, message, actor.scope) if actor.scope else None
    if found is None:
        raise Http404
    id_, email, person, field, created, state, at, decision_ct, data_key, address_ct = found[:10]
    key = opener.person(person, _octets(data_key))
    return Message(
        id_,
        ids.wire(MESSAGE, cell, id_),
        ids.wire(EMAIL, cell, email),
        _FIELDS[field],
        created,
        State(state),
        at,
        opener.address(person, _octets(data_key), _octets(address_ct)),
        key is None,
        Beside(*found[10:]),
        document(key, _octets(decision_ct), places.decision(id_)),
        _events(actor, id_, key, content=opener.content),
        _others(actor, email, id_, cell, opener),
    )


def _events(actor: Actor, message: UUID, key: PersonKey | None, *, content: bool) -> list[words.Happened]:
    found = []
    for kind, source, at, sealed in rows(_EVENTS, message, actor.scope):
        detail = _detail(document(key, _octets(sealed), places.event(message, source)))
        found.append(words.happened(kind, source, at, detail if content else words.bare(detail)))
    return words.in_order(found)


def _detail(opened: dict[str, Any]) -> dict[str, Any]:
    detail = opened.get("detail")
    return detail if isinstance(detail, dict) else {}


def _others(actor: Actor, email: UUID, message: UUID, cell: str, opener: Opener) -> list[Other]:
    return [
        Other(
            ids.wire(MESSAGE, cell, id_),
            _FIELDS[field],
            State(state).name.lower(),
            opener.address(person, _octets(data_key), _octets(address_ct)),
        )
        for id_, field, state, person, data_key, address_ct in rows(_OTHERS, email, actor.scope, message)
    ]


def _octets(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


def cell_of() -> str:
    """This installation's letter in its ids."""
    found = row("SELECT cell FROM troth.installation")
    return str(found[0]) if found else "a"
