"""A person at a real pseudo-terminal: reads what a program says, answers, and may press ctrl-C."""

import os
import pty
import re
import select
import signal
import sys
import time

_COLUMNS = "200"


class Terminal:
    """One program on a terminal of its own; `said` is all that it wrote so far."""

    def __init__(self, argv, cwd, env):
        self.said = ""
        self.pid, self._master = pty.fork()
        if not self.pid:
            os.chdir(cwd)
            os.execve(argv[0], argv, {**env, "TERM": "dumb", "COLUMNS": _COLUMNS})

    def converse(self, answers, until=None, seconds=120):
        """Answer whatever is asked, by a piece of the question, until it ends (its status) or asks `until` (None).

        An answer that is a list is given one after the other: what is wrong comes first, and is asked again.
        """
        left = {words: list(given) if isinstance(given, list) else [given] for words, given in answers.items()}
        done, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            if self._read(0.05) is None:
                return self._reap()
            line = self.said[max(done, self.said.rfind("\n") + 1) :]
            if not line.endswith(": "):
                continue
            if until and until in line:
                return None
            words = next((each for each in left if each in line), None)
            assert words, f"nobody knows an answer to {line!r}; said:\n{self.said}"
            done = len(self.said)
            time.sleep(0.1)  # getpass throws away what was typed before it turned echo off
            os.write(self._master, f"{left[words].pop(0) if len(left[words]) > 1 else left[words][0]}\n".encode())
        raise AssertionError(f"it took too long; said:\n{self.said}")

    def press_ctrl_c(self):
        time.sleep(0.15)
        os.write(self._master, b"\x03")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def end(self, seconds=60):
        """Wait for the end; the exit status (negative: the signal)."""
        limit = time.monotonic() + seconds
        while self._read(0.2) is not None:
            assert time.monotonic() < limit, self.said
        return self._reap()

    def _reap(self):
        os.close(self._master)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _read(self, seconds):
        """What came; "" for nothing yet, None at the end."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return ""
        try:
            came = os.read(self._master, 65536).decode(errors="replace")
        except OSError:
            return None
        self.said += re.sub("\r\n?", "\n", came)
        return came or None


def troth(cwd, *words, **settings):
    """`troth WORDS` at a terminal, with no settings from outside but these."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_") or name == "TROTH_PG_BIN"}
    return Terminal([sys.executable, "-m", "troth.cli", *words], cwd, {**env, **settings})
