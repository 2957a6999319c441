"""Claims: messages of a client with their events opened: the evidence that the river wrote, read with the keys.

The newest, some from all over the window, and those that bounced or were put off. What was sealed under an erased
person's key stays shut.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.control.audit.scope import Connection
from troth.control.trust.look import LOG, Look, Programme, Tenant
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.ids import uuid7
from troth.keys.keyring import PersonKey, TenantKeys
from troth.ledger.leaf import EventFields, commit, event_leaf
from troth.rules.states import Kind, State

NEWEST, SPREAD, TROUBLED = 300, 60, 200
_NEWEST = "SELECT id FROM message WHERE tenant_id = %s AND id >= uuid7_floor(%s) ORDER BY id DESC LIMIT %s"
_SPREAD = """
SELECT (SELECT id FROM message WHERE tenant_id = %s AND id >= p ORDER BY id LIMIT 1) FROM unnest(%s::uuid[]) AS p
"""
_TROUBLED = """
SELECT DISTINCT message_id FROM event WHERE tenant_id = %s AND message_id >= uuid7_floor(%s) AND kind IN (9, 11)
ORDER BY message_id DESC LIMIT %s
"""
_MESSAGES = """
SELECT m.id, m.person_id, m.blind_index, m.state, m.created_at, p.data_key, p.status = 4
FROM message m LEFT JOIN person p ON p.id = m.person_id WHERE m.id = ANY(%s) ORDER BY m.id DESC
"""
_EVENTS = """
SELECT message_id, kind, source_key, at, detail_ct, leaf_hash FROM event WHERE message_id = ANY(%s)
ORDER BY message_id, at, kind
"""


@dataclass(frozen=True, slots=True)
class Event:
    """`detail` None: nothing readable, and `why` says why ("" for an erased person's)."""

    message: UUID
    kind: Kind
    source_key: str
    at: datetime
    leaf_hash: bytes
    detail: Mapping[str, Any] | None
    why: str = ""


@dataclass(slots=True)
class Message:
    id: UUID
    person: UUID
    blind_index: bytes
    state: State
    created_at: datetime
    erased: bool
    events: list[Event] = field(default_factory=list)

    def told(self, *kinds: Kind) -> list[Event]:
        return [each for each in self.events if each.kind in kinds]


def messages(look: Look, tenant: Tenant) -> list[Message]:
    """A client's sample, read once a check."""
    found: list[Message] = look.once(("sample", tenant.id), lambda: _read(look, tenant))
    return found


def sent(look: Look, programme: Programme) -> list[Event]:
    """Every sent event of the samples of a programme's clients but the erased people's."""
    sampled = (one for tenant in look.of_programme(programme) for one in messages(look, tenant))
    return [event for one in sampled if not one.erased for event in one.told(Kind.SENT)]


def _read(look: Look, tenant: Tenant) -> list[Message]:
    keys = look.keys(tenant)
    with look.of(tenant.id) as connection:
        ids = list(_ids(look, connection, tenant))
        rows = connection.execute(_MESSAGES, (ids,)).fetchall()
        told = connection.execute(_EVENTS, (ids,)).fetchall()
    found = {row[0]: Message(row[0], row[1], row[2], State(row[3]), row[4], row[6] is not False) for row in rows}
    opened = {row[0]: _key(keys, row[5], row[1]) for row in rows}
    for message, *event in told:
        if message in found:
            found[message].events.append(_event(opened[message], tenant, message, *event))
    return list(found.values())


def _ids(look: Look, connection: Connection, tenant: Tenant) -> Iterator[UUID]:
    since = look.now - LOG
    newest = [row[0] for row in connection.execute(_NEWEST, (tenant.id, since, NEWEST)).fetchall()]
    if len(newest) == NEWEST:
        chance = random.SystemRandom()
        points = [uuid7(since + chance.random() * LOG) for _ in range(SPREAD)]
        newest += [row[0] for row in connection.execute(_SPREAD, (tenant.id, points)).fetchall() if row[0]]
    troubled = [row[0] for row in connection.execute(_TROUBLED, (tenant.id, since, TROUBLED)).fetchall()]
    yield from {*newest, *troubled}


def _key(keys: TenantKeys, wrapped: bytes | None, person: UUID) -> PersonKey | None:
    if wrapped is None:
        return None
    try:
        return keys.person(wrapped, person)
    except Undecryptable:
        return None


def _event(
    key: PersonKey | None, tenant: Tenant, message: UUID, kind: int, source: str, at: datetime, sealed: bytes | None,
    leaf_hash: bytes,
) -> Event:  # fmt: skip
    known = Kind(kind)
    if key is None:
        return Event(message, known, source, at, leaf_hash, None, "")
    if sealed is None:
        return Event(message, known, source, at, leaf_hash, None, "it has no detail")
    try:
        inner = msgspec.json.decode(key.open(sealed, places.event(message, source)))
        salt, detail = bytes.fromhex(inner["salt"]), inner["detail"]
        text = msgspec.json.Encoder(order="deterministic").encode(detail).decode()
        fields = EventFields(str(message), str(tenant.id), known.name.lower(), at, commit(salt, text))
    except Undecryptable:
        return Event(message, known, source, at, leaf_hash, None, "its detail does not open")
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return Event(message, known, source, at, leaf_hash, None, "its detail is no detail")
    why = "" if event_leaf(salt, fields) == leaf_hash else "its leaf hash is not of what it says"
    return Event(message, known, source, at, leaf_hash, detail, why)
