"""Around the river: what a supervisor writes down of its children, so that the next one, after a kill -9, ends them.

`var/run/<name>.json` holds {pid, started, argv, stop, grace}. On Linux every child also carries this folder's token
in its environment, which finds grandchildren and a child started a moment before the kill. Nobody is signalled whose
start (or token) does not match: a number that a stranger uses now is left alone.
"""

import fcntl
import os
import secrets
import signal
from pathlib import Path

import msgspec

from troth.outside import processes

TOKEN = "SUPERVISED_BY_TROTH"  # noqa: S105 - a variable's name; not TROTH_*, which are settings


class AnotherRuns(Exception):  # noqa: N818 - reads as the sentence it raises
    """A second supervisor in one var folder."""


class Record(msgspec.Struct, frozen=True):
    """One run file. `started` is processes.Seen's; `grace` in seconds."""

    pid: int
    started: str
    argv: list[str]
    stop: int
    grace: float


class Remains:
    """The run folder of one var folder, locked while this object is open."""

    def __init__(self, var_dir: Path) -> None:
        self._folder = var_dir.resolve() / "run"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._take_lock(var_dir)
        self.token = self._read_token()

    def close(self) -> None:
        os.close(self._lock)

    def write(self, name: str, pid: int, argv: list[str], stop: signal.Signals, grace: float) -> None:
        """Record a child, in one step: a reader sees the old file or the new."""
        seen = processes.look(pid)
        if seen is None:  # gone already
            return
        new = self._file(name).with_suffix(".new")
        new.write_bytes(msgspec.json.encode(Record(pid, seen.started, argv, stop, grace)))
        new.rename(self._file(name))

    def forget(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def end_all(self) -> list[int]:
        """End everything that an earlier supervisor left, each as it was to be ended; returns the numbers ended."""
        records = [record for file in self._folder.glob("*.json") if (record := self._parse(file))]
        found = [(record, seen) for record in records if (seen := self._recorded(record))]
        grace = max((record.grace for record, _ in found), default=0.0)
        for record, seen in found:
            processes.end([seen], [(signal.Signals(record.stop), 0.0)])
        processes.end([seen for _, seen in found], [(signal.SIGCONT, grace), (signal.SIGKILL, 5.0)])
        strays = [seen for seen in processes.everyone() if self.carries(seen.pid)]
        processes.end(strays, [(signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)])
        for file in self._folder.glob("*.json"):
            file.unlink()
        return sorted({seen.pid for _, seen in found} | {seen.pid for seen in strays})

    def carries(self, pid: int) -> bool:
        return pid != os.getpid() and processes.carries(pid, TOKEN, self.token)

    def _recorded(self, record: Record) -> processes.Seen | None:
        seen = processes.look(record.pid)
        return seen if seen and seen.started == record.started else None

    def _parse(self, file: Path) -> Record | None:
        try:
            return msgspec.json.decode(file.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):  # half a disk, or someone's own file: nothing to go by
            return None

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _take_lock(self, var_dir: Path) -> int:
        descriptor = os.open(self._folder / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "?"
            os.close(descriptor)
            raise AnotherRuns(
                f"Troth already runs in {var_dir} (process {holder}): stop it first, or choose another TROTH_VAR_DIR."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return descriptor

    def _read_token(self) -> str:
        file = self._folder / "token"
        if not file.exists():
            file.write_text(secrets.token_hex(16))
        return file.read_text()
