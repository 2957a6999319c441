"""Delivery's connections to one route: opened when needed, never more than agreed, rested, retired, replaced.

`send` and `send_many` give exactly one answer for each envelope, as data. An envelope is *begun* when a
connection takes it; one that is not begun in time, or not at all, is `unsent`. Connections that work pull
the next envelope themselves, so that with PIPELINING the end of one message and the next envelope share a
packet.
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from troth.flow.delivery.smtp import Connection, Job
from troth.flow.delivery.smtp_types import Answer, Envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from troth.flow.delivery.route import Route
    from troth.flow.delivery.smtp_states import Closed

BACKOFF_FIRST = 0.25  # seconds after the first failed connection; doubled by each further one
BACKOFF_LAST = 30.0
_TOO_LATE = "No connection was free in time."


@dataclass(frozen=True, slots=True)
class Health:
    """A route as it stands, and what it has done since the start. A retry inside the pool is no answer."""

    route: str
    open: int
    busy: int
    waiting: int
    failing: int  # connections failed in a row; 0 when the last try came through
    last_failure: str | None
    opened: int
    failed: int
    accepted: int
    refused: int
    unsent: int
    lost: int


class Pool:
    """The connections of one route. `on_orphan` gets the answers of envelopes whose `send` was cancelled."""

    def __init__(self, route: "Route", *, on_orphan: "Callable[[Answer], None] | None" = None) -> None:
        self.route = route
        self._context = route.tls_context()
        self._on_orphan = on_orphan
        self._connections: set[Connection] = set()  # every socket that is not closed yet
        self._opening: set[Connection] = set()  # not ready yet
        self._resting: dict[Connection, None] = {}  # an ordered set: the last used works first, the others retire
        self._waiting: deque[Job] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._retry_at = 0.0
        self._closing = False
        self._all_gone: asyncio.Future[None] | None = None
        self._failing = 0
        self._last_failure: str | None = None
        self._counts = dict.fromkeys(("opened", "failed", "accepted", "refused", "unsent", "lost"), 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self.close()

    # what a worker asks

    @property
    def free(self) -> int:
        """Envelopes that could be begun right now: resting connections and those that may be opened.

        While connections fail it is 0 until the next try is due, then 1: one envelope tries the water for
        all.
        """
        if self._closing:
            return 0
        return max(0, len(self._resting) + len(self._opening) + self._may_open() - len(self._waiting))

    @property
    def health(self) -> Health:
        busy = sum(connection.busy for connection in self._connections)
        return Health(
            self.route.name,
            len(self._connections),
            busy,
            len(self._waiting),
            self._failing,
            self._last_failure,
            *self._counts.values(),
        )

    async def send(self, envelope: Envelope, *, wait: float | None = None) -> Answer:
        """Send one; `wait` seconds (the route's by default) for a connection to begin it.

        Cancelled before it is begun, it is never sent; cancelled later, it goes on. Either way its answer
        goes to `on_orphan`, and CancelledError to the caller.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        job = Job(envelope, partial(self._resolve, future), self._deadline(wait))
        self._add((job,))
        try:
            return await future
        except asyncio.CancelledError:
            self._withdraw((job,))
            raise

    async def send_many(
        self,
        envelopes: "Iterable[Envelope]",
        on_answer: "Callable[[Answer], None]",
        *,
        wait: float | None = None,
    ) -> None:
        """Send all, back to back, and return when each has had its answer by `on_answer`.

        Cancelled, it withdraws what is not begun (answered as unsent at once); the rest is still answered
        later.
        """
        loop, deadline = asyncio.get_running_loop(), self._deadline(wait)
        finished: asyncio.Future[None] = loop.create_future()
        left = 0

        def done(answer: Answer) -> None:
            nonlocal left
            left -= 1
            loop.call_soon(on_answer, answer)  # not here: it may well call us again
            if not left:
                loop.call_soon(_settle, finished)

        jobs = [Job(envelope, done, deadline) for envelope in envelopes]
        left = len(jobs)
        if not jobs:
            return
        self._add(jobs)
        try:
            await finished
        except asyncio.CancelledError:
            self._withdraw(jobs)
            raise

    async def close(self, limit: float = 10.0) -> None:
        """Begin nothing more, give what is under way `limit` seconds, say QUIT, leave no socket behind."""
        self._closing = True
        self._answer_waiting("The pool is closing.")
        for connection in tuple(self._opening):
            connection.abort("The pool is closing.")
        while self._resting:
            self._resting.popitem()[0].quit()
        try:
            async with asyncio.timeout(limit):
                await self._until_gone()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.abort(f"The next hop did not answer within {limit:g} s of the pool's closing.")
            await self._until_gone()
        self._set_alarm(None)

    # what connections tell (smtp.Owner)

    def take(self, connection: Connection) -> Job | None:
        """The next envelope to begin; it counts as on the wire from here on.

        A process that was frozen finds its alarm and its connections due together: too late is too late here, too.
        """
        if self._opening:
            self._is_ready(connection)
        now = asyncio.get_running_loop().time()
        while self._waiting:
            job = self._waiting.popleft()
            if now <= job.deadline:
                return job
            self._give(job, _unsent(job, _TOO_LATE))
        return None

    def rested(self, connection: Connection) -> None:
        self._is_ready(connection)
        if self._closing:
            connection.quit()
        else:
            self._resting[connection] = None

    def answered(self, connection: Connection, job: Job, answer: Answer) -> None:
        if answer.outcome == "unsent" and self._deserves_another(connection, job, answer):
            job.retried = True
            self._waiting.appendleft(job)
            return
        self._counts[answer.outcome] += 1
        job.done(answer)

    def ended(self, connection: Connection, closed: "Closed") -> None:
        self._resting.pop(connection, None)
        self._opening.discard(connection)
        if not connection.was_ready and not self._closing:
            self._note_failure(closed)
        self._dispatch()

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections and self._all_gone is not None:
            _settle(self._all_gone)
        self._dispatch()

    # inside

    def _add(self, jobs: "Sequence[Job]") -> None:
        self._waiting.extend(jobs)
        if self._closing:
            self._answer_waiting("The pool is closing.")
            return
        now = asyncio.get_running_loop().time()
        self._dispatch()
        if self._waiting:
            self._wake_by(jobs[-1].deadline)
            self._await_retry(now)

    def _dispatch(self) -> None:
        """Bring waiting envelopes and connections together."""
        while self._waiting and self._resting:
            self._resting.popitem()[0].wake()
        if self._closing or not self._waiting:
            return
        for _ in range(min(len(self._waiting) - len(self._opening), self._may_open())):
            connection = Connection(self.route, self._context, self)
            self._connections.add(connection)
            self._opening.add(connection)
            connection.start()

    def _may_open(self) -> int:
        room = self.route.max_connections - len(self._connections)
        if not self._failing:
            return room
        due = asyncio.get_running_loop().time() >= self._retry_at and not self._opening
        return min(room, 1) if due else 0

    def _is_ready(self, connection: Connection) -> None:
        if connection in self._opening:
            self._opening.discard(connection)
            self._counts["opened"] += 1
            self._failing = 0

    def _note_failure(self, closed: "Closed") -> None:
        """Back off. Connections that fail together count once. With none left, who waits learns why."""
        now = asyncio.get_running_loop().time()
        self._counts["failed"] += 1
        self._last_failure = closed.text
        if now >= self._retry_at:
            self._failing += 1
            pause = min(BACKOFF_LAST, BACKOFF_FIRST * 2.0 ** min(self._failing - 1, 20))
            self._retry_at = now + pause * random.uniform(0.5, 1.0)  # noqa: S311  (jitter keeps no secret)
        if not self._opening and not any(other.alive for other in self._connections):
            for job in self._drain():
                self._give(job, closed.unsent(job.envelope.key))
        if self._waiting:
            self._await_retry(now)

    def _deserves_another(self, connection: Connection, job: Job, answer: Answer) -> bool:
        """Whether a connection that had served before went away (silently, or by 421) as this envelope began.

        A server may close a kept connection at any time; nothing was taken, so a fresh one gets one try.
        """
        gone = answer.phase == "mail" and answer.code in {None, 421}
        if not gone or job.retried or self._closing or not connection.proven:
            return False
        return asyncio.get_running_loop().time() <= job.deadline

    def _deadline(self, wait: float | None) -> float:
        return asyncio.get_running_loop().time() + (self.route.timeouts.wait if wait is None else wait)

    def _give(self, job: Job, answer: Answer) -> None:
        self._counts[answer.outcome] += 1
        job.done(answer)

    def _resolve(self, future: "asyncio.Future[Answer]", answer: Answer) -> None:
        if not future.done():
            future.set_result(answer)
        elif self._on_orphan is not None:
            asyncio.get_running_loop().call_soon(self._on_orphan, answer)

    def _withdraw(self, jobs: "Sequence[Job]") -> None:
        mine = set(map(id, jobs))
        for job in self._drain(lambda job: id(job) in mine):
            self._give(job, _unsent(job, "The caller gave up before a connection began it."))

    def _answer_waiting(self, text: str) -> None:
        for job in self._drain():
            self._give(job, _unsent(job, text))

    def _drain(self, which: "Callable[[Job], bool] | None" = None) -> list[Job]:
        """Take envelopes out of the queue before anyone is told: who is told may well send again."""
        jobs = [job for job in self._waiting if which is None or which(job)]
        if jobs:
            taken = set(map(id, jobs))
            self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return jobs

    def _set_alarm(self, when: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        # uvloop makes a timer that is due at once a plain handle, which cannot tell when
        self._alarm = None if when is None else loop.call_at(max(when, loop.time() + 0.001), self._ring)

    def _wake_by(self, when: float) -> None:
        if self._alarm is None or self._alarm.when() > when:
            self._set_alarm(when)

    def _await_retry(self, now: float) -> None:
        """`now` is the dispatch's: a retry that came due since then would otherwise be waited for by nobody."""
        if self._failing and now < self._retry_at:
            self._wake_by(self._retry_at)

    def _ring(self) -> None:
        """Send back what has waited too long; try again what may be tried."""
        self._alarm = None
        now = asyncio.get_running_loop().time()
        for job in self._drain(lambda job: job.deadline <= now):
            self._give(job, _unsent(job, _TOO_LATE))
        self._dispatch()
        if self._waiting:
            self._wake_by(min(job.deadline for job in self._waiting))
            self._await_retry(now)

    async def _until_gone(self) -> None:
        if self._connections:
            self._all_gone = asyncio.get_running_loop().create_future()
            await self._all_gone


def _unsent(job: Job, text: str) -> Answer:
    return Answer(job.envelope.key, "unsent", "connect", None, None, text)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
