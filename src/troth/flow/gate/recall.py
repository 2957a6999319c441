"""The gate's second thoughts: calling an email back, or giving it another time, while nothing of it is marked."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from troth.flow import events
from troth.flow.gate import limits
from troth.flow.gate.asks import Refusal, Refused
from troth.flow.gate.batch import Places
from troth.flow.gate.limits import Asked
from troth.flow.gate.world import World, know_keys, learn
from troth.keys.keyring import Keyring, PersonKey
from troth.rules.rates import slowed
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
    """Everything of the email that is not yet marked."""
    now = await gate.now(at.connection)
    if await events.cancel(at.connection, tenant, email, now, opener(at.keyring)):
        return Recall.DONE
    return Recall.TOO_LATE if await store.email_facts(at.connection, tenant, email) else Recall.MISSING


async def reschedule(at: Places, tenant: UUID, email: UUID, due: datetime) -> Recall | Refused:
    """Only an email that was scheduled, of which nothing was tried yet; its messages are counted again."""
    async with at.connection.transaction():
        now = await clock.steady(at.connection)
        facts = await store.email_facts(at.connection, tenant, email)
        if facts is None or facts.key_hash is None:
            return Recall.MISSING
        waiting = await store.take_for_cancel(at.connection, tenant, email)
        if facts.scheduled_at is None or not waiting or any(_begun(w, now) for w in waiting):
            return Recall.TOO_LATE
        if (refused := await _count(at, facts, waiting, now, due)) is not None:
            return refused
        await events.reschedule(at.connection, waiting, due, now, opener(at.keyring))
    return Recall.DONE


def _begun(waiting: store.Waiting, now: datetime) -> bool:
    """Tried, due, or held for people: such a hold lasts as long as the message, and a new time does not end it.

    One that ends by itself, as quiet hours do, is looked at again at the new time.
    """
    review = waiting.state == State.HELD and waiting.due >= waiting.lifetime_ends
    known = waiting.state in (State.QUEUED, State.CLAIMED, State.HELD)
    return bool(waiting.attempts) or waiting.due <= now or review or not known


async def _count(
    at: Places, facts: store.EmailFacts, waiting: list[store.Waiting], now: datetime, due: datetime
) -> Refused | None:
    assert facts.key_hash is not None
    await know_keys(at.connection, at.memory, [facts.key_hash])
    tenant = waiting[0].tenant_id
    world = await learn(at.connection, at.memory, gate.Wanted(now, [facts.key_hash], (), [tenant], (), ()))
    asked = _asked(world, facts, waiting, due)
    if asked is None:
        return _unknown()
    amounts = [(a.counter, a.amount) for a in asked]
    reserved = await gate.reserve(at.connection, amounts)
    spent = next((a for a in asked if a.counter.key not in reserved), None)
    if spent is None:
        return None
    await gate.give_back(at.connection, [(c, n) for c, n in amounts if c.key in reserved])
    scope, window = limits.names(spent.counter.scope)
    sentence = f"The {scope} has no room left in the {window} of the new time. Choose another."
    return Refused(
        Refusal("rate-limited", sentence, "scheduled_at", max(1, int((spent.resets_at - now).total_seconds())))
    )


def _asked(world: World, facts: store.EmailFacts, waiting: list[store.Waiting], due: datetime) -> list[Asked] | None:
    key = world.keys.get(facts.key_hash or b"")
    category = next((g for g in world.governed.values() if g.subject == facts.category_id), None)
    if key is None or category is None:
        return None
    resolved = world.policy(key, world.version(key.tenant_id, "category", category.code), key.scope_snapshot)
    if resolved is None:
        return None
    what = facts.template_subject or category.subject  # whatever version the template has by now
    places = limits.Windows(key.tenant_id, key.timezone, key.key_id, what, due)
    slow = slowed(world.paused(key.tenant_id, category.subject), resolved.policy)
    shared = limits.shared(places, resolved.policy, len(waiting), slow=slow)
    return [*shared, *(limits.personal(places, resolved.policy, w.blind_index) for w in waiting)]


def _unknown() -> Refused:
    return Refused(Refusal("store-unavailable", "What governs this email could not be looked up. Try again.", None, 5))
