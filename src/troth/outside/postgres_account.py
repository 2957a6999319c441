"""Under the house: whom PostgreSQL runs as. It refuses root, so root steps down to an unprivileged account itself."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.outside.postgres_errors import CannotPrepare

_NAMES = ("postgres", "_postgres", "nobody")  # Debian's, macOS's, everyone's


@dataclass(frozen=True, slots=True)
class Account:
    """`switch` is True when we are root and must become this account."""

    uid: int
    gid: int
    switch: bool

    def popen(self) -> dict[str, Any]:
        """Arguments that make subprocess run as this account, private, from a folder that everyone may enter."""
        who = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        return {"cwd": "/", "umask": 0o077, "stdin": subprocess.DEVNULL, "env": _clean_env(), **who}

    def can_enter(self, folder: Path) -> bool:
        """Tried, not computed from mode bits: mounts and access lists have their say too."""
        return self._try(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])

    def can_run(self, program: Path) -> bool:
        return self._try([str(program), "--version"])

    def own(self, folder: Path) -> None:
        """Give one folder of ours to the account."""
        if self.switch:
            os.chown(folder, self.uid, self.gid)

    def own_all(self, folder: Path) -> None:
        """Give a whole tree to the account, following no link."""
        for place, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(place) / name, self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)

    def _try(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, check=False, **self.popen())  # noqa: S603 - our own words
        except OSError:
            return False
        return done.returncode == 0


def choose(cluster: Path) -> Account:
    """The account for a cluster's folder: its owner if there is one, else ourselves; for root the first that exists."""
    owner = _owner(cluster)
    me = os.geteuid()
    if me != 0:
        if owner not in (None, me):
            raise CannotPrepare(
                f"The database in {cluster} belongs to user {_name(owner)}, and this is user {_name(me)}: "
                "run as that user or as root, or choose another TROTH_VAR_DIR."
            )
        return Account(me, os.getegid(), switch=False)
    account = Account(owner, cluster.stat().st_gid, switch=True) if owner else _unprivileged()
    if not account.can_enter(Path("/")):
        raise CannotPrepare(
            f"PostgreSQL refuses to run as root, and root here cannot become {_name(account.uid)}: "
            "run as an ordinary user, or set TROTH_DATABASE_URL."
        )
    return account


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except FileNotFoundError:
        return None
    except OSError as trouble:
        raise CannotPrepare(
            f"{folder} cannot be looked at: {trouble.strerror}. Choose another TROTH_VAR_DIR."
        ) from trouble


def _unprivileged() -> Account:
    for name in _NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise CannotPrepare(
        f"PostgreSQL refuses to run as root, and none of the users {', '.join(_NAMES)} exists: create one."
    )


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "?"
    except KeyError:
        return str(uid)


def _clean_env() -> dict[str, str]:
    # Without PG* (PGDATA, PGHOST, PGOPTIONS, ...), and with messages that we can read.
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "TMPDIR", "LD_LIBRARY_PATH"}}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C"}
