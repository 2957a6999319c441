"""Around the river: runs one process's work on uvloop until SIGTERM or SIGINT asks it to end well."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from troth.cli.metrics.beating import beating

type Work = Callable[[asyncio.Event], Awaitable[None]]
type Run = Callable[[Coroutine[Any, Any, None]], None]


def until_stopped(work: Work, var_dir: Path, kind: str, on: Run = uvloop.run) -> int:
    """`work` gets the event that a signal sets; it ends by itself soon after. A second signal has no patience.

    Meanwhile the process writes its meters down, as a process of this `kind`.
    """

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, _ask, stop, sign)
        async with beating(var_dir, kind):
            await work(stop)

    on(run())
    return 0


def _ask(stop: asyncio.Event, sign: signal.Signals) -> None:
    if stop.is_set():
        signal.signal(sign, signal.SIG_DFL)
        signal.raise_signal(sign)
    stop.set()
