"""Claims: controls in processes of their own: one that crashes, hangs or babbles takes no other along, and has no data.

    parent, one thread                       child, forked
    the jobs, one after the other    ->      a connection of its own, and the shared reads of one check
    what each found, within its time <-      a frame a job: its length in four octets, then JSON

A child works through the jobs until it is done or dies; then another goes on after the one that it died of. The parent
opens nothing that a child looked with, and a child leaves by _exit: neither closes the other's connections.
"""

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import msgspec

from troth.control.trust import running
from troth.control.trust.found import Found, State
from troth.control.trust.look import Look
from troth.control.trust.running import Job, Runner

EACH = 15.0  # seconds a control; the first of a child reads the schema, too
MOST = 256 * 1024  # octets of one answer
_HEAD = 4
_LATE = 2  # seconds after which a child whose parent is gone ends itself

type Open = Callable[[], AbstractContextManager[Look]]


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    """What a child may say."""

    state: Literal["holds", "fails", "stale", "no data yet"]
    why: list[str]
    seen: dict[str, Any]


class _Ended(Exception):  # noqa: N818 - reads as what happened
    """The child is of no more use; the sentence is what the control's `why` says."""


@dataclass(slots=True)
class _Child:
    """A process and the end of the pipe that it writes to."""

    pid: int
    pipe: int
    gone: bool = False  # and waited for: its number may be another's by now
    _kept: bytearray = field(default_factory=bytearray)

    def answer(self, until: float) -> Found:
        """The next frame; raise _Ended when none comes in time, or none that is one."""
        size = int.from_bytes(self._read(_HEAD, until), "big")
        if size > MOST:
            raise _Ended(f"the control's answer has {size:,} octets, more than any that is one")
        try:
            said = msgspec.json.decode(self._read(size, until), type=_Said)
        except msgspec.MsgspecError as wrong:
            raise _Ended(f"the control's answer is none: {wrong}") from None
        return Found(State(said.state), tuple(said.why), said.seen)

    def _read(self, size: int, until: float) -> bytes:
        while len(self._kept) < size:
            if not select.select([self.pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                raise _Ended("the control did not come to its end in time, and was ended")
            found = os.read(self.pipe, 65_536)
            if not found:
                raise _Ended(f"the control's process ended with {self._status()}")
            self._kept += found
        read = bytes(self._kept[:size])
        del self._kept[:size]
        return read

    def end(self) -> None:
        """It is gone when this returns."""
        os.close(self.pipe)
        if not self.gone:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.gone = True

    def _status(self) -> str:
        """How it ended; one that only closed its pipe is not waited for."""
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.gone = True
                code = os.waitstatus_to_exitcode(status)
                return f"status {code}" if code >= 0 else signal.Signals(-code).name
            time.sleep(0.01)
        return "no answer"


def runner(open_look: Open, *, each: float = EACH) -> Runner:
    """For running.check: `open_look` gives, in a child, what a check looks with, on a connection of its own."""

    def run(look: Look, jobs: Sequence[Job]) -> Iterator[Found]:
        at = 0
        while at < len(jobs):
            if time.monotonic() >= look.until:
                return  # the rest is not begun
            child = _begin(open_look, jobs[at:], each)
            try:
                for job in jobs[at:]:
                    at += 1
                    found = _found(child, look, job, each)
                    yield found[0]
                    if found[1]:
                        break
            finally:
                child.end()

    return run


def _found(child: _Child, look: Look, job: Job, each: float) -> tuple[Found, bool]:
    """What it found, and whether another child goes on."""
    try:
        return child.answer(min(time.monotonic() + each, look.until)), False
    except _Ended as ended:
        return _nothing(look, job, str(ended)), True


def _nothing(look: Look, job: Job, why: str) -> Found:
    return running.still(look, *job, Found(State.NO_DATA, (why,), {}))


def _begin(open_look: Open, jobs: Sequence[Job], each: float) -> _Child:
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        _work(open_look, jobs, writes, each)
    os.close(writes)
    return _Child(pid, reads)


def _work(open_look: Open, jobs: Sequence[Job], pipe: int, each: float) -> NoReturn:
    """In the child. The alarm ends it even where nobody is left to."""
    status = 1
    try:
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(sign, signal.SIG_DFL)
        signal.alarm(int(each) + _LATE)
        with open_look() as look:
            for found in running.here(look, jobs):
                _say(pipe, found)
                signal.alarm(int(each) + _LATE)
            status = 0
    finally:
        os._exit(status)


def _say(pipe: int, found: Found) -> None:
    told = {"state": str(found.state), "why": list(found.why), "seen": dict(found.seen)}
    octets = json.dumps(told, ensure_ascii=False, default=str).encode()
    octets = len(octets).to_bytes(_HEAD, "big") + octets
    while octets:
        octets = octets[os.write(pipe, octets) :]
