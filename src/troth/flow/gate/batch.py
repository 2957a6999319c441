"""One accept transaction, step by step: facts, idempotency, counters, the chain, and everything written at once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from troth.flow.gate import consents, volumes
from troth.flow.gate.asks import Answer, Ask, Refusal, Refused, Taken
from troth.flow.gate.judge import Bound, bind, decisions, liveness
from troth.flow.gate.limits import RECIPIENT_DAY, Asked, Shares
from troth.flow.gate.parse import Parsed
from troth.flow.gate.rows import SPOOLED, EmailRows, email_rows, request_row
from troth.flow.gate.world import Memory, World, know_keys, learn
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import Keyring
from troth.outside import meters
from troth.rules.chain import decide_email
from troth.rules.decision import Verdict
from troth.rules.kept import bundle
from troth.rules.problems import PROBLEMS
from troth.rules.states import State
from troth.store import callers, clock
from troth.store import gate as store
from troth.store.connection import Connection

if TYPE_CHECKING:
    from troth.rules.facts import Rate

_MESSAGES = meters.counter("troth_gate_messages_total")
_STATES = {int(state): state.name.lower() for state in State}
_KEPT = timedelta(hours=24)
_MARK = 2**32 - 1
_REPLAYED = 1_000  # messages of one refused request whose facts are kept
_TURN = 4  # emails judged before others have their turn
_SOME = 64  # asks, likewise: the door brings more than the gate's own batches


class _Kept(msgspec.Struct, frozen=True):
    """A 2xx answer as the idempotency row keeps it: ids, and a permissive batch's refusals."""

    ids: tuple[UUID | None, ...]
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where a batch works."""

    connection: Connection
    memory: Memory
    keyring: Keyring


@dataclass(slots=True)
class Item:
    """One ask on its way through. `answer` ends it; `leader` is the ask of the same batch that it repeats."""

    ask: Ask
    parsed: tuple[Parsed, ...]
    caller: store.TenantRow | None = None
    key: store.KeyRow | None = None
    answer: Answer | None = None
    leader: "Item | None" = None
    bounds: tuple[Bound, ...] = ()
    ids: tuple[UUID, ...] = ()
    rows: list[EmailRows] = field(default_factory=list)
    taken_key: bool = False
    facts: list[list[bytes]] = field(default_factory=list)  # kept of the emails that were refused
    live: bool = True  # the caller's key; what a dead one was once told is not told again

    @property
    def kept_key(self) -> tuple[UUID, bytes] | None:
        """The idempotency row's key."""
        if self.ask.idempotency is None or self.caller is None or not self.live:
            return None
        return self.caller.tenant_id, self.ask.idempotency[0]

    @property
    def going(self) -> bool:
        return self.answer is None and self.leader is None


@dataclass(slots=True)
class Batch:
    """The asks of one transaction, answered in their order."""

    at: Places

    async def accept(self, asks: Sequence[tuple[Ask, tuple[Parsed, ...]]]) -> list[Answer]:
        items = [Item(ask, parsed) for ask, parsed in asks]
        async with self.at.connection.transaction():
            world = await self._learn(items)
            _know(items, world)
            _replay(items, world)
            _bind(items, world)
            await consents.learn(self.at.connection, world, [b for item in items for b in item.bounds])
            await self._take_keys(items, world)
            going = [bound for item in items if item.going for bound in item.bounds]
            await volumes.learn(self.at.connection, world.volumes, going, world.now)
            shares = await self._reserve(items)
            for n, item in enumerate(items):
                if n % _SOME == _SOME - 1:
                    await asyncio.sleep(0)
                if item.going:
                    item.answer = await _judge(item, world, shares, self.at.keyring)
            await self._write(items, world, shares)
            seen = {i.key.hash: i.key for i in items if i.key and i.live}
            await callers.used(self.at.connection, seen.values(), world.now)
        for item in items:
            for rows in item.rows:
                for message in rows.messages:
                    _MESSAGES[_STATES[message.state]] += 1
        return [_answer(item) for item in items]

    async def _learn(self, items: Sequence[Item]) -> World:
        connection, memory = self.at.connection, self.at.memory
        hashes = {i.ask.caller.key_hash for i in items if i.ask.caller.key_hash is not None}
        now = await clock.steady(connection)
        await know_keys(connection, memory, hashes)
        system = {i.ask.caller.system_tenant for i in items if i.ask.caller.system_tenant is not None}
        asking = [(tenant, item) for item in items if (tenant := _tenant_of(item, memory)) is not None]
        people = {(t, r.index) for t, i in asking for p in i.parsed for r in p.recipients if r.index is not None}
        keys = {(t, i.ask.idempotency[0]) for t, i in asking if i.ask.idempotency is not None}
        wanted = store.Wanted(
            now, sorted(hashes), sorted(system), sorted({t for t, _ in asking}), sorted(people), sorted(keys)
        )
        named = {(t, p.asked.template) for t, i in asking for p in i.parsed if p.asked.template}
        return await learn(connection, memory, wanted, named)

    async def _take_keys(self, items: Sequence[Item], world: World) -> None:
        """The unique row is what makes two doors agree; whoever is second finds the first one's answer."""
        asking = [i for i in items if i.going and i.kept_key is not None]
        if not asking:
            return
        taken = await store.take_idempotency(
            self.at.connection, world.now, [(_kept_row(i, _Kept(i.ids)), _kept_until(i, world.now)) for i in asking]
        )
        second = [i for i in asking if i.kept_key not in taken]
        for item in asking:
            item.taken_key = item.kept_key in taken
        if second:
            keys = [k for i in second if (k := i.kept_key) is not None]
            found = await store.find_idempotency(self.at.connection, world.now, keys)
            rows = {(k.tenant_id, k.key_hash): k for k in found}
            for item in second:
                item.answer = _from_kept(item, rows.get(item.kept_key or _NOBODY))

    async def _reserve(self, items: Sequence[Item]) -> Shares:
        amounts = _amounts(items)
        if not amounts:
            return Shares({}, {})
        wanted = {c.key: n for c, n in amounts}
        after = await store.reserve(self.at.connection, amounts)
        used = {key: at - wanted[key] for key, at in after.items()}
        # shared out email by email, each under its own cap: the row's must leave room for the widest
        if short := [(c, n) for c, n in _amounts(items, max) if c.key not in after]:
            used |= await store.lock_counters(self.at.connection, short)
        return Shares(used, {key: wanted[key] for key in after})

    async def _write(self, items: Sequence[Item], world: World, shares: Shares) -> None:
        emails = [rows for item in items for rows in item.rows]
        counters = {c.key: c for c, _ in _amounts(items)}
        refused = [i for i in items if i.taken_key and not isinstance(i.answer, Taken)]
        await world.volumes.raise_all(self.at.connection)
        await store.write(
            self.at.connection,
            store.Accepted(
                emails=[e.email for e in emails],
                messages=[m for e in emails for m in e.messages],
                events=[v for e in emails for v in e.events],
                requests=[self._request(i, world) for i in items],
                adjusted=shares.corrections(counters.values()),
                dropped_keys=[k for i in refused if (k := i.kept_key) is not None],
                volumes=world.volumes.statements(world.now),
            ),
            spooled=SPOOLED,
        )
        await self._keep_partial(items)

    async def _keep_partial(self, items: Sequence[Item]) -> None:
        """A permissive batch that lost some of its emails keeps the answer that it really got."""
        for item in items:
            if item.taken_key and isinstance(item.answer, Taken) and item.answer.refused:
                kept = _kept_row(item, _Kept(item.answer.ids, item.answer.refused))
                await store.replace_idempotency(self.at.connection, kept)

    def _request(self, item: Item, world: World) -> store.NewRequest:
        answer, request_id = _answer(item), uuid7(world.now)
        refusal = answer.refusal if isinstance(answer, Refused) else None
        decision = facts = None
        if item.caller is not None and (refusal is not None or item.facts):
            tenant = self.at.keyring.tenant(item.caller.tenant_id, item.caller.keyset)
            if refusal is not None:
                decision = tenant.seal(msgspec.json.encode(refusal.verdicts), places.request(request_id))
            if item.facts and sum(map(len, item.facts)) <= _REPLAYED:
                facts = tenant.seal(bundle(item.facts), places.request_facts(request_id))
        first = next((i for i in answer.ids if i), None) if isinstance(answer, Taken) else None
        return request_row(
            item.ask, world.now, item.caller, item.key,
            status=200 if refusal is None else PROBLEMS[refusal.code].status,
            problem=None if refusal is None else refusal.code, email_id=first, decision=decision, facts=facts,
            request_id=request_id,
        )  # fmt: skip


_NOBODY = (UUID(int=0), b"")


def _tenant_of(item: Item, memory: Memory) -> UUID | None:
    if item.ask.caller.key_hash is not None:
        return memory.tenant_of.get(item.ask.caller.key_hash)
    return item.ask.caller.system_tenant


def _know(items: Sequence[Item], world: World) -> None:
    for item in items:
        caller = item.ask.caller
        item.key = world.keys.get(caller.key_hash) if caller.key_hash else None
        item.live = item.key is None or liveness(item.key, world.now, caller.peer) == "live"
        item.caller = item.key or (world.system.get(caller.system_tenant) if caller.system_tenant else None)
        if item.caller is None:
            item.answer = Refused(Refusal("invalid-api-key", "This API key is not known. Check it, or make a new one."))


def _replay(items: Sequence[Item], world: World) -> None:
    leaders: dict[tuple[UUID, bytes], Item] = {}
    for item in items:
        if item.answer is not None or (place := item.kept_key) is None:
            continue
        if (kept := world.kept.get(place)) is not None:
            item.answer = _from_kept(item, kept)
        elif (leader := leaders.setdefault(place, item)) is not item:
            item.leader = leader


def _from_kept(item: Item, kept: store.KeptAnswer | None) -> Answer:
    assert item.ask.idempotency is not None
    if kept is None:
        return Refused(Refusal("idempotency-in-flight", "The same request is being worked on.", retry_after=1))
    if kept.fingerprint != item.ask.idempotency[1]:
        return _mismatch()
    answer = msgspec.json.decode(kept.answer, type=_Kept)
    return Taken(answer.ids, answer.refused, replayed=True)


def _mismatch() -> Refused:
    return Refused(Refusal("idempotency-mismatch", "This Idempotency-Key was used for another request; use a new one."))


def _answer(item: Item) -> Answer:
    if item.leader is None:
        assert item.answer is not None
        return item.answer
    assert item.ask.idempotency is not None
    assert item.leader.ask.idempotency is not None
    if item.ask.idempotency[1] != item.leader.ask.idempotency[1]:
        return _mismatch()
    first = _answer(item.leader)
    return Taken(first.ids, first.refused, replayed=True) if isinstance(first, Taken) else first


def _bind(items: Sequence[Item], world: World) -> None:
    for item in items:
        if item.going and item.caller is not None:
            item.bounds = tuple(
                bind(world, parsed, item.caller, item.key, item.ask.caller.peer, item.ask.behalf)
                for parsed in item.parsed
            )
            item.ids = tuple(parsed.asked.id or uuid7(world.now) for parsed in item.parsed)


def _kept_row(item: Item, kept: _Kept) -> store.KeptAnswer:
    place, print_ = item.kept_key, item.ask.idempotency
    assert place is not None
    assert print_ is not None
    return store.KeptAnswer(place[0], place[1], print_[1], msgspec.json.encode(kept).decode())


def _kept_until(item: Item, now: datetime) -> datetime:
    return max([now, *(bound.due for bound in item.bounds)]) + (item.ask.kept or _KEPT)


def _asked(item: Item) -> Iterator[Asked]:
    for bound in item.bounds:
        for _, asked in bound.counters:
            yield asked


def _amounts(items: Sequence[Item], choose: Callable[..., Any] = min) -> list[tuple[store.Counter, int]]:
    """Each distinct counter with the sum of what the batch asks of it; the strictest cap of those that differ, or the
    widest.
    """
    sums: dict[store.CounterKey, tuple[store.Counter, int]] = {}
    for item in items:
        for asked in _asked(item):
            counter, before = sums.get(asked.counter.key, (asked.counter, 0))
            chosen = choose(counter, asked.counter, key=lambda c: c.cap)
            sums[asked.counter.key] = (chosen, before + asked.amount)
    return list(sums.values())


async def _judge(item: Item, world: World, shares: Shares, keyring: Keyring) -> Answer:
    """Each email by the chain; all or nothing unless the caller is permissive."""
    before, volume = shares.taken.copy(), world.volumes.mark()
    refused: list[Refusal] = []
    every: list[list[bytes]] = []
    together = item.ids[0].int & _MARK if len(item.ids) > 1 and not item.ask.permissive else 0
    ids: list[UUID | None] = []
    for index, (bound, email_id) in enumerate(zip(item.bounds, item.ids, strict=True)):
        if index % _TURN == _TURN - 1:
            await asyncio.sleep(0)  # a batch of 500 must not keep the door's other callers waiting
        made = decisions(bound, world, shares, together)
        world.volumes.notice(bound, made)
        email = decide_email(made)
        every.append([decision.facts for decision in made])
        if email.refusal is not None:
            verdicts = next(d for d in made if d.outcome is email.refusal.outcome).verdicts
            refused.append(_refusal(email.refusal, verdicts, index))
            ids.append(None)
            item.facts.append(every[-1])
            continue
        shares.take(a for _, a in bound.counters)
        item.rows.append(email_rows(bound, world, keyring, email_id, made))
        world.volumes.take(bound, made, item.rows[-1].messages)
        ids.append(email_id)
    if refused and not (item.ask.permissive and len(refused) < len(ids)):
        shares.taken = before
        world.volumes.back(volume, refused[0].code)
        item.rows.clear()
        item.facts = every  # all of it was refused
        return Refused(refused[0], _left(item, shares), world.now)
    return Taken(tuple(ids), tuple(refused), rates=_left(item, shares), at=world.now)


def _left(item: Item, shares: Shares) -> tuple["Rate", ...]:
    """What is left of each window now; of several (another template, another hour) the one with the least."""
    best: dict[tuple[str, str], Rate] = {}
    shared = {a.counter.key: a for a in _asked(item) if a.counter.scope != RECIPIENT_DAY}
    for asked in shared.values():
        rate = shares.rate(asked)
        old = best.get((rate.scope, rate.window))
        if old is None or rate.limit - rate.used < old.limit - old.used:
            best[rate.scope, rate.window] = rate
    return tuple(best.values())


def _refusal(verdict: Verdict, verdicts: Sequence[Verdict], index: int) -> Refusal:
    return Refusal(
        verdict.code,
        verdict.sentence,
        verdict.field,
        verdict.retry_after,
        index,
        tuple(v.to_document() for v in verdicts),
    )
