"""The one place that changes a message's state: an event, its leaf hash, its outbox row and the new state are one
transaction. Every stage of the river tells what happened through here.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from troth.keys import places
from troth.keys.keyring import PersonKey
from troth.ledger.leaf import EventFields, commit, event_leaf
from troth.rules.states import Kind, State, apply
from troth.store import events as store
from troth.store.connection import Connection

_JSON = msgspec.json.Encoder(order="deterministic")
_SALT_BYTES = 16
_FREED = (Kind.QUEUED, Kind.RELEASED)  # a hold that is over
_FACTS = (Kind.COMPLAINED, Kind.UNSUBSCRIBED)  # events, never a change of state


@dataclass(frozen=True, slots=True)
class Happening:
    """One fact to be told. `key` seals the detail; without it (an erased person) only the leaf hash is kept.

    `source_key` makes a repeated report the same event: the attempt's number, a report's own id.
    """

    message_id: UUID
    tenant_id: UUID
    kind: Kind
    source_key: str
    key: PersonKey | None
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed message: what happened, in order, and its new place (None: it leaves the spool).

    `order_stands`: two people let it go and it could not go yet; it is still theirs to let go.
    """

    token: int
    happenings: tuple[Happening, ...]
    state: State
    kept: store.Kept | None = None
    suppress: store.NewSuppression | None = None
    order_stands: bool = False

    @property
    def message_id(self) -> UUID:
        return self.happenings[0].message_id


def row(happening: Happening, at: datetime) -> store.EventRow:
    """The event as it is stored: detail and salt sealed, and the salted leaf hash that the ledger will seal."""
    salt = os.urandom(_SALT_BYTES)
    detail = _JSON.encode(happening.detail or {}).decode()
    names = EventFields(
        message=str(happening.message_id),
        tenant=str(happening.tenant_id),
        kind=happening.kind.name.lower(),
        at=at,
        detail=commit(salt, detail),
    )
    sealed = None
    if happening.key is not None:
        place = places.event(happening.message_id, happening.source_key)
        sealed = happening.key.seal(_JSON.encode({"salt": salt.hex(), "detail": happening.detail or {}}), place)
    return store.EventRow(
        happening.message_id, int(happening.kind), happening.source_key, happening.tenant_id, at, sealed,
        event_leaf(salt, names),
    )  # fmt: skip


async def settle(connection: Connection, settlements: Sequence[Settlement], at: datetime) -> set[UUID]:
    """What a worker made of its claims, in one transaction; returns those whose claim still stood.

    The others were claimed by somebody else since: what is known of them goes through `report`.
    """
    async with connection.transaction():
        claims = [(s.message_id, s.token) for s in settlements]
        held = await store.lock_spool(connection, claims)
        mine = [s for s in settlements if s.message_id in held]
        if mine:
            await _write(connection, mine, at)
    return {s.message_id for s in mine}


async def settle_by(
    connection: Connection, claim: tuple[UUID, int], decide: Callable[[], Awaitable[Settlement | None]], at: datetime
) -> Settlement | None:
    """Settles one claim as `decide` says, whose own writes are of the same transaction; None when it stands no more, or
    when nothing is to be settled.
    """
    async with connection.transaction():
        if not await store.lock_spool(connection, [claim]):
            return None
        settlement = await decide()
        if settlement is not None:
            await _write(connection, [settlement], at)
    return settlement


async def _write(connection: Connection, mine: Sequence[Settlement], at: datetime) -> None:
    """All in one round trip: the pipeline is read when it ends, and an error anywhere in it is raised there."""
    rows = [row(h, at) for s in mine for h in s.happenings]
    async with connection.pipeline():
        if suppressed := [s.suppress for s in mine if s.suppress]:
            await store.suppress(connection, suppressed)
        if gone := [s.message_id for s in mine if s.kept is None]:
            await store.drop(connection, gone)
        if kept := [s.kept for s in mine if s.kept]:
            await store.keep(connection, kept)
        await store.drop_release_orders(connection, [s.message_id for s in mine if not s.order_stands])
        if free := {s.message_id: int(State.QUEUED) for s in mine if s.happenings[0].kind in _FREED}:
            await store.set_states(connection, at, free)  # the step that came first, so that the next is a legal one
        await store.set_states(connection, at, {s.message_id: int(s.state) for s in mine})
        await store.insert(connection, rows)


@dataclass(frozen=True, slots=True)
class Report:
    """A fact from outside the claim: a late answer, a notification, a complaint, an opt-out. The person's key is looked
    up; `suppress` goes into the same transaction, and `again`: the next hop gave it back, and it is tried again then.
    """

    message_id: UUID
    kind: Kind
    source_key: str
    detail: Mapping[str, Any] | None = None
    suppress: store.NewSuppression | None = None
    again: store.Again | None = None


async def report(
    connection: Connection, reports: Sequence[Report], at: datetime, open_key: "KeyOpener"
) -> set[tuple[UUID, int]]:
    """Facts in any order and however often; returns those that were new. Unknown messages are passed over."""
    async with connection.transaction():
        if moving := [r.message_id for r in reports if r.kind not in _FACTS]:
            await store.lock_places(connection, moving)  # first, as settle does: else the two wait for each other
        found = {m.id: m for m in await store.lock_messages(connection, [r.message_id for r in reports])}
        known = [r for r in reports if r.message_id in found]
        if suppressed := [r.suppress for r in known if r.suppress]:
            await store.suppress(connection, suppressed)
        rows = [row(_happening(r, found[r.message_id], open_key), at) for r in known]
        new = await store.insert(connection, rows) if rows else set()
        states = _moved(known, found, new)
        if states:
            await store.set_states(connection, at, states)
            await store.drop(connection, [m for m, s in states.items() if not State(s).in_spool])
            for r in known:
                if r.again and (r.message_id, int(r.kind)) in new:
                    await store.put_back(connection, r.message_id, r.again)
    return new


class KeyOpener(Protocol):
    """How `report` comes by a person's key: handed in, since the keyring is the caller's. None: erased."""

    def __call__(self, tenant_id: UUID, keyset: bytes, data_key: bytes | None, person_id: UUID) -> PersonKey | None: ...


def _happening(report: Report, message: store.MessageRow, open_key: KeyOpener) -> Happening:
    key = open_key(message.tenant_id, message.keyset, message.data_key, message.person_id)
    return Happening(message.id, message.tenant_id, report.kind, report.source_key, key, report.detail)


def _moved(
    known: Sequence[Report], found: Mapping[UUID, store.MessageRow], new: set[tuple[UUID, int]]
) -> dict[UUID, int]:
    states: dict[UUID, int] = {}
    for r in known:
        if (r.message_id, int(r.kind)) in new:
            before = State(states.get(r.message_id, found[r.message_id].state))
            states[r.message_id] = int(apply(before, r.kind, back=r.again is not None))
    return {m: s for m, s in states.items() if s != found[m].state}


async def cancel(connection: Connection, tenant: UUID, email: UUID, at: datetime, open_key: KeyOpener) -> int:
    """Calls back every message of an email that is not yet marked; how many there were."""
    async with connection.transaction():
        waiting = await store.take_for_cancel(connection, tenant, email)
        await call_back(connection, waiting, at, open_key)
    return len(waiting)


async def call_back(
    connection: Connection, waiting: Sequence[store.Waiting], at: datetime, open_key: KeyOpener
) -> None:
    """Cancels messages that the caller's transaction has locked."""
    if not waiting:
        return
    await store.drop(connection, [w.message_id for w in waiting])
    await store.insert(connection, [row(_told(w, Kind.CANCELLED, "api", None, open_key), at) for w in waiting])
    states = {w.message_id: int(apply(State(w.state), Kind.CANCELLED)) for w in waiting}
    await store.set_states(connection, at, states)


async def refuse(
    connection: Connection, waiting: Sequence[store.Waiting], change: UUID, at: datetime, open_key: KeyOpener
) -> None:
    """Two people looked at held mail and will not have it sent; the caller's transaction has locked it."""
    if not waiting:
        return
    detail = {"reason": "refused-at-review", "sentence": "Held for an unusual volume, and refused by two people."}
    await store.drop(connection, [w.message_id for w in waiting])
    told = [row(_told(w, Kind.CANCELLED, f"release:{change}", detail, open_key), at) for w in waiting]
    await store.insert(connection, told)
    await store.set_states(connection, at, {w.message_id: int(State.CANCELLED) for w in waiting})


@dataclass(frozen=True, slots=True)
class Move:
    """A message's new time, as the gate judged it. held: why it waits beyond that time; None: it does not."""

    waiting: store.Movable
    place: store.NewPlace
    held: Mapping[str, Any] | None = None


async def reschedule(
    connection: Connection, moves: Sequence[Move], due: datetime, at: datetime, open_key: KeyOpener
) -> None:
    """A new time for messages that the caller's transaction has locked and counted in their new windows."""
    key = f"api:{at.isoformat()}"
    detail = {"due": due.isoformat()}
    await store.reschedule(connection, [m.place for m in moves])
    told = [_told(m.waiting, Kind.RESCHEDULED, key, detail, open_key) for m in moves]
    held = [m for m in moves if m.held is not None]
    told += [_told(m.waiting, Kind.HELD, key, m.held, open_key) for m in held]
    await store.set_states(connection, at, {m.waiting.message_id: int(State.HELD) for m in held})
    await store.insert(connection, [row(each, at) for each in told])


def _told(
    waiting: store.Waiting, kind: Kind, source_key: str, detail: Mapping[str, Any] | None, open_key: KeyOpener
) -> Happening:
    key = open_key(waiting.tenant_id, waiting.keyset, waiting.data_key, waiting.person_id)
    return Happening(waiting.message_id, waiting.tenant_id, kind, source_key, key, detail)
