"""Around the house: whose a listening port is, read from /proc, so that the doctor can name the program in our way."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from troth.cli.doctor.patient import Patient
from troth.outside import processes
from troth.settings import SettingError, load

_PROC = Path("/proc")
_LISTEN = "0A"
SERVES = re.compile(r"\btroth\b.* serve (\w+)")


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket: whose (uid), and its inode."""

    uid: int
    inode: str


def strangers(patient: Patient, port: int) -> list[str] | None:
    """Who listens on the port and is not of this installation, in words; None where that cannot be seen."""
    found = list(_listening(port))
    if not found:
        return None
    named = []
    for one in found:
        pids = _holders(one.inode)
        if not any(ours(patient, pid) for pid in pids):
            named.append(_words(one, pids))
    return named


def _listening(port: int) -> Iterator[Socket]:
    for table in ("tcp", "tcp6"):
        try:
            rows = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield Socket(int(fields[7]), fields[9])


def _holders(inode: str) -> list[int]:
    """Processes that have the socket open, as far as we may look."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and _holds(entry, f"socket:[{inode}]")]


def _holds(entry: Path, link: str) -> bool:
    try:
        return any(os.readlink(each) == link for each in (entry / "fd").iterdir())  # noqa: PTH115 - no path: a socket's name
    except OSError:
        return False


def ours(patient: Patient, pid: int) -> bool:
    """Started by this folder's supervisor, or by anything else (systemd) with this folder's settings."""
    if patient.is_ours(pid):
        return True
    seen = processes.look(pid)
    if seen is None or not seen.folder or not SERVES.search(seen.command):
        return False
    try:
        pairs = (_PROC / str(pid) / "environ").read_text(errors="replace").split("\0")
        env = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        theirs = load(env, Path(seen.folder))
    except (OSError, SettingError):
        return False
    return theirs.var_dir.resolve() == patient.settings.var_dir.resolve()


def _words(one: Socket, pids: list[int]) -> str:
    seen = next((found for pid in pids if (found := processes.look(pid))), None)
    if seen is None:
        return f"a program of user {one.uid}"
    words = seen.command.split()
    shown = " ".join([Path(words[0]).name, *words[1:4]]) if words else "a program"
    return f"process {seen.pid} ({shown[:60]})"
