"""Around the river: runs one process's work on uvloop until SIGTERM or SIGINT asks it to end well."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import uvloop


def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """`work` gets the event that a signal sets; it ends by itself soon after. A second signal has no patience."""

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, _ask, stop, sign)
        await work(stop)

    uvloop.run(run())
    return 0


def _ask(stop: asyncio.Event, sign: signal.Signals) -> None:
    if stop.is_set():
        signal.signal(sign, signal.SIG_DFL)
        signal.raise_signal(sign)
    stop.set()
