"""Webhooks, sending: one process of the stage. A round settles what ended and claims what is due, on one connection;
deliveries run beside it, each a task, so that none waits for another's network and no transaction for any.

At least once: a claim is a lease with a fencing token; what a dead process had claimed is claimed again.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import psycopg
import structlog

from troth.flow.webhooks import judging
from troth.flow.webhooks.counters import Counters
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.housekeeping import keep_house
from troth.flow.webhooks.judging import Attempt, Failed, Unmade
from troth.flow.webhooks.loading import Loader, Post
from troth.keys.hook_secret import signed_headers
from troth.outside import meters
from troth.outside.guarded_http import Answer, NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress
from troth.store import hooks as store
from troth.store.connection import Connection, Unavailable
from troth.store.hooks import GIVEN_UP, Claimed, Clocks, EndpointDue

log = structlog.get_logger("troth.webhooks")
AT_ONCE = 256  # deliveries of one process
TO_ONE = 8  # of them to one endpoint
ILL = 5  # failures in a row, and one delivery at a time is enough to see how it does
LEASE = timedelta(seconds=60)  # four times what a delivery may take
_POLL, _IDLE = 0.1, 1.0  # seconds between two rounds
_AGENT = "Troth-Webhooks/1"


@dataclass(slots=True)
class Sender:
    """Runs until `stop`. `busy` are the claims under way, by their row."""

    deps: Deps
    counters: Counters = field(default_factory=Counters)
    busy: dict[int, UUID] = field(default_factory=dict)
    _ended: list[Attempt] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _loader: Loader = field(init=False)

    def __post_init__(self) -> None:
        self._loader = Loader(self.deps, self.counters)

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        untold = meters.watch(self.counters.told)
        house = asyncio.create_task(keep_house(self.deps, self.counters, self._stop), name="webhooks housekeeping")
        try:
            await self._rounds()
        finally:
            untold()
            house.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(house, *self._tasks, return_exceptions=True)

    async def _rounds(self) -> None:
        """A connection for as long as it holds; what ended meanwhile is settled on the next one."""
        failures = 0
        while not self._over():
            try:
                async with await self.deps.connect("webhooks") as connection:
                    while not self._over():
                        moved = await self._round(connection)
                        failures = 0
                        await self._pause(_POLL if moved or self.busy else _IDLE)
            except (*Unavailable, psycopg.Error, OSError) as away:
                failures += 1
                log.warning("the database is away", reason=type(away).__name__)
                await self._pause(min(_IDLE * failures, 5.0) * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            if self._stop.is_set() and failures:
                return  # leases bring back what was under way

    def _over(self) -> bool:
        return self._stop.is_set() and not self.busy and not self._ended

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _round(self, connection: Connection) -> bool:
        clocks = await store.clocks(connection)
        try:
            settled = await self._settle(connection, clocks)
        except Unavailable:
            raise
        except psycopg.Error:  # a fault of ours; their leases bring them back, and the others go on
            log.exception("webhook.cannot-settle", deliveries=len(self._ended))
            self.counters.broken += 1
            self._forget(len(self._ended))
            settled = False
        if self._stop.is_set():
            return settled
        return await self._claim(connection, clocks) or settled

    # ---- what ended

    async def _settle(self, connection: Connection, clocks: Clocks) -> bool:
        ended = list(self._ended)
        if not ended:
            return False
        settled = [judging.settle(each, clocks, random.random()) for each in ended]  # noqa: S311 - no secret
        async with connection.transaction():
            stood = await store.settle(connection, settled, clocks.now)
            for attempts in judging.by_endpoint(ended):
                await self._note(connection, attempts, clocks)
        self._forget(len(ended))
        self._count(ended, settled, stood)
        return True

    def _forget(self, ended: int) -> None:
        for each in self._ended[:ended]:
            self.busy.pop(each.claim.id, None)
        del self._ended[:ended]

    async def _note(self, connection: Connection, attempts: Sequence[Attempt], clocks: Clocks) -> None:
        found = judging.health(attempts, clocks)
        if found is None:
            return
        since = await store.note_health(connection, found, clocks.now)
        gone = any(each.gone for each in attempts)
        if gone or (since is not None and since <= clocks.now - judging.FAILING_FOR):
            why = "gone" if gone else "failing"
            if await store.disable(connection, found.endpoint, why, clocks.now):
                self.counters.disabled += 1
                log.warning("webhook.disabled", endpoint=str(found.endpoint), why=why, last=found.error)

    def _count(self, ended: Sequence[Attempt], settled: Sequence[store.Settled], stood: set[int]) -> None:
        for attempt, place in zip(ended, settled, strict=True):
            if attempt.claim.id not in stood:
                self.counters.lost += 1
            elif attempt.good:
                self.counters.delivered += 1
            elif not isinstance(attempt.outcome, Unmade):
                self.counters.failed += 1
                self.counters.given_up += place.state == GIVEN_UP
                log.info("webhook.failed", endpoint=str(attempt.claim.endpoint_id), error=attempt.error,
                         attempt=attempt.claim.attempts, given_up=place.state == GIVEN_UP)  # fmt: skip

    # ---- what is due

    async def _claim(self, connection: Connection, clocks: Clocks) -> bool:
        due = await store.endpoints_due(connection, clocks.now)
        random.shuffle(due)  # so that no endpoint is always the last
        under_way, claims = Counter(self.busy.values()), list[Claimed]()
        for endpoint in due:
            room = min(_most(endpoint) - under_way[endpoint.id], AT_ONCE - len(self.busy) - len(claims))
            if room > 0:
                claims += await store.claim(
                    connection, endpoint.id, now=clocks.now, lease=LEASE, limit=room, busy=list(self.busy)
                )
        if not claims:
            return False
        start = time.monotonic()
        for each in await self._loader.load(connection, due, claims, clocks):
            self.busy[each.claim.id] = each.claim.endpoint_id
            if isinstance(each, Attempt):
                self._end(each)
            else:
                task = asyncio.create_task(self._deliver(each, clocks.wall.timestamp() - start))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return True

    async def _deliver(self, post: Post, offset: float) -> None:
        """`offset`: the true time less this machine's steady clock."""
        stamp = int(offset + time.monotonic())
        headers = {"Content-Type": "application/json", "User-Agent": _AGENT}
        headers |= signed_headers(post.secrets, post.event_id, stamp, post.body)
        outcome: Answer | Failed | Unmade
        self.counters.sending += 1
        try:
            outcome = await self.deps.client.post(post.url, headers, post.body)
        except NoAnswer as none:
            outcome = Failed(none.code, none.sentence)
        except BadUrl as bad:
            outcome = Failed("url", str(bad))
        except ForbiddenAddress as inner:
            self.counters.refused += 1
            log.warning("webhook.inner-address", endpoint=str(post.claim.endpoint_id), address=inner.address)
            outcome = Failed("forbidden", inner.sentence)
        except Exception:  # one delivery's fault must not end the others'; its row comes back
            self.counters.broken += 1
            log.exception("webhook.cannot-send", endpoint=str(post.claim.endpoint_id))
            outcome = Unmade("Something of ours is broken; it is tried again.")
        finally:
            self.counters.sending -= 1
        self._end(Attempt(post.claim, outcome))

    def _end(self, attempt: Attempt) -> None:
        self._ended.append(attempt)
        self._wake.set()


def _most(endpoint: EndpointDue) -> int:
    return 1 if endpoint.failures >= ILL else TO_ONE
