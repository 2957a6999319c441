"""Around the house: while the platform runs, a process of a minute's turn looks at every claim that is due, and ends.

It lies beside the supervisor, so that the controls' memory is held for seconds only; which claims are due, and that one
process at a time looks at them, is control/trust/watch.py's to say.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 60.0  # seconds
_FIRST = 20.0  # seconds after the start: every process has begun by then
_PATIENCE = 180.0
_COMMAND = (sys.executable, "-m", "troth.cli", "claims", "check", "--due")
_FAILS = 1


@contextmanager
def watching(
    say: Callable[[str], None], command: tuple[str, ...] = _COMMAND, *, first: float = _FIRST, every: float = EVERY
) -> Iterator[None]:
    """Check while the body runs; `say` gets a line for what fails and for a check that could not be made."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(over, say, command, first, every), name="claims", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(
    over: threading.Event, say: Callable[[str], None], command: tuple[str, ...], first: float, every: float
) -> None:
    wait = first
    while not over.wait(wait):
        _check(over, say, command)
        wait = every


def _check(over: threading.Event, say: Callable[[str], None], command: tuple[str, ...]) -> None:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:  # noqa: S603 - our own command
        gone = threading.Timer(_PATIENCE, child.kill)
        gone.start()
        ender = threading.Thread(target=_end_with, args=(over, child), daemon=True)
        ender.start()
        told, _ = child.communicate()
        gone.cancel()
    if child.returncode == _FAILS:
        for line in told.splitlines():
            if " fails" in line:
                say(f"claims: {line.strip()}")
    elif child.returncode and not over.is_set():
        say(f"claims could not be checked: {(told.strip().splitlines() or ['no word'])[-1]}")


def _end_with(over: threading.Event, child: "subprocess.Popen[str]") -> None:
    """The check does not outlive the platform's end."""
    while child.poll() is None:
        if over.wait(0.2):
            child.terminate()
            return
