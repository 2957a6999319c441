"""Around the river: each process writes its meters down every few seconds, which also shows that it still works."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import structlog

from troth.outside import meters, processes

EVERY = 5.0  # seconds
_log = structlog.get_logger("troth.meters")


def folder(var_dir: Path) -> Path:
    return var_dir / "run" / "meters"


@contextlib.asynccontextmanager
async def beating(var_dir: Path, kind: str) -> AsyncIterator[None]:
    """While the work goes on; at its end the numbers are written once more, as the last."""
    seen = processes.look(os.getpid())
    started = seen.started if seen else ""
    task = asyncio.create_task(_beat(folder(var_dir), kind, started))
    try:
        yield
    finally:
        task.cancel()
        _write(folder(var_dir), kind, started, ended=True)


async def _beat(place: Path, kind: str, started: str) -> None:
    while True:
        _write(place, kind, started)
        await asyncio.sleep(EVERY)


@contextlib.contextmanager
def beating_beside(var_dir: Path, kind: str) -> Iterator[None]:
    """The same for a process without a loop, in a thread."""
    seen = processes.look(os.getpid())
    started, stop = seen.started if seen else "", threading.Event()

    def beat() -> None:
        while not stop.wait(EVERY):
            _write(folder(var_dir), kind, started)

    thread = threading.Thread(target=beat, name="meters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        _write(folder(var_dir), kind, started, ended=True)


def _write(place: Path, kind: str, started: str, *, ended: bool = False) -> None:
    """A full disk stops no mail: the next writing may succeed."""
    try:
        meters.write(place, meters.sheet(kind, started, ended=ended))
    except OSError as trouble:
        _log.warning("the meters could not be written", reason=str(trouble))
