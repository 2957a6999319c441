"""Delivery's pen: outcomes become events and new places, many in one transaction; those that the store could not take
are kept and written when it is back.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import structlog

from troth.flow import events
from troth.flow.delivery.desk import Desk, pause
from troth.flow.delivery.line import Away, Line
from troth.flow.delivery.policies import Policies
from troth.flow.delivery.releasing import Releases
from troth.flow.delivery.settling import Bench, judge, late, needs_policy
from troth.flow.delivery.work import Back, Found, Outcome, Work
from troth.rules.states import IllegalTransition, Kind
from troth.store import gate, spool
from troth.store.connection import Connection, Unavailable

if TYPE_CHECKING:
    from uuid import UUID

GATHER = 0.03  # seconds that outcomes are gathered, unless there are plenty
MOST = 256  # outcomes in one transaction
ENOUGH = 2_000  # outcomes not yet on record, above which nothing new is marked
BROKEN_DELAY = 60.0  # seconds until a message that a fault of ours kept from being judged is looked at again

log = structlog.get_logger("troth.delivery")

type Item = tuple[Work, Outcome]
_COUNT_ANEW = (Found.RELEASED, Found.HOLD_OVER)

_COUNTED = {
    Kind.SENT: "sent", Kind.DEFERRED: "deferred", Kind.BOUNCED: "bounced", Kind.FAILED: "failed", Kind.HELD: "held",
    Kind.EXPIRED: "expired", Kind.SUPPRESSED: "suppressed", Kind.CANCELLED: "cancelled", Kind.UNCERTAIN: "uncertain",
}  # fmt: skip


@dataclass(slots=True)
class Recorder:
    """`put` never waits and never fails; `run` writes until `finish` has emptied it or run out of time."""

    line: Line
    desk: Desk
    policies: Policies
    seal: Callable[[bytes, bytes], bytes]
    open_key: events.KeyOpener
    plenty: int
    route: str
    releases: Releases = field(default_factory=Releases)
    _items: list[Item] = field(default_factory=list)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: bool = False

    def put(self, work: Work, outcome: Outcome) -> None:
        self._items.append((work, outcome))
        self._bell.set()
        if len(self._items) >= self.plenty:
            self._enough.set()

    @property
    def full(self) -> bool:
        """The store takes less than the next hop gives: mark no more until it has caught up."""
        return len(self._items) >= ENOUGH

    async def run(self) -> None:
        """Until told to end and all is written; the caller bounds the end by cancelling."""
        while not (self._ending and not self._items):
            await self._bell.wait()
            if len(self._items) < self.plenty:
                self._enough.clear()
                await pause(self._enough, GATHER)
            await self._write()
        await self.line.close()

    def finish(self) -> None:
        self._ending = True
        self._bell.set()
        self._enough.set()

    async def _write(self) -> None:
        items = self._items[:MOST]
        try:
            if items:
                async with self.line.visit() as connection:
                    await self._record(connection, items)
        except Away as trouble:
            self.desk.counters.away += 1
            log.warning("delivery.store-away", part="recorder", kept=len(self._items), why=type(trouble).__name__)
            await asyncio.sleep(self.line.wait)
            return
        del self._items[: len(items)]
        for work, _ in items:
            self.desk.drop(work)
        if not self._items and not self._ending:
            self._bell.clear()
        self.desk.ring()

    async def _record(self, connection: Connection, items: Sequence[Item]) -> None:
        now = await gate.now(connection)
        backs = [
            (work, back)
            for work, outcome in items
            if isinstance(outcome, Found) and outcome in _COUNT_ANEW
            and (back := await self._release(connection, work, outcome, now)) is not None
        ]  # fmt: skip
        items = [(w, o) for w, o in items if not (isinstance(o, Found) and o in _COUNT_ANEW)]
        pairs = {(w.claimed.tenant_id, w.claimed.category_id) for w, o in items if needs_policy(o)}
        if pairs:
            await self.policies.freshen(connection, pairs, asyncio.get_running_loop().time())
        judged = [
            (work, self._judge(work, outcome, Bench(self.policies.of, now, self.seal))) for work, outcome in items
        ]
        settled = [(work, s) for work, s in judged if isinstance(s, events.Settlement)]
        if settled:
            await self._settle(connection, settled, now)
        await self._return(connection, [*backs, *((work, b) for work, b in judged if isinstance(b, Back))], now)

    def _judge(self, work: Work, outcome: Outcome, bench: Bench) -> "events.Settlement | Back | None":
        try:
            return judge(work, outcome, bench)
        except Exception:  # one message's fault must not keep the others from being recorded
            self.desk.counters.broken += 1
            log.exception("delivery.cannot-judge", message=str(work.claimed.message_id))
            return None if work.marked else Back(BROKEN_DELAY)

    async def _settle(
        self, connection: Connection, settled: "Sequence[tuple[Work, events.Settlement]]", now: datetime
    ) -> None:
        mine = await self._settled(connection, [s for _, s in settled], now)
        self._count([s for _, s in settled if s.message_id in mine])
        reports = [r for work, s in settled if s.message_id not in mine and (r := late(work, s))]
        for report in reports:  # rare, and each by itself: one that does not fit must not take the others along
            try:
                self.desk.counters.late += len(await events.report(connection, [report], now, self.open_key))
            except Unavailable:
                raise
            except (IllegalTransition, psycopg.Error) as error:
                self.desk.counters.broken += 1
                log.warning("delivery.late-answer-misfits", message=str(report.message_id), why=type(error).__name__)

    async def _release(self, connection: Connection, work: Work, outcome: Found, now: datetime) -> Back | None:
        """Each in a transaction of its own, so that its counters are locked for as short as can be."""
        try:
            if outcome is Found.RELEASED:
                found: events.Settlement | Back | None = await self.releases.settle(connection, work, now)
            else:
                found = await self.releases.hold_over(connection, work, now, self.route)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one message's fault must not keep the others; its lease brings it back
            self.desk.counters.broken += 1
            log.error("delivery.cannot-release", message=str(work.claimed.message_id), why=type(error).__name__)  # noqa: TRY400 - a traceback would quote values
            return None
        if isinstance(found, events.Settlement):
            self._count([found])
        return found if isinstance(found, Back) else None

    async def _settled(
        self, connection: Connection, settlements: "Sequence[events.Settlement]", now: datetime
    ) -> "set[UUID]":
        """One transaction; if the store refuses something in it, one for each."""
        try:
            return await events.settle(connection, settlements, now)
        except Unavailable:
            raise
        except psycopg.Error:
            mine: set[UUID] = set()
            for settlement in settlements:
                try:
                    mine |= await events.settle(connection, [settlement], now)
                except Unavailable:
                    raise
                except psycopg.Error as error:
                    self.desk.counters.broken += 1
                    log.error("delivery.refused-by-store", message=str(settlement.message_id), sqlstate=error.sqlstate)  # noqa: TRY400 - a traceback would quote values
            return mine

    async def _return(self, connection: Connection, backs: Sequence[tuple[Work, Back]], now: datetime) -> None:
        groups: dict[tuple[float, bool], list[Work]] = {}
        for work, back in backs:
            groups.setdefault((back.delay, back.marked), []).append(work)
        for (delay, marked), works in groups.items():
            due, claims = now + timedelta(seconds=delay), [w.claim for w in works]
            returned = await spool.unmark(connection, due=due, claims=claims) if marked else set()
            left = [claim for claim in claims if claim[0] not in returned]
            if left:  # also after a mark whose answer was lost: it may not have happened
                returned |= await spool.give_back(connection, due=due, claims=left)
            self.desk.counters.returned += len(returned)

    def _count(self, settlements: "Sequence[events.Settlement]") -> None:
        counters = self.desk.counters
        names = [_COUNTED.get(happening.kind) for settlement in settlements for happening in settlement.happenings]
        for name in filter(None, names):
            setattr(counters, name, getattr(counters, name) + 1)
