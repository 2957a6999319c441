"""Delivery's way to the store: a connection that is opened when needed and opened again after the store was away."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psycopg

from troth.store.connection import Connection

FIRST, LAST = 0.05, 5.0  # seconds between tries
PATIENCE = 30.0  # seconds for one visit; a store that hangs is away, too

# Everything that the store may do to a visit. What of it is a bug of ours shows in the log; the worker lives on.
Away = (psycopg.Error, OSError, TimeoutError)

type Connect = Callable[[str], Awaitable[Connection]]


class Line:
    """One connection for one task. After a failure the next visit opens a new one; `pause` waits before it."""

    def __init__(self, connect: Connect, name: str) -> None:
        self._connect = connect
        self._name = name
        self._connection: Connection | None = None
        self.failures = 0

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[Connection]:
        """The connection, for a few statements. Whatever fails inside closes it; `Away` is what may be waited out."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self._connection is None:
                    self._connection = await self._connect(self._name)
                yield self._connection
        except BaseException:
            self.failures += 1
            await self.close()
            raise
        self.failures = 0

    @property
    def wait(self) -> float:
        """Seconds to wait after so many failures, with jitter, so that workers do not come back all at once."""
        return min(LAST, FIRST * 2.0 ** min(self.failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*Away):
                await connection.close()
