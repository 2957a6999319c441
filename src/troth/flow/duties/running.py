"""Beside the river: how duties are kept: one process leads (an advisory lock); others stand by and take over when its
session ends. Each duty has a task and an interval of its own, so that one that fails or is slow holds up no other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from troth.store import duties as store
from troth.store.connection import Connection, Unavailable

log = structlog.get_logger("troth.duties")


@dataclass(frozen=True, slots=True)
class Duty:
    """`run` is asked at once and then every `every` seconds after it has ended, well or badly."""

    name: str
    every: float
    run: Callable[[Connection], Awaitable[object]]


async def run_duties(
    connect: Callable[[str], Awaitable[Connection]],
    duties: Sequence[Duty],
    stop: asyncio.Event,
    *,
    tick: float = 1.0,
) -> None:
    """Lead or stand by until `stop`; a lost database is waited for, `tick` seconds between two tries."""
    while not stop.is_set():
        try:
            await _lead(connect, duties, stop)
        except* Unavailable as away:
            log.warning("the database is away", reason=str(away.exceptions[0]))
        await _pause(stop, tick)


async def _lead(connect: Callable[[str], Awaitable[Connection]], duties: Sequence[Duty], stop: asyncio.Event) -> None:
    connection = await connect("duties")
    try:
        if await store.lead(connection):
            async with asyncio.TaskGroup() as group:
                for duty in duties:
                    group.create_task(_keep(duty, connection, stop), name=duty.name)
    finally:
        await connection.close()


async def _keep(duty: Duty, connection: Connection, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await duty.run(connection)
        except Exception as trouble:
            if connection.closed:
                raise
            log.exception("a duty failed and will be tried again", duty=duty.name, reason=str(trouble))
        await _pause(stop, duty.every)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
