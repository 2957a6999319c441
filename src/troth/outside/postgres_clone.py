"""Under the house: a copy of the running embedded cluster, started by itself: for reading it all without an old
snapshot on the one that mail goes through. It is as the cluster was when the copying ended, and removed afterwards.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from troth.outside import postgres_account, postgres_places
from troth.outside.postgres import Server
from troth.outside.postgres_binaries import Binaries
from troth.outside.postgres_errors import CannotPrepare

_FOLDER = "copy"


@contextmanager
def cloned(server: Server, binaries: Binaries) -> Iterator[Server]:
    """`server` runs, in whatever process. Needs its size again on its disk; CannotPrepare says why it could not be."""
    home = server.home / _FOLDER
    shutil.rmtree(home, ignore_errors=True)  # of a backup that was killed
    account = postgres_account.choose(server.data_dir)
    try:
        home.mkdir(0o711)
        account.own(home)
        _copy(server, postgres_places.reachable(binaries, account), account)
        with Server(home, binaries, durable=False) as copy:
            yield copy
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _copy(server: Server, binaries: Binaries, account: postgres_account.Account) -> None:
    """PostgreSQL's own pg_basebackup over the socket: the files, and the log that makes them one moment."""
    where = server.conninfo()
    target = server.home / _FOLDER / postgres_places.CLUSTER
    command = [str(binaries.folder / "pg_basebackup"), "-h", where["host"], "-p", where["port"], "-U", where["user"]]
    command += ["-D", str(target), "-X", "stream", "-c", "fast", "--no-sync", "-w"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **account.popen())  # noqa: S603 - our own words
    if done.returncode:
        raise CannotPrepare(f"The database could not be copied: {done.stderr.strip()[-500:]}.")
