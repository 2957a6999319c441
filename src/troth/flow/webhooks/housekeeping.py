"""Webhooks, beside the sending: tells administrators of disabled endpoints and people of their access, and sweeps."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import structlog

from troth.flow.webhooks import access_mail
from troth.flow.webhooks.counters import Counters
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.notices import tell_all
from troth.store import hooks as store
from troth.store.connection import Connection

log = structlog.get_logger("troth.webhooks")
KEPT = timedelta(days=7)  # after a delivery or its last try, so that it can be replayed
_NOTICES, _SWEEP = 2.0, 3600.0  # seconds between


async def keep_house(deps: Deps, counters: Counters, stop: asyncio.Event) -> None:
    """Until cancelled or `stop`. Whatever fails is tried again in the next round."""
    swept = float("-inf")
    while not stop.is_set():
        try:
            async with await deps.connect("webhooks housekeeping") as connection:
                while not stop.is_set():
                    swept = await _once(connection, deps, counters, swept)
                    await _pause(stop)
        except Exception as trouble:  # noqa: BLE001 - the sending goes on whatever becomes of this
            log.warning("webhook.housekeeping", reason=type(trouble).__name__)
            await _pause(stop)


async def _once(connection: Connection, deps: Deps, counters: Counters, swept: float) -> float:
    now = (await store.clocks(connection)).now
    await tell_all(connection, deps, counters, now)
    await access_mail.tell_all(connection, deps, now)
    if time.monotonic() - swept < _SWEEP:
        return swept
    if gone := await store.sweep(connection, now, KEPT):
        log.info("webhook.swept", rows=gone)
    return time.monotonic()


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _NOTICES)
