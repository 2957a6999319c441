"""The gate itself: concurrent asks of up to 2 ms or 64 become one transaction. A request's failure is data; if the
transaction raises, its asks are tried one by one, so that one bad apple refuses itself alone.
"""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from troth.flow.gate.asks import Answer, Ask, Refused
from troth.flow.gate.batch import Batch, Places
from troth.flow.gate.parse import Parsed, parse
from troth.flow.gate.recall import Recall, cancel, reschedule
from troth.flow.gate.world import Memory
from troth.keys.errors import KmsUnavailable
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring
from troth.outside import meters
from troth.store.connection import Connection, Unavailable

_log = structlog.get_logger("troth.gate")
Connect = Callable[[str], Awaitable[Connection]]
_WAITING = 2_000  # asks; beyond it the door says 503 rather than let memory grow
_LOOK = 0.005  # seconds at most between two looks at who has come within the window
_PATIENCE = 10.0  # seconds an ask may wait for its turn
_ASKS, _SECONDS = meters.histogram("troth_gate_batch_asks"), meters.histogram("troth_gate_batch_seconds")
_ANSWERS = meters.counter("troth_gate_answers_total")
_LONGEST = 60.0  # seconds more for one whose transaction has begun: it may yet be on disk, so no is not said lightly


class StoreAway(Exception):  # noqa: N818 - it is what it says, and temporary
    """The store (or the KMS) cannot answer, so nothing was accepted; the same request may be sent again."""


@dataclass(slots=True)
class Waiting:
    """An ask with its first look done, and who waits for the answer."""

    ask: Ask
    parsed: tuple[Parsed, ...]
    answer: "asyncio.Future[Answer]"
    begun: bool = False


@dataclass(slots=True)
class Gate:
    """One door process's gate. `lanes` transactions may be under way at once, each on its own connection."""

    connect: Connect
    keyring: Keyring
    secrets: InstallationSecrets
    window: timedelta = timedelta(milliseconds=2)
    batch: int = 64
    lanes: int = 2
    memory: Memory = field(default_factory=Memory)
    _queue: "asyncio.Queue[Waiting]" = field(init=False)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(_WAITING)

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._lane(n), name=f"gate lane {n}") for n in range(self.lanes)]

    async def stop(self) -> None:
        """Lets what is under way finish; whoever still waits is told that the store is away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._queue.empty():
            _fail([self._queue.get_nowait()], StoreAway("Troth is stopping."))

    async def submit(self, ask: Ask) -> Answer:
        """The gate's answer, on disk when it is `Taken`; StoreAway when nothing could be asked of the store."""
        index = self.secrets.blind_index()
        waiting = Waiting(
            ask, tuple(parse(email, index) for email in ask.emails), asyncio.get_running_loop().create_future()
        )
        try:
            self._queue.put_nowait(waiting)
            await asyncio.wait([waiting.answer], timeout=_PATIENCE)
            if waiting.begun or waiting.answer.done():
                async with asyncio.timeout(_LONGEST):
                    return await waiting.answer
        except (asyncio.QueueFull, TimeoutError):
            raise StoreAway("The store does not answer in time.") from None
        else:
            raise StoreAway("The store does not answer in time.")
        finally:
            if not waiting.begun:
                waiting.answer.cancel()  # at once, so that no lane begins with it after all

    async def within(self, connection: Connection, asks: Sequence[Ask]) -> list[Answer]:
        """The gate's answers within a transaction of the door's own: on disk when, and only if, that one commits.

        For what goes out together with what the door itself writes.
        """
        index = self.secrets.blind_index()
        parsed = [(ask, tuple(parse(email, index) for email in ask.emails)) for ask in asks]
        answers = await Batch(Places(connection, self.memory, self.keyring)).accept(parsed)
        for answer in answers:
            _ANSWERS[_word(answer)] += 1
        return answers

    async def cancel(self, tenant: UUID, email: UUID) -> Recall:
        """Calls an email's unsent messages back."""
        async with self._aside() as connection:
            return await cancel(Places(connection, self.memory, self.keyring), tenant, email)

    async def reschedule(self, tenant: UUID, email: UUID, due: datetime) -> Recall | Refused:
        """Gives a scheduled email another time; it is counted again, in that time's windows."""
        async with self._aside() as connection:
            return await reschedule(Places(connection, self.memory, self.keyring), tenant, email, due)

    @asynccontextmanager
    async def _aside(self) -> AsyncIterator[Connection]:
        try:
            connection = await self.connect("gate aside")
            async with connection:
                yield connection
        except (*Unavailable, KmsUnavailable) as error:
            raise StoreAway("The store does not answer.") from error

    async def _lane(self, number: int) -> None:
        """Batch after batch on one connection, which is opened again when it was lost."""
        pause = 0.1
        while True:
            batch = await self._gather()
            try:
                async with await self.connect(f"gate {number}") as connection:
                    pause = 0.1
                    while True:
                        await self._answer(connection, batch)
                        batch = await self._gather()
            except (*Unavailable, KmsUnavailable) as error:
                _log.warning("gate.store_away", error=type(error).__name__, asks=len(batch))
                _fail(batch, StoreAway("The store does not answer."))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
            except asyncio.CancelledError:
                _fail(batch, StoreAway("Troth is stopping."))
                raise
            except Exception as error:  # noqa: BLE001 - a lane that ends would leave the door asking nobody
                _log.error("gate.lane_failed", error=type(error).__name__)
                _fail(batch, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _gather(self) -> list[Waiting]:
        """The first ask, and those that come within the window, up to the batch's messages."""
        first = await self._queue.get()
        found, messages = [first], _messages(first)
        ends = asyncio.get_running_loop().time() + self.window.total_seconds()
        while messages < self.batch:
            if self._queue.empty():
                if (left := ends - asyncio.get_running_loop().time()) <= 0:
                    break
                await asyncio.sleep(min(left, _LOOK))
                continue
            found.append(self._queue.get_nowait())
            messages += _messages(found[-1])
        return [w for w in found if not w.answer.done()]

    async def _answer(self, connection: Connection, batch: Sequence[Waiting]) -> None:
        batch = [w for w in batch if not w.answer.done()]
        if not batch:
            return
        for waiting in batch:
            waiting.begun = True
        began = time.perf_counter()
        try:
            answers = await self._accept(connection, batch)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others of the batch are tried alone
            if len(batch) == 1:
                # neither message nor locals: they may hold what was asked
                at = traceback.extract_tb(error.__traceback__)[-1]
                _log.error("gate.failed", error=type(error).__name__, at=f"{at.filename}:{at.lineno}")
                _fail(batch, error)
                return
            for one in batch:
                await self._answer(connection, [one])
            return
        _ASKS.observe(len(batch))
        _SECONDS.observe(time.perf_counter() - began)
        for waiting, answer in zip(batch, answers, strict=True):
            _ANSWERS[_word(answer)] += 1
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _accept(self, connection: Connection, batch: Sequence[Waiting]) -> list[Answer]:
        asks = [(w.ask, w.parsed) for w in batch]
        return await Batch(Places(connection, self.memory, self.keyring)).accept(asks)


def _word(answer: Answer) -> str:
    if isinstance(answer, Refused):
        return "refused"
    return "replayed" if answer.replayed else "taken"


def _messages(waiting: Waiting) -> int:
    return max(1, sum(len(p.recipients) for p in waiting.parsed))


def _fail(batch: Sequence[Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
