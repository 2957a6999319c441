"""The gate's second judgement, of an email that gets another time: each check whose answer depends on the time is asked
again as for a new email, and where each message goes then and is counted comes out. Pure.
"""

from collections import Counter as Sum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.flow.events import Move
from troth.flow.gate import limits
from troth.flow.gate.asks import Refusal
from troth.flow.gate.judge import on_consent
from troth.flow.gate.world import Resolved, Version, World
from troth.rules import facts as f
from troth.rules.checks import consent_held, quiet_hours, schedule
from troth.rules.consent import NEEDED, Entry, lawful_basis, standing
from troth.rules.decision import Decision, Outcome, combine
from troth.rules.rates import slowed
from troth.rules.states import State
from troth.store import events as store
from troth.store import gate

_FIELD = "scheduled_at"
_NONE: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruled:
    """What governs an email now."""

    key: gate.KeyRow
    category: Version
    resolved: Resolved
    what: UUID  # the template's subject, or the category's
    slow: bool

    def places(self, due: datetime) -> limits.Windows:
        return limits.Windows(self.key.tenant_id, self.key.timezone, self.key.key_id, self.what, due)


def ruled(world: World, facts: store.EmailFacts) -> Ruled | None:
    """None when what governs it cannot be found."""
    key = world.keys.get(facts.key_hash or b"")
    row = next((g for g in world.governed.values() if g.subject == facts.category_id), None)
    if key is None or row is None:
        return None
    category = world.version(key.tenant_id, "category", row.code)
    resolved = world.policy(key, category, key.scope_snapshot)
    if category is None or resolved is None:
        return None
    slow = slowed(world.paused(key.tenant_id, row.subject), resolved.policy)
    return Ruled(key, category, resolved, facts.template_subject or row.subject, slow)


def asks_consent(by: Ruled, waiting: Iterable[store.Movable]) -> list[UUID]:
    """Whose consent must be looked up: everybody's, where the category has come to need it."""
    return [w.person_id for w in waiting if w.on_consent or on_consent(by.category)]


def judged(
    by: Ruled, waiting: Sequence[store.Movable], now: datetime, due: datetime, consents: Mapping[UUID, list[Entry]]
) -> list[Move] | Refusal:
    """Each message's new place, or why there is none: the first refusal is that of the whole email."""
    moves = []
    for one in waiting:
        facts = _facts(by, one, now, due, consents)
        decision = _decided(facts)
        if decision.outcome is Outcome.REFUSE:
            said = decision.deciding
            told = tuple(v.to_document() for v in decision.verdicts)
            return Refusal(said.code, said.sentence, said.field, said.retry_after, verdicts=told)
        moves.append(_move(by, one, facts, decision, due))
    return moves


def _decided(facts: f.Facts) -> Decision:
    far = schedule.check(facts)
    if far.outcome is Outcome.REFUSE:  # before the calendar's end is reached
        return combine([far])
    return combine([far, consent_held.check(facts), quiet_hours.check(facts)])


def _facts(
    by: Ruled, one: store.Movable, now: datetime, due: datetime, consents: Mapping[UUID, list[Entry]]
) -> f.Facts:
    """What those checks look at; nothing else is asked again here, and the mark asks for all that may change."""
    needed = one.on_consent or on_consent(by.category)
    row, basis = by.category.row, NEEDED if needed else lawful_basis(by.category.artefact)
    return f.Facts(
        now=now, policy=by.resolved.policy, key=None, template=None, domain=None, suppression=None, opted_out=None,
        rates=(), tenant=f.Tenant(str(by.key.tenant_id), "active", timezone=by.key.timezone),
        category=f.Category(row.code, row.code, str(row.snapshot_id), row.version, approved=True, sender_addr="",
                            sender_domain="", lawful_basis=basis),
        email=f.Email(None, 1, 0, raw=False, scheduled_at=due),
        recipient=f.Recipient("verified", field=_FIELD, timezone=one.timezone),
        consent=standing(consents.get(one.person_id, _NONE), str(row.subject), due) if needed else f.UNASKED,
    )  # fmt: skip


def _move(by: Ruled, one: store.Movable, facts: f.Facts, decision: Decision, due: datetime) -> Move:
    """Its life counts from the time asked for, and ends with the consent."""
    ends = due + timedelta(minutes=by.resolved.policy.delivery.lifetime_minutes)
    if (until := consent_held.until(decision)) is not None:
        ends = min(ends, until)
    quiet = next((v for v in decision.verdicts if v.outcome is Outcome.HOLD), None)
    goes = quiet.until if quiet is not None and quiet.until is not None else due
    state = State.QUEUED if quiet is None else State.HELD
    held = None if quiet is None else {"reason": quiet.code, "sentence": quiet.sentence, "until": goes.isoformat()}
    day = limits.day_of(goes, by.key.timezone)[0]
    place = store.NewPlace(
        one.message_id, int(state), min(goes, ends), ends, goes, day, facts.consent is not f.UNASKED
    )  # fmt: skip
    return Move(one, place, held)


# ---- what is counted where


@dataclass(frozen=True, slots=True)
class Recount:
    """What each counter is to take (positive) or to give back; `resets_at` of those that take."""

    amounts: Mapping[gate.CounterKey, tuple[gate.Counter, int]]
    resets_at: Mapping[gate.CounterKey, datetime]

    def short(self, used: Mapping[gate.CounterKey, int]) -> gate.Counter | None:
        """The first counter without room."""
        return next((c for k, (c, n) in self.amounts.items() if n > 0 and used[k] + n > c.cap), None)


def recounted(by: Ruled, moves: Iterable[Move], now: datetime) -> Recount:
    """A window that a message stays in is left as it is; one that it leaves gives back what has not begun."""
    sums: Sum[gate.CounterKey] = Sum()
    counters: dict[gate.CounterKey, gate.Counter] = {}
    resets: dict[gate.CounterKey, datetime] = {}
    for move in moves:
        one, places = move.waiting, by.places(move.place.counted)
        asked = [*limits.shared(places, by.resolved.policy, 1, slow=by.slow),
                 limits.personal(places, by.resolved.policy, one.blind_index)]  # fmt: skip
        caps = {a.counter.scope: a.counter.cap for a in asked}
        before = limits.counted_in(by.places(one.counted), one.blind_index, one.counted_day)
        for each in asked:
            c = each.counter
            place = (c.scope, c.subject, c.window_start)
            if place in before:
                before.remove(place)
                continue
            sums[c.key] += 1
            counters[c.key], resets[c.key] = c, each.resets_at
        for scope, subject, start in before:
            if start > now:
                c = gate.Counter(by.key.tenant_id, scope, subject, start, caps[scope])
                sums[c.key] -= 1
                counters.setdefault(c.key, c)
    return Recount({k: (counters[k], n) for k, n in sums.items() if n}, resets)


def given_back(
    facts: store.EmailFacts, waiting: Iterable[store.Movable], now: datetime
) -> list[tuple[gate.Counter, int]]:
    """What messages that are called back were counted in, of windows that have not begun; not of Troth's own mail."""
    sums: Sum[gate.Counter] = Sum()
    if facts.key_id is None:
        return []
    what = facts.template_subject or facts.category_id
    for one in waiting:
        places = limits.Windows(one.tenant_id, "UTC", facts.key_id, what, one.counted)
        for scope, subject, start in limits.counted_in(places, one.blind_index, one.counted_day):
            if start > now:
                sums[gate.Counter(one.tenant_id, scope, subject, start, 0)] += 1
    return list(sums.items())
