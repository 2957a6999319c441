"""Around the river: keeps the processes of every stage alive, and PostgreSQL below them; ends them in reverse order.

    with Supervisor(settings.var_dir) as supervisor:
        supervisor.add(Server(...))            # returns when ready; raises StartFailed when it cannot be
        supervisor.add(Child("worker", argv))
        supervisor.wait()                      # until SIGTERM or SIGINT, which end the `with`; a second one forces

One thread keeps one unit, so that a slow start of one (PostgreSQL's recovery) holds up nobody else.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, TextIO

from troth.cli.supervise_child import Child, ChildUnit, KilledFromOutside, NotReady, Unit
from troth.cli.supervise_remains import AnotherRuns, Remains

__all__ = ["AnotherRuns", "Backoff", "Child", "NotReady", "StartFailed", "StopAsked", "Supervisor", "Unit"]

_POLL = 0.1  # seconds between two looks at a unit
_KILLED_STARTS = 5  # first starts that may end in a kill -9 before it counts as the unit's own failure


class StartFailed(Exception):  # noqa: N818 - reads as the sentence it raises
    """A unit's first start failed; it is not kept."""


class StopAsked(BaseException):
    """SIGTERM or SIGINT came; raised in the main thread, swallowed by the supervisor's `with`."""


class Backoff:
    """Pauses before a restart: doubling from 0.2 s to 30 s.

    A run of 5 s halves the next pause, so that a child which someone kills is back soon; a minute forgets all.
    """

    FIRST, LAST = 0.2, 30.0

    def __init__(self) -> None:
        self._pause = 0.0

    def after(self, lived: float) -> float:
        """Seconds to wait, given how many the unit lived (0 when it did not start)."""
        if lived >= 60 or not self._pause:
            self._pause = self.FIRST
        elif lived >= 5:
            self._pause = max(self.FIRST, self._pause / 2)
        else:
            self._pause = min(self.LAST, self._pause * 2)
        return self._pause


class Keeper:
    """Keeps one unit alive in a thread of its own; only that thread starts and stops the unit."""

    def __init__(self, unit: Unit, say: Callable[[str], None], forced: Callable[[], bool]) -> None:
        self.unit = unit
        self.restarts = 0
        self.error: Exception | None = None  # of the first start; then the unit is not kept
        self.settled = threading.Event()  # the first start succeeded or failed
        self._say = say
        self._forced = forced
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"keep {unit.name}", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Ask for the end and wait for it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            lived = self._one_life()
            if self.error or self._stop.is_set():
                break
            pause = backoff.after(lived)
            self.restarts += 1
            self._say(f"{self.unit.name} is down after {lived:.1f} s; starting it again in {pause:g} s")
            self._stop.wait(pause)
        self.unit.stop(self._forced)

    def _one_life(self) -> float:
        try:
            self.unit.start(self._stop.is_set)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the others live on and this one is tried again
            self._say(f"{self.unit.name} did not start: {trouble}")
            if isinstance(trouble, KilledFromOutside) and self.restarts < _KILLED_STARTS:
                return 0.0
            self.error = None if self.settled.is_set() else trouble
            self.settled.set()
            return 0.0
        self.settled.set()
        began = time.monotonic()
        while self.unit.alive and not self._stop.wait(_POLL):
            pass
        return time.monotonic() - began


class Supervisor:
    """Units of one var folder. Lines go to `out`, each with its unit's name in front."""

    def __init__(self, var_dir: Path, out: TextIO | None = None) -> None:
        self._var_dir = var_dir
        self._out = out or sys.stdout
        self._writing = threading.Lock()
        self._keepers: list[Keeper] = []
        self._remains: Remains | None = None
        self._handlers: dict[int, Any] = {}
        self._signals = 0
        self._stopping = False

    def __enter__(self) -> Self:
        """Take the var folder, end what a killed supervisor left in it; then signals are ours (in the main thread)."""
        self._remains = Remains(self._var_dir)
        ended = self._remains.end_all()
        if ended:
            self.say("troth", f"ended what an earlier start had left: processes {ended}")
        if threading.current_thread() is threading.main_thread():
            self._handlers = {sign: signal.signal(sign, self._on_signal) for sign in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.stop()
        return isinstance(error, StopAsked)

    def add(self, unit: Child | Unit) -> None:
        """Start a unit, wait until it is ready, and keep it alive from then on."""
        assert self._remains is not None, "use the supervisor in a `with`"
        kept = ChildUnit(unit, self._remains, self.say) if isinstance(unit, Child) else unit
        keeper = Keeper(kept, lambda line: self.say("troth", line), lambda: self._signals > 1)
        self._keepers.append(keeper)
        keeper.begin()
        keeper.settled.wait()
        if keeper.error:
            raise StartFailed(f"{kept.name} did not start: {keeper.error}") from keeper.error

    def wait(self) -> None:
        """Sleep until a signal ends it."""
        threading.Event().wait()

    def stop(self) -> None:
        """Stop the last started first, each within its grace; a second signal forces the rest."""
        self._stopping = True
        for keeper in reversed(self._keepers):
            keeper.end()
        self._keepers.clear()
        for sign, handler in self._handlers.items():
            signal.signal(sign, handler)
        self._handlers.clear()
        if self._remains:
            self._remains.close()
            self._remains = None

    def pids(self) -> dict[str, int | None]:
        """Each unit's process now, None while it is down."""
        return {keeper.unit.name: keeper.unit.pid for keeper in self._keepers}

    def restarts(self) -> dict[str, int]:
        return {keeper.unit.name: keeper.restarts for keeper in self._keepers}

    def say(self, name: str, line: str) -> None:
        """One line, whole, whichever thread it comes from. A reader that went away stops nothing."""
        with self._writing, suppress(OSError, ValueError):
            self._out.write(f"{name:<10} | {line}\n")
            self._out.flush()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if not self._stopping:
            self._stopping = True
            raise StopAsked
