"""Around the river: one child process, in a session of its own: its words passed on with its name, ended as a whole."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from troth.cli.supervise_remains import TOKEN, Remains

_LINE = 65_536  # octets; a longer line is passed on in pieces


class NotReady(Exception):  # noqa: N818 - reads as the sentence it raises
    """A child ended, or was not ready in time, at its start.

    NotReady
      KilledFromOutside   by kill -9 (the system out of memory, a person): no fault of the child's, so tried again
    """


class KilledFromOutside(NotReady):
    """See NotReady; temporary."""


@dataclass(frozen=True, slots=True)
class Child:
    """What to run. `env` is the whole environment (None: ours). Seconds: `grace` to end in, `ready_within` to start in.

    `ready` is asked every 50 ms until it says True; None means ready as soon as started.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    ready: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 20.0
    ready_within: float = 60.0
    cwd: Path | None = None


class Unit(Protocol):
    """What a supervisor keeps alive: a child process, or PostgreSQL's Server. Called from one thread at a time."""

    @property
    def name(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...
    def start(self, cancelled: Callable[[], bool]) -> None: ...
    def stop(self, forced: Callable[[], bool]) -> None: ...


@dataclass(slots=True)
class ChildUnit:
    """A Child as a Unit. `say(name, line)` takes each line it writes."""

    child: Child
    remains: Remains
    say: Callable[[str, str], None]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _reader: threading.Thread | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it lives. When it does not, what it left in its session is ended too, before its number is free."""
        if self._process is None:
            return False
        if not _has_ended(self._process):
            return True
        self._bury(self._process)
        return False

    def start(self, cancelled: Callable[[], bool]) -> None:
        child = self.child
        self._process = process = subprocess.Popen(  # noqa: S603 - the composition root's own words
            child.argv,
            env={**(os.environ if child.env is None else child.env), TOKEN: self.remains.token},
            cwd=child.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's ^C is for the supervisor alone
        )
        self.remains.write(child.name, process.pid, list(child.argv), child.stop_signal, child.grace)
        self._reader = threading.Thread(target=self._pass_on, args=(process,), daemon=True, name=f"log {child.name}")
        self._reader.start()
        self._await_ready(process, cancelled)

    def stop(self, forced: Callable[[], bool]) -> None:
        """The stop signal to the child alone, then, after its grace or when forced, the end for its whole session."""
        process = self._process
        if process is None:
            return
        if not _has_ended(process):
            process.send_signal(self.child.stop_signal)
        until = time.monotonic() + self.child.grace
        while not _has_ended(process) and not forced() and time.monotonic() < until:
            time.sleep(0.05)
        self._bury(process)

    def _await_ready(self, process: subprocess.Popen[bytes], cancelled: Callable[[], bool]) -> None:
        until = time.monotonic() + self.child.ready_within
        while self.child.ready and not cancelled() and not self.child.ready():
            if _has_ended(process):
                self._bury(process)
                kind = KilledFromOutside if process.returncode == -signal.SIGKILL else NotReady
                raise kind(f"ended before it was ready ({ending(process.returncode)})")
            if time.monotonic() > until:
                self._bury(process)
                raise NotReady(f"was not ready within {self.child.ready_within:g} s")
            time.sleep(0.05)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """End the session while the leader's number is still held by its unreaped self, then reap it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None
        self.remains.forget(self.child.name)
        if self._reader:
            self._reader.join(2)  # its last words; a stray that holds the pipe does not hold us
        self.say(self.child.name, f"ended with {ending(process.returncode)}")

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as words:
            while line := words.readline(_LINE):
                self.say(self.child.name, line.decode(errors="replace").rstrip("\r\n"))


def ending(status: int | None) -> str:
    """An exit status in words."""
    if status is None or status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without reaping where the system can say so (waitid; on macOS from Python 3.13)."""
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
