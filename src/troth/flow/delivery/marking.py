"""Delivery's last door: marks composed messages in groups no larger than the free connections, and only what the mark
let through, once it is committed, is put on the wire.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from troth.flow.delivery.desk import Desk
from troth.flow.delivery.line import Away, Line
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.recording import Recorder
from troth.flow.delivery.smtp_types import Answer
from troth.flow.delivery.work import Back, Work
from troth.outside import meters
from troth.rules.mark import MarkVerdict
from troth.store import spool

BEGIN_WITHIN = 2.0  # seconds from the mark's start to the wire; later, the checks are too old and it goes back
TOGETHER = 0.004  # seconds that free connections wait for others, since each mark is a commit
SOON = 0.2  # seconds until what was marked and not begun is due again
DOWN_DELAY = 15.0  # seconds for what waits while the route cannot be reached at all

_MARK, _SMTP = meters.histogram("troth_mark_seconds"), meters.histogram("troth_smtp_seconds")
log = structlog.get_logger("troth.delivery")


def route_down(pool: Pool) -> bool:
    """No connection works and none can be made: a relay that only takes fewer than we want is not down."""
    health = pool.health
    return bool(health.failing) and not health.busy and pool.free <= 1


@dataclass(slots=True)
class Marker:
    """`run` until the desk is stopping; `sent` waits for the answers to what is on the wire."""

    line: Line
    desk: Desk
    recorder: Recorder
    pool: Pool
    group: int
    _sends: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        desk, waited = self.desk, False
        while not desk.stopping:
            if route_down(self.pool):
                self.relieve(keep=1)
            if self._too_few() and not waited:
                waited = True
                await asyncio.sleep(TOGETHER)
                continue
            waited = False
            works = self._take(0 if self.recorder.full else min(self._room, self.group))
            if not works:
                await desk.listen(0.25)
                continue
            try:
                await self._mark(works)
            except Away as trouble:
                self._away(trouble, works)
                await desk.listen(self.line.wait)
        await self.line.close()

    def _too_few(self) -> bool:
        """Other connections are about to be free: one mark may as well serve them too."""
        room = self._room
        return 0 < room < self.group // 2 and self.desk.exposed > room

    @property
    def _room(self) -> int:
        """Free connections, but never more unrecorded marks than connections: so many may become uncertain at once."""
        return min(self.pool.free, self.pool.route.max_connections - self.desk.exposed)

    async def sent(self) -> None:
        """Returns when every message on the wire has its answer."""
        while self._sends:
            await asyncio.wait(self._sends)

    def _take(self, room: int) -> list[Work]:
        ready = self.desk.ready
        works = [ready.popleft() for _ in range(min(room, len(ready)))]
        return [work for work in works if not work.lost]

    def relieve(self, keep: int = 0) -> None:
        """Give back what waits: others may have a better way, or this worker is going home."""
        ready = self.desk.ready
        while len(ready) > keep:
            self.recorder.put(ready.pop(), Back(DOWN_DELAY if keep else 0.0))

    def _away(self, trouble: BaseException, works: Sequence[Work]) -> None:
        """Whether they were marked is not known; nothing of them is on the wire, so they go back either way."""
        self.desk.counters.away += 1
        log.warning("delivery.store-away", part="marker", why=type(trouble).__name__)
        for work in works:
            self.recorder.put(work, Back(0.0, marked=True))

    async def _mark(self, works: list[Work]) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        self.desk.expose(works)
        async with self.line.visit() as connection:
            verdicts = await spool.mark(
                connection,
                claims=[w.claim for w in works],
                lease=self.desk.lease,
                route=self.pool.route.name,
                quiet_from=[w.quiet_from for w in works],
            )
        _MARK.observe(clock() - began)
        passed = [work for work in works if not self._stopped(work, MarkVerdict(verdicts[work.claimed.message_id]))]
        self.desk.counters.marked += len(passed)
        for work in passed:
            work.marked, work.leased = True, began
        if clock() - began > BEGIN_WITHIN or self.desk.stopping:
            for work in passed:
                self.recorder.put(work, Back(SOON, marked=True))
        elif passed:
            self._send(passed)
            await asyncio.sleep(0)  # the pool has them now, so that the next look at what is free counts them

    def _stopped(self, work: Work, verdict: MarkVerdict) -> bool:
        if verdict is MarkVerdict.OK:
            return False
        self.desk.counters.stale += verdict is MarkVerdict.STALE_TOKEN
        self.recorder.put(work, verdict)
        return True

    def _send(self, works: list[Work]) -> None:
        task = asyncio.create_task(self._sending({work.claimed.message_id: work for work in works}))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _sending(self, works: dict[UUID, Work]) -> None:
        desk, clock = self.desk, asyncio.get_running_loop().time
        desk.sending += len(works)
        began = clock()
        patience = began + BEGIN_WITHIN * 0.95

        def answered(answer: Answer) -> None:
            desk.sending -= 1
            _SMTP.observe(clock() - began)
            waited = clock() >= patience or not self.pool.health.failing
            self.recorder.put(works[answer.key], Back(SOON, marked=True) if waited and _no_try(answer) else answer)
            desk.ring()

        envelopes = [work.composed.envelope for work in works.values() if work.composed]
        await self.pool.send_many(envelopes, answered, wait=BEGIN_WITHIN)


def _no_try(answer: Answer) -> bool:
    """No session was tried with it, or the try to make one failed: the time and the route's health tell which."""
    return answer.outcome == "unsent" and answer.phase == "connect" and answer.code is None
