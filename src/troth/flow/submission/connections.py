"""Submission and feedback: the few connections that a door process reads with; the gate has its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from psycopg.pq import TransactionStatus

from troth.store.connection import Connection

Lend = Callable[[], AbstractAsyncContextManager[Connection]]
_PATIENCE = 10.0  # seconds for one loan, its wait included; then the store counts as away


@dataclass(slots=True)
class Connections:
    """At most `most` at once, opened when first needed; one that broke or was left mid-query is not lent again."""

    connect: Callable[[str], Awaitable[Connection]]
    most: int = 4
    _free: list[Connection] = field(default_factory=list)
    _turn: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turn = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection of one's own for a while; TimeoutError and the store's own errors come through."""
        async with asyncio.timeout(_PATIENCE), self._turn:
            connection = await self._take()
            try:
                yield connection
            finally:
                await self._back(connection)

    async def _back(self, connection: Connection) -> None:
        if connection.closed:
            await self.close()  # the store restarted: the others are as dead, and would each fail one request
        elif connection.info.transaction_status == TransactionStatus.IDLE:
            self._free.append(connection)
        else:
            await connection.close()

    async def _take(self) -> Connection:
        while self._free:
            if not (connection := self._free.pop()).closed:
                return connection
        return await self.connect("door")

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()
