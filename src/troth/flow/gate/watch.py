"""The gate's watch, as duties: counts every client's volume anew, weighs bounces and complaints, raises what is
unusual, tells of reviews that are late, and carries out what two people decided of held mail.

The gate itself judges each message by the same rule and the same counts (volume_usual), so nothing here is what a burst
waits for: the watch finds what no accepting shows, such as a mean that fell.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from troth.flow import events
from troth.rules.anomaly import WINDOWS, judge, weigh
from troth.rules.policy import Policy, PolicyError, resolve
from troth.rules.profile import load_profile
from troth.store import gate
from troth.store import volumes as store
from troth.store.connection import Connection
from troth.store.volumes import FIRST, Finding, GaugeRow, Order, PolicyRow, Shares, Watched

log = structlog.get_logger("troth.watch")
_TOGETHER = 50  # clients of one transaction
_PART = 200  # held messages of one transaction
_PARTS = 50  # of one order, before others have their turn
_LOOKED = 5_000  # held messages of one look at what became of them
JUMP = timedelta(minutes=1)  # by which the machine's clock may differ from the time that passed


@dataclass(slots=True)
class Clock:
    """Whether the machine's clock went on as time did: seen by this process, which asks every few seconds."""

    monotonic: Callable[[], float] = time.monotonic
    _last: tuple[float, datetime] | None = None

    async def look(self, connection: Connection) -> bool:
        """True when it jumped; then, for a day, the windows reach back by so much more."""
        passed, wall = self.monotonic(), await store.wall(connection)
        last, self._last = self._last, (passed, wall)
        jump = wall - last[1] - timedelta(seconds=passed - last[0]) if last else timedelta(0)
        if abs(jump) <= JUMP:
            return False
        await store.doubt(connection, jump)
        log.warning("watch.clock-jumped", seconds=round(jump.total_seconds()))
        return True


@dataclass(slots=True)
class Watch:
    """`look` goes over every client once. Policies are kept by the snapshots that they come from."""

    _policies: dict[tuple[object, ...], Policy | None] = field(default_factory=dict)

    async def look(self, connection: Connection) -> int:
        """How many anomalies were raised."""
        raised, after = 0, FIRST
        while clients := await store.watched(connection, after, _TOGETHER):
            after = clients[-1].tenant_id
            async with connection.transaction():
                raised += await self._look(connection, clients)
        late = await store.overdue(connection)
        if late:
            log.warning("watch.review-late", anomalies=late)
        return raised

    async def _look(self, connection: Connection, clients: list[Watched]) -> int:
        now = await gate.now(connection)
        gauges = {g.tenant_id: g for g in await store.lock(connection, [c.tenant_id for c in clients], now)}
        rows = await store.policies(connection, [c.tenant_id for c in clients])
        policies = {c.tenant_id: self._policy(c, rows) for c in clients}
        hours = {t: p.anomaly.ratio_hours for t, p in policies.items() if p is not None}
        weighed = {s.tenant_id: s for s in await store.shares(connection, hours)}
        raised = 0
        for tenant, policy in policies.items():
            if policy is None:
                log.warning("watch.no-policy", tenant=str(tenant))
                continue  # the gate refuses all of its mail for the same reason
            await self._show(connection, gauges[tenant], policy)
            for found in _findings(gauges[tenant], weighed.get(tenant), policy):
                raised += await _raise(connection, found)
        return raised

    async def _show(self, connection: Connection, gauge: GaugeRow, policy: Policy) -> None:
        rules = policy.anomaly
        floor = rules.floor if len(gauge.previous) >= WINDOWS else rules.first_week_floor
        await store.show(connection, gauge.tenant_id, percent=rules.percent, floor=floor, action=rules.action)

    def _policy(self, client: Watched, rows: Iterable[PolicyRow]) -> Policy | None:
        """What is in force for the client, above its categories."""
        wanted = ((None, f"programme:{client.programme}"), (None, "operator"), (client.tenant_id, "tenant"))
        found = {(r.tenant_id, r.code): r for r in rows if (r.tenant_id, r.code) in wanted}
        promise, operator, tenant = (found.get(place) for place in wanted)
        if promise is None:
            return None
        place = (*(r and r.snapshot_id for r in (promise, operator, tenant)), client.profile, client.plan)
        if place not in self._policies:
            documents = [("promise", json.loads(promise.artefact)), ("operator", _document(operator)),
                         ("plan", load_profile(client.profile).plans.get(client.plan)),
                         ("tenant", _document(tenant))]  # fmt: skip
            self._policies[place] = _resolved(documents)
        return self._policies[place]


def _document(row: PolicyRow | None) -> Any:
    return None if row is None else json.loads(row.artefact)


def _resolved(documents: list[tuple[str, Any]]) -> Policy | None:
    try:
        return resolve([(level, document) for level, document in documents if document])
    except PolicyError:
        return None


def _findings(gauge: GaugeRow, shares: Shares | None, policy: Policy) -> Iterable[Finding]:
    rules = policy.anomaly
    found = judge(gauge.recent, gauge.previous, policy, gauge.reviewed)
    if found.action is not None:
        yield Finding(gauge.tenant_id, "volume", found.action, rules.review_minutes, gauge.recent, sum(gauge.previous),
                      rules.percent, found.floor, found.sentence)  # fmt: skip
    if shares is None:
        return
    for cause, n, of_n in (("bounce", shares.bounced, shares.answered), ("complaint", shares.complained, shares.taken)):
        share = weigh(cause, n, of_n, policy)
        if share.action is not None:
            yield Finding(gauge.tenant_id, cause, share.action, rules.review_minutes, n, of_n, share.permille,
                          share.sample, share.sentence)  # fmt: skip


async def _raise(connection: Connection, found: Finding) -> bool:
    made = await store.raise_anomaly(connection, found)
    if made is None:
        return False
    log.warning("watch.anomaly", tenant=str(found.tenant), cause=found.cause, action=found.action, n=found.n)
    return True


# ---- held mail


@dataclass(slots=True)
class Held:
    """Carries out orders about held mail, in parts, and keeps in sight what became of it."""

    open_key: events.KeyOpener
    _after: UUID = FIRST

    async def work(self, connection: Connection) -> int:
        """How many messages were let go or refused."""
        n = 0
        for order in await store.orders(connection):
            n += await self._carry_out(connection, order)
        await self._settle(connection)
        return n

    async def _carry_out(self, connection: Connection, order: Order) -> int:
        n, after = 0, FIRST
        for _ in range(_PARTS):
            async with connection.transaction():
                now = await gate.now(connection)
                ids = await store.ordered(connection, order, after, _PART)
                done = await self._part(connection, order, ids, now) if ids else 0
                await store.done(connection, order.change_id, done, over=not ids)
            n += done
            if not ids:
                break
            after = ids[-1]
        return n

    async def _part(self, connection: Connection, order: Order, ids: list[UUID], now: datetime) -> int:
        if order.act == "release":
            return await store.release(connection, ids, order.change_id)
        waiting = await store.take_held(connection, ids)
        await events.refuse(connection, waiting, order.change_id, now, self.open_key)
        return len(waiting)

    async def _settle(self, connection: Connection) -> None:
        self._after = await store.settled(connection, self._after, _LOOKED) or FIRST


# ---- as duties

type Run = Callable[[Connection], Awaitable[object]]


@dataclass(slots=True)
class Own:
    """A connection beside the one that all duties share, since these have transactions; one of them at a time."""

    connect: Callable[[str], Awaitable[Connection]]
    _connection: Connection | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def duty(self, work: Run) -> Run:
        async def run(_: Connection) -> object:
            async with self._turn:
                if self._connection is None or self._connection.closed:
                    self._connection = await self.connect("watch")
                return await work(self._connection)

        return run

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def duties(own: Own, open_key: events.KeyOpener) -> tuple[tuple[str, float, Run], ...]:
    """Name, seconds between two, and what is done: for flow/duties.py, which keeps them."""
    clock, watch, held = Clock(), Watch(), Held(open_key)
    return (
        ("the machine's clock", 2, own.duty(clock.look)),
        ("unusual volumes", 20, own.duty(watch.look)),
        ("orders about held mail", 1, own.duty(held.work)),
        ("sweeping volumes", 3600, own.duty(store.sweep)),
    )
