"""Rows of events and what they do to messages, typed; flow/events.py is the only caller."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from troth.store.arrays import Booleans, Byteas, Smallints, Texts, Times, Uuids, packed, shape
from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("events")


class EventRow(Struct, frozen=True):
    """One fact about a message. `source_key` makes a repeated report the same event."""

    message_id: UUID
    kind: int
    source_key: str
    tenant_id: UUID
    at: datetime
    detail_ct: bytes | None
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A spool row's new place after an attempt. `counted`: the limits counted it anew, in this moment's windows and in
    the day that began at `counted_day`.
    """

    message_id: UUID
    state: int
    due: datetime
    schedule: str | None
    schedule_attempts: int
    first_failed_at: datetime | None
    lost_claims: int
    counted: datetime | None = None
    counted_day: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as a report from outside finds it; locked."""

    id: UUID
    tenant_id: UUID
    person_id: UUID
    category_id: UUID
    blind_index: bytes
    state: int
    data_key: bytes | None
    keyset: bytes


@dataclass(frozen=True, slots=True)
class WentOut:
    """A message's newest attempt that the next hop took, with that event's sealed detail. `letter`: it is kept."""

    address_ct: bytes | None
    source_key: str | None
    detail_ct: bytes | None
    letter: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a message was for; `data_key` and `address_ct` are None once erased."""

    tenant_id: UUID
    person_id: UUID
    data_key: bytes | None
    address_ct: bytes | None
    keyset: bytes


@dataclass(frozen=True, slots=True)
class Again:
    """A message's new place in the spool, after the next hop gave it back. `attempts`: of all schedules."""

    domain: UUID
    due: datetime
    ends: datetime
    attempts: int
    schedule: str | None
    schedule_attempts: int
    first: datetime | None
    consent: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not yet marked, locked."""

    message_id: UUID
    tenant_id: UUID
    person_id: UUID
    blind_index: bytes
    state: int
    due: datetime
    lifetime_ends: datetime
    attempts: int
    data_key: bytes | None
    keyset: bytes


@dataclass(frozen=True, slots=True)
class Movable(Waiting):
    """One that may be called back or get another time. `counted`: the limits counted it in that moment's windows, and
    in the day that began at `counted_day` (None: not known). `timezone`: its recipient's.
    """

    counted: datetime
    counted_day: datetime | None
    on_consent: bool
    timezone: str | None


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where a message stands after it got another time."""

    message_id: UUID
    state: int
    due: datetime
    lifetime_ends: datetime
    counted: datetime
    counted_day: datetime
    on_consent: bool


@dataclass(frozen=True, slots=True)
class EmailFacts:
    """`key_hash` is None for Troth's own mail."""

    id: UUID
    category_id: UUID
    template_snapshot: UUID | None
    template_subject: UUID | None
    scheduled_at: datetime | None
    key_hash: bytes | None
    key_id: UUID | None


_EVENT = shape(
    message_id=Uuids, kind=Smallints, source_key=Texts, tenant_id=Uuids, at=Times, detail_ct=Byteas, leaf_hash=Byteas
)
_PLACE = shape(
    message_id=Uuids, state=Smallints, due=Times, lifetime_ends=Times, counted=Times, counted_day=Times,
    on_consent=Booleans,
)  # fmt: skip


def insert_statement(events: Sequence[EventRow]) -> tuple[bytes, Mapping[str, Any]]:
    """The insert as a statement, for a writer that sends it along with others."""
    return _SQL["insert_events"], packed(events, _EVENT)


async def insert(connection: Connection, events: Sequence[EventRow]) -> set[tuple[UUID, int]]:
    """Writes the events that are new, with their outbox rows; returns (message, kind) of those."""
    query, params = insert_statement(events)
    return {(m, k) for m, k in await tuples(connection, query, params)}


async def lock_spool(connection: Connection, claims: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Locks the rows whose token is still this claim's; the state of each."""
    params = {"ids": [i for i, _ in claims], "tokens": [t for _, t in claims]}
    return dict(await tuples(connection, _SQL["lock_spool"], params))


async def drop(connection: Connection, ids: Sequence[UUID]) -> int:
    return await run(connection, _SQL["drop_spool"], {"ids": list(ids)})


async def keep(connection: Connection, kept: Sequence[Kept]) -> int:
    params = {
        "ids": [k.message_id for k in kept],
        "states": [k.state for k in kept],
        "dues": [k.due for k in kept],
        "schedules": [k.schedule for k in kept],
        "schedule_attempts": [k.schedule_attempts for k in kept],
        "first_failed": [k.first_failed_at for k in kept],
        "lost": [k.lost_claims for k in kept],
        "counted": Times(k.counted for k in kept),
        "counted_days": Times(k.counted_day for k in kept),
    }
    return await run(connection, _SQL["keep_spool"], params)


async def set_states(connection: Connection, now: datetime, states: dict[UUID, int]) -> int:
    params = {"ids": list(states), "states": list(states.values()), "now": now}
    return await run(connection, _SQL["set_states"], params)


async def lock_messages(connection: Connection, ids: Sequence[UUID]) -> list[MessageRow]:
    return await rows(connection, _SQL["lock_messages"], {"ids": list(ids)}, MessageRow)


async def lock_places(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Locks what of these is in the spool: (state, attempts) of each. Always before lock_messages."""
    return {i: (s, n) for i, s, n in await tuples(connection, _SQL["lock_places"], {"ids": list(ids)})}


async def told_later(connection: Connection, message: UUID, kind: int) -> int:
    found: int = (await tuples(connection, _SQL["told_later"], {"id": message, "kind": kind}))[0][0]
    return found


async def told_already(connection: Connection, message: UUID, source_key: str) -> bool:
    params = {"id": message, "source_key": source_key}
    found: bool = (await tuples(connection, _SQL["told_already"], params))[0][0]
    return found


async def went_out(connection: Connection, message: UUID) -> WentOut:
    """Of a message that is there."""
    return (await rows(connection, _SQL["went_out"], {"id": message}, WentOut))[0]


async def reached(connection: Connection, message: UUID) -> Reached | None:
    """None when the message is gone."""
    found = await rows(connection, _SQL["reached"], {"id": message}, Reached)
    return found[0] if found else None


async def put_back(connection: Connection, message: UUID, again: Again) -> int:
    return await run(connection, _SQL["put_back"], {"id": message, **asdict(again)})


async def take_for_cancel(connection: Connection, tenant: UUID, email: UUID) -> list[Movable]:
    return await rows(connection, _SQL["take_for_cancel"], {"tenant": tenant, "email": email}, Movable)


async def email_facts(connection: Connection, tenant: UUID, email: UUID) -> EmailFacts | None:
    found = await rows(connection, _SQL["email_facts"], {"tenant": tenant, "email": email}, EmailFacts)
    return found[0] if found else None


async def reschedule(connection: Connection, places: Sequence[NewPlace]) -> int:
    return await run(connection, _SQL["reschedule"], packed(places, _PLACE))


async def drop_release_orders(connection: Connection, ids: Sequence[UUID]) -> int:
    return await run(connection, _SQL["release_orders_drop"], {"ids": list(ids)})


@dataclass(frozen=True, slots=True)
class NewSuppression:
    """An address that gets no more mail; `address_ct` is under the operator's keyset. Reasons: the table's comment."""

    blind_index: bytes
    reason: int
    source: str
    tenant_id: UUID | None
    address_ct: bytes | None


async def suppress(connection: Connection, entries: Sequence[NewSuppression]) -> int:
    """Global and for good; returns how many were new."""
    params = {
        "indexes": [e.blind_index for e in entries],
        "reasons": [e.reason for e in entries],
        "sources": [e.source for e in entries],
        "tenants": [e.tenant_id for e in entries],
        "addresses": [e.address_ct for e in entries],
    }
    added: int = (await tuples(connection, _SQL["suppress"], params))[0][0]
    return added


async def opt_out(connection: Connection, *, tenant: UUID, index: bytes, category: UUID, source: str) -> bool:
    """This client's category sends no more to this address; False when that was so already."""
    params = {"tenant": tenant, "index": index, "category": category, "source": source}
    added: bool = (await tuples(connection, _SQL["opt_out"], params))[0][0]
    return added
