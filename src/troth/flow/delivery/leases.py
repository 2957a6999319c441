"""Delivery's timekeeper: leases in hand are moved on in good time; what has waited here too long goes back."""

import asyncio
from dataclasses import dataclass

import structlog

from troth.flow.delivery.desk import Desk
from troth.flow.delivery.line import Away, Line
from troth.flow.delivery.recording import Recorder
from troth.flow.delivery.work import Back, Work
from troth.store import gate, spool

log = structlog.get_logger("troth.delivery")


@dataclass(slots=True)
class Timekeeper:
    """`run` until the worker is closed: messages on the wire need their lease to the end."""

    line: Line
    desk: Desk
    recorder: Recorder
    closed: asyncio.Event

    async def run(self) -> None:
        """A look every tenth of the lease; a lease is moved on when half of it has passed."""
        lease = self.desk.lease.total_seconds()
        while not self.closed.is_set():
            self._give_back(lease)
            try:
                await self._renew(lease)
            except Away as trouble:
                self.desk.counters.away += 1
                log.warning("delivery.store-away", part="timekeeper", why=type(trouble).__name__)
            await self._rest(lease / 10)
        await self.line.close()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.closed.wait()
        except TimeoutError:
            return

    def _give_back(self, lease: float) -> None:
        """Longer than one lease in the ready queue: this worker has too much, and others may have nothing."""
        clock, ready = asyncio.get_running_loop().time(), self.desk.ready
        old = [work for work in ready if clock - work.claimed_at > lease]
        for work in old:
            ready.remove(work)
            self.recorder.put(work, Back(0.0))

    async def _renew(self, lease: float) -> None:
        clock = asyncio.get_running_loop().time()
        works = [work for work in self.desk.hand.values() if clock - work.leased > lease / 2 and not work.lost]
        if not works:
            return
        async with self.line.visit() as connection:
            now = await gate.now(connection)
            held = await spool.renew(connection, now=now, lease=self.desk.lease, claims=[w.claim for w in works])
        for work in works:
            self._renewed(work, clock, held=work.claimed.message_id in held)

    def _renewed(self, work: Work, clock: float, *, held: bool) -> None:
        if held:
            work.leased = clock
            return
        work.lost = True  # the mark would refuse it, too
        if work in self.desk.ready:
            self.desk.ready.remove(work)
            self.desk.drop(work)
