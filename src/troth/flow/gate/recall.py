"""The gate's second thoughts: calling an email back, or giving it another time, while nothing of it is marked."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from troth.flow import events
from troth.flow.gate import consents, limits, moving
from troth.flow.gate.asks import Refusal, Refused
from troth.flow.gate.batch import Places
from troth.flow.gate.world import know_keys, learn
from troth.keys.keyring import Keyring, PersonKey
from troth.rules.states import State
from troth.store import clock, gate
from troth.store import events as store


class Recall(StrEnum):
    """DONE; MISSING: no such email of this tenant; TOO_LATE: it was sent, is being sent, or was never scheduled."""

    DONE = "done"
    MISSING = "missing"
    TOO_LATE = "too-late"


def opener(keyring: Keyring) -> events.KeyOpener:
    """How events come by a person's key; None for an erased one."""

    def open_key(tenant_id: UUID, keyset: bytes, data_key: bytes | None, person_id: UUID) -> PersonKey | None:
        return None if data_key is None else keyring.tenant(tenant_id, keyset).person(data_key, person_id)

    return open_key


async def cancel(at: Places, tenant: UUID, email: UUID) -> Recall:
    """Everything of the email that is not yet marked; what it was counted in and has not begun is given back."""
    async with at.connection.transaction():
        now = await gate.now(at.connection)
        waiting = await store.take_for_cancel(at.connection, tenant, email)
        facts = await store.email_facts(at.connection, tenant, email)
        if facts is None or not waiting:
            return Recall.MISSING if facts is None else Recall.TOO_LATE
        await events.call_back(at.connection, waiting, now, opener(at.keyring))
        if freed := moving.given_back(facts, waiting, now):
            await gate.free(at.connection, freed)
    return Recall.DONE


async def reschedule(at: Places, tenant: UUID, email: UUID, due: datetime) -> Recall | Refused:
    """Only an email that was scheduled, of which nothing was tried yet; its messages are judged and counted again."""
    async with at.connection.transaction():
        now = await clock.steady(at.connection)
        facts = await store.email_facts(at.connection, tenant, email)
        if facts is None or facts.key_hash is None:
            return Recall.MISSING
        waiting = await store.take_for_cancel(at.connection, tenant, email)
        if facts.scheduled_at is None or not waiting or any(_begun(w, now) for w in waiting):
            return Recall.TOO_LATE
        moves = await _moved(at, facts, waiting, now, due)
        if isinstance(moves, Refused):
            return moves
        await events.reschedule(at.connection, moves, due, now, opener(at.keyring))
    return Recall.DONE


def _begun(waiting: store.Waiting, now: datetime) -> bool:
    """Tried, due, or held for people: such a hold lasts as long as the message, and a new time does not end it.

    One that ends by itself, as quiet hours do, is looked at again at the new time.
    """
    review = waiting.state == State.HELD and waiting.due >= waiting.lifetime_ends
    known = waiting.state in (State.QUEUED, State.CLAIMED, State.HELD)
    return bool(waiting.attempts) or waiting.due <= now or review or not known


async def _moved(
    at: Places, facts: store.EmailFacts, waiting: list[store.Movable], now: datetime, due: datetime
) -> list[events.Move] | Refused:
    """Judged by what is in force now, and counted."""
    assert facts.key_hash is not None
    await know_keys(at.connection, at.memory, [facts.key_hash])
    wanted = gate.Wanted(now, [facts.key_hash], (), [waiting[0].tenant_id], (), ())
    by = moving.ruled(await learn(at.connection, at.memory, wanted), facts)
    if by is None:
        return _unknown()
    told = await consents.told(at.connection, moving.asks_consent(by, waiting))
    moves = moving.judged(by, waiting, now, due, told)
    if isinstance(moves, Refusal):
        return Refused(moves)
    return await _recounted(at, by, moves, now) or moves


async def _recounted(at: Places, by: moving.Ruled, moves: list[events.Move], now: datetime) -> Refused | None:
    """All counters in one order, those that give back with those that take; without room nothing is changed."""
    recount = moving.recounted(by, moves, now)
    amounts = list(recount.amounts.values())
    if not amounts:
        return None
    used = await gate.lock_counters(at.connection, amounts)
    if (short := recount.short(used)) is not None:
        scope, window = limits.names(short.scope)
        sentence = f"The {scope} has no room left in the {window} of the new time. Choose another."
        wait = max(1, int((recount.resets_at[short.key] - now).total_seconds()))
        return Refused(Refusal("rate-limited", sentence, "scheduled_at", wait))
    await gate.adjust(at.connection, [(c, max(n, -used[c.key])) for c, n in amounts])
    return None


def _unknown() -> Refused:
    return Refused(Refusal("store-unavailable", "What governs this email could not be looked up. Try again.", None, 5))
