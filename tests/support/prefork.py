"""Beside the pages' tests: a process that has imported the pages once, and forks a server of them for each test.

Importing is most of a start. The server is `troth serve pages` as always: settings, application and socket are its own.

    python -m tests.support.prefork     a JSON line in ({"env", "cwd", "log"}), a server's pid out, until the input ends
"""

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ARGV = ("serve", "pages")
# What the pages come to import, but for Django's and our rooms that ask for its settings.
_PURE = ("troth.mail", "troth.rules", "troth.ledger", "troth.keys")
_LIBRARIES = ("fido2.server", "onelogin.saml2.auth", "onelogin.saml2.response", "jwt", "cryptography.x509")


@dataclass
class Forked:
    """A server, as subprocess.Popen would tell of it; its exit status is not known."""

    pid: int
    handle: int | None

    @classmethod
    def of(cls, pid: int) -> "Forked":
        try:
            return cls(pid, os.pidfd_open(pid))
        except ProcessLookupError:
            return cls(pid, None)

    def poll(self) -> int | None:
        return self._over(0)

    def terminate(self) -> None:
        if self.handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGTERM)

    def wait(self, timeout: float) -> int:
        if self._over(timeout) is None:
            raise subprocess.TimeoutExpired(_ARGV, timeout)
        return 0

    def _over(self, seconds: float) -> int | None:
        if self.handle is not None:
            if not select.select([self.handle], [], [], seconds)[0]:
                return None
            os.close(self.handle)
            self.handle = None
        return 0


type Server = Forked | subprocess.Popen[bytes]


def serve(env: dict[str, str], folder: Path, log: Path) -> Server:
    """`troth serve pages` in the folder; anew where no handle of a process is given (macOS, some containers)."""
    if not _handles():
        with log.open("wb") as out:
            argv = [sys.executable, "-m", "troth.cli", *_ARGV]
            return subprocess.Popen(argv, env=env, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    parent = _parent()
    parent.stdin.write(json.dumps({"env": env, "cwd": str(folder), "log": str(log)}) + "\n")
    parent.stdin.flush()
    return Forked.of(int(parent.stdout.readline()))


@cache
def _handles() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


@cache
def _parent() -> "subprocess.Popen[str]":
    """One a test process; it ends with its input. Coverage is not asked of it: its rooms have their own tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    argv = [sys.executable, "-m", "tests.support.prefork"]
    made = subprocess.Popen(argv, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_end, made)
    return made


def _end(parent: "subprocess.Popen[str]") -> None:
    parent.stdin.close()
    parent.stdout.close()
    parent.wait(10)


def _warm() -> None:
    for name in ("troth.cli.pages", "troth.cli.commands.serve", *_LIBRARIES):
        importlib.import_module(name)
    for room in _PURE:
        for each in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(each.name)


def _become(asked: dict[str, str]) -> int:
    """In the child: what a new process would have had, then the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for place, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
        os.dup2(source, place)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    from troth.cli import main

    return main(_ARGV)


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def run() -> None:
    _warm()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = _become(asked)
            finally:
                os._exit(status)
        print(pid, flush=True)


if __name__ == "__main__":
    run()
