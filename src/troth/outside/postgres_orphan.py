"""Under the house: what a killed start left: a postmaster without a parent, its backends, stale pid and socket files.

postmaster.pid's lines: number, data folder, start (epoch seconds), port, socket folder, TCP address, shared memory,
state (PostgreSQL's miscadmin.h). Called only by a holder of the home's lock, so a postmaster found here belongs to
nobody.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

from troth.outside import processes
from troth.outside.postgres_errors import CannotPrepare

_FAST = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_NOW = ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 3.0))


def stop_orphan(cluster: Path) -> bool:
    """Stop a postmaster that still runs in this folder, clear what would block a start; True when one was stopped."""
    pid = _pid(cluster)
    seen = processes.look(pid) if pid else None
    if seen and _is_ours(seen, cluster):
        if processes.end([seen], _FAST):
            raise CannotPrepare(f"An old postgres (process {pid}) in {cluster} does not end: stop it by hand.")
        return True
    # A zombie, or a stranger under the same number, would make postgres believe itself running. When in doubt (another
    # postgres whose folder we cannot see) the file stays, and postgres itself decides.
    doubtful = seen is not None and seen.folder is None and "postgres" in seen.command
    if pid and not doubtful:
        (cluster / "postmaster.pid").unlink(missing_ok=True)
    return False


def socket_folder(cluster: Path) -> Path | None:
    """Where a running postmaster of this folder listens, or None when none runs."""
    lines = _lines(cluster)
    seen = processes.look(_pid(cluster))
    if seen is None or len(lines) < 5 or not lines[4] or not _is_ours(seen, cluster):
        return None  # the folder's line is written last, when the socket is there
    return Path(lines[4])


def end_backends(mark: str, uid: int) -> None:
    """End backends whose postmaster was killed: their titles carry `mark` (cluster_name), their user is `uid`.

    Idle ones notice by themselves; a busy one would hold the shared memory until its query ends.
    """
    left = processes.end(_backends(mark, uid), _NOW)
    if left:
        raise CannotPrepare(f"Old backends of PostgreSQL do not end: processes {[seen.pid for seen in left]}.")


def clear_socket(folder: Path) -> None:
    """Remove a dead server's socket and its lock; the folder is private to one cluster, and we hold that cluster."""
    for stale in folder.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)


def _backends(mark: str, uid: int) -> Iterator[processes.Seen]:
    title = f"postgres: {mark}: "
    return (seen for seen in processes.everyone() if seen.uid == uid and seen.command.startswith(title))


def _is_ours(seen: processes.Seen, cluster: Path) -> bool:
    here = str(cluster.resolve())
    if "postgres" not in seen.command:
        return False
    return seen.folder == here if seen.folder else f" -D {here} " in f"{seen.command} "


def _pid(cluster: Path) -> int:
    first = next(iter(_lines(cluster)), "")
    return int(first) if first.isascii() and first.isdigit() else 0


def _lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []
