"""Inbound: writes down that it lives, since every List-Unsubscribe header that names its domain rests on that."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import psycopg
import structlog

from troth.store import inbound
from troth.store.connection import Connection

Lend = Callable[[], AbstractAsyncContextManager[Connection]]
EVERY = 20.0  # seconds; claim CPL-3 asks for one in five minutes
_log = structlog.get_logger("troth.inbound")


async def beat(lend: Lend, domain: str) -> None:
    """Until cancelled; a store that is away is tried again."""
    while True:
        try:
            async with lend() as connection:
                await inbound.beat(connection, domain.lower())
        except (psycopg.Error, TimeoutError, OSError) as away:
            _log.warning("inbound.no_beat", error=type(away).__name__)
        await asyncio.sleep(EVERY)
