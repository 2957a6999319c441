"""Along the bench's river: one run, ours or the peer's: from the first request to the last message at the sink.

A rate is messages by seconds between the word "go" and the moment in which the sink counted the last one. CPU is that
of every process of the system measured, from "go" until its queue is empty and one second more; the sinks and the load
tools are not counted, though they take from the same cores.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import processes
from tests.bench.ground import ROOT, SENDER, Ground
from tests.bench.peer import Peer
from tests.bench.sink import counted

_PATIENCE = 600.0  # seconds for one run
_LOOK = 0.005  # seconds between two looks at the counter


class RunFailed(Exception):  # noqa: N818 - reads as the sentence it raises
    """A run that did not end as it should: its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """`accepted_per_s` until the last 2xx; None where it is not known."""

    per_s: float
    cpu_s_per_1000: float | None
    pss_mb: float | None
    accepted_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How the client firm's program asks: emails in a request, and kept connections."""

    batch: int
    lanes: int

    def __str__(self) -> str:
        path = "POST /emails" if self.batch == 1 else f"POST /emails/batch, {self.batch} emails each"
        return f"{path}, over {self.lanes} kept connections"


BATCHES, SINGLES = Way(50, 8), Way(1, 64)


def ours(ground: Ground, size: str, count: int, rate: float | None = None, way: "Way | None" = None) -> Run:
    """Through the door, over HTTP, each message to a recipient whom no run has written to."""
    first = ground.take(count)
    load = _load(ground, size, first, count, rate, way or BATCHES)
    pids = ground.pids()
    restarts, base, before = ground.restarts(), counted(ground.sink_folder)[0], processes.cpu(pids.values())
    _go(load)
    began = time.monotonic()
    _await(lambda: counted(ground.sink_folder)[0] - base, count, load)
    ended = counted(ground.sink_folder)[1]
    told = _told(load)
    drained(ground)
    time.sleep(1.0)
    used = processes.cpu(pids.values()) - before
    if ground.restarts() != restarts:
        raise RunFailed("A process of the platform was started again during the run; its log says why.")
    return Run(
        count / (ended - told["began"]),
        used / count * 1000 if processes.known() else None,
        processes.pss_mb(pids.values()) if processes.known() else None,
        count / (told["ended"] - began),
    )


def peers(peer: Peer, message: Path, count: int) -> Run:
    """Through Postfix, by SMTP, the same message to as many recipients."""
    base, before = peer.count(), processes.cpu(peer.pids)
    began = time.monotonic()
    feeders = peer.feed(count, message)
    _await(lambda: peer.count() - base, count, None)
    ended = time.monotonic()
    if any(feeder.wait(_PATIENCE) for feeder in feeders):
        raise RunFailed("smtp-source says that Postfix did not take every message.")
    time.sleep(1.0)
    used = processes.cpu(peer.pids) - before
    known = processes.known()
    return Run(
        count / (ended - began),
        used / count * 1000 if known else None,
        processes.pss_mb(peer.pids) if known else None,
    )


def drained(ground: Ground) -> None:
    """Until every message's outcome is on record."""
    until = time.monotonic() + _PATIENCE
    with ground.admin() as connection:
        while (row := connection.execute("SELECT count(*) FROM spool").fetchone()) and row[0]:
            if time.monotonic() > until:
                raise RunFailed(f"{row[0]} messages stay in the spool.")
            time.sleep(0.05)


def fixture(ground: Ground, content: bytes, name: str) -> Path:
    """A message that our sink took, without our signature, as the peer's load tool wants it: lines end with LF."""
    lines = content.split(b"\r\n")
    end = next(n for n, line in enumerate(lines[1:], 1) if not line.startswith((b" ", b"\t")))
    file = ground.folder / name
    file.write_bytes(b"\n".join(lines[end:]))
    return file


def flush(ground: Ground) -> None:
    """All that the sink holds is in its file when this returns."""
    ground.sink.send_signal(signal.SIGUSR1)
    time.sleep(0.5)


def _load(ground: Ground, size: str, first: int, count: int, rate: float | None, way: "Way") -> subprocess.Popen[str]:
    told = {
        "port": ground.layout.settings.http_port, "key-file": ground.key_file, "sender": SENDER, "size": size,
        "first": first, "count": count, "batch": way.batch, "lanes": way.lanes, **({"rate": rate} if rate else {}),
    }  # fmt: skip
    argv = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    load = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load", *argv],
        cwd=ROOT, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert load.stdout is not None
    if load.stdout.readline().strip() != "ready":
        raise RunFailed("The load program did not start.")
    return load


def _go(load: subprocess.Popen[str]) -> None:
    assert load.stdin is not None
    load.stdin.write("go\n")
    load.stdin.flush()


def _told(load: subprocess.Popen[str]) -> dict[str, float]:
    """What the load program says of itself; RunFailed when a request was not answered 2xx."""
    said, _ = load.communicate(timeout=_PATIENCE)
    told: dict[str, float] = json.loads(said)
    if load.returncode:
        raise RunFailed(f"The door did not take every message: {said.strip()}")
    return told


def _await(count: Callable[[], int], wanted: int, load: subprocess.Popen[str] | None) -> None:
    until = time.monotonic() + _PATIENCE
    while (now := count()) < wanted:
        if load is not None and load.poll():
            _told(load)
        if time.monotonic() > until:
            raise RunFailed(f"Only {now} of {wanted} messages came within {_PATIENCE:g} s.")
        time.sleep(_LOOK)
