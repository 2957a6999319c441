"""Submission: the API request log's rows that the door writes itself: reads, and what it refused before the gate.

Rows of reads wait for each other and are written in batches, best effort. A refusal's row is awaited. Times and ids
are of the database's clock.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from troth.flow.submission.connections import Lend
from troth.keys.ids import uuid7
from troth.store import gate as store
from troth.store.connection import Unavailable

_log = structlog.get_logger("troth.door")
_WAITING = 10_000  # rows; more than that are dropped, and counted in the log
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Note:
    """One request that was answered. Nothing of its content; `route` is the pattern, not the path."""

    tenant_id: UUID
    api_key_id: UUID | None
    method: str
    route: str
    status: int
    problem: str | None = None
    email_id: UUID | None = None


@dataclass(slots=True)
class RequestLog:
    """`start` and `stop` belong to the process; `interval` in seconds."""

    lend: Lend
    interval: float = 0.25
    _queue: "asyncio.Queue[Note]" = field(init=False)
    _task: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(_WAITING)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="request log")

    async def stop(self) -> None:
        """Writes what waits, if the store answers."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._flush()

    def tell(self, note: Note) -> None:
        """Written within a moment, best effort."""
        try:
            self._queue.put_nowait(note)
        except asyncio.QueueFull:
            _log.warning("door.request_log_full")

    async def write(self, notes: Sequence[Note]) -> None:
        """Written when this returns; the store's errors come through."""
        async with self.lend() as connection:
            now = await store.now(connection)
            rows = [_row(note, uuid7(now), now) for note in notes]
            accepted = store.Accepted((), (), rows, (), (), ())
            await store.write(connection, accepted, spooled=frozenset())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            await self._flush()

    async def _flush(self) -> None:
        while not self._queue.empty():
            notes = [self._queue.get_nowait() for _ in range(min(_BATCH, self._queue.qsize()))]
            try:
                await self.write(notes)
            except (*Unavailable, TimeoutError):
                _log.warning("door.request_log_lost", rows=len(notes))


def _row(note: Note, row_id: UUID, now: datetime) -> store.NewRequest:
    return store.NewRequest(
        row_id, note.tenant_id, note.api_key_id, now, note.method, note.route, note.status, note.problem,
        note.email_id, None, None,
    )  # fmt: skip
