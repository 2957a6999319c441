"""Under the whole house: the embedded PostgreSQL, run as our direct child; every stage of the river stands on it.

    server = Server(var / "postgres", find(settings.pg_bin))
    server.start()
    psycopg.connect(**server.conninfo("troth_flow", "troth"))

A home holds `cluster` (the data folder) and `log`. Errors: see postgres_errors.
"""

import contextlib
import hashlib
import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

import psycopg

from troth.outside import postgres_account, postgres_cluster, postgres_orphan, postgres_places
from troth.outside.postgres_account import Account
from troth.outside.postgres_binaries import Binaries, find
from troth.outside.postgres_errors import (
    AlreadyRunning,
    CannotPrepare,
    DidNotStart,
    NoBinaries,
    PostgresError,
)

__all__ = [
    "AlreadyRunning",
    "Binaries",
    "CannotPrepare",
    "DidNotStart",
    "NoBinaries",
    "PostgresError",
    "Server",
    "find",
]

log = logging.getLogger("troth.postgres")

_RETRY_FOR = 5.0  # seconds; after a crash the old shared memory may take a while to go
_ANSWER_WITHIN = 300.0  # seconds; recovery after a crash replays up to max_wal_size
_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))  # fast; immediate; by force


def _never() -> bool:
    return False


def _always() -> bool:
    return True


class Server:
    """One database cluster and its postmaster. `durable=False` is for tests: a crash of the machine may lose data.

    `start`, `alive` and `stop` are what a supervisor asks of a unit. One thread at a time. `options` override settings.
    """

    name = "postgres"

    def __init__(
        self,
        home: Path,
        binaries: Binaries,
        socket_dir: Path | None = None,
        *,
        durable: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._asked = postgres_places.absolute(home.absolute())
        self._binaries = binaries
        self._given_socket_dir = socket_dir
        self._durable = durable
        self._options = dict(options or {})
        self._socket_dir: Path | None = None
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None

    @property
    def home(self) -> Path:
        """The folder really used; the one asked for may be a link to it."""
        return self._asked.resolve()

    @property
    def data_dir(self) -> Path:
        return self.home / postgres_places.CLUSTER

    @property
    def log_dir(self) -> Path:
        return self.home / "log"

    @property
    def alive(self) -> bool:
        """Whether our child lives; asking also reaps it."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, cancelled: Callable[[], bool] = _never) -> None:
        """Make the cluster if there is none, end what an earlier start left, and return when connections succeed."""
        if self.alive:
            return
        self._end(_always)  # what a crash left of the last one
        try:
            account = self._prepare()
            self._launch_until_ready(account, cancelled)
        except BaseException:
            self.stop(_always)
            raise

    def stop(self, forced: Callable[[], bool] = _never) -> None:
        """Fast shutdown: sessions are ended, a checkpoint written. Harder after a while, or when `forced` says so."""
        self._end(forced)
        folder, self._socket_dir = self._socket_dir, None
        if folder and not self._given_socket_dir:
            with contextlib.suppress(OSError):
                postgres_orphan.clear_socket(folder)
                folder.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def wait(self, seconds: float | None = None) -> int | None:
        """The postmaster's exit status (negative: the signal), or None when it still lives after `seconds`."""
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def conninfo(self, user: str = "postgres", dbname: str = "postgres") -> dict[str, Any]:
        """Keywords for psycopg.connect; of a server that another process runs, too."""
        return {"host": str(self._listening()), "port": "5432", "user": user, "dbname": dbname}

    def url(self, user: str = "postgres", dbname: str = "postgres") -> str:
        """The same as a URL, for TROTH_DATABASE_URL_* of a child."""
        who, what, where = (quote(part, safe="") for part in (user, dbname, str(self._listening())))
        return f"postgresql://{who}@/{what}?host={where}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listening(self) -> Path:
        folder = self._socket_dir or postgres_orphan.socket_folder(self.data_dir)
        if folder is None:
            raise PostgresError(f"The database in {self._asked} is not running: start Troth first.")
        return folder

    def _prepare(self) -> Account:
        """Account, home, lock, programs, folders, cluster: all that must be in place before a launch."""
        account = postgres_account.choose(self._asked / postgres_places.CLUSTER)
        home = postgres_places.settle_home(self._asked, account)
        if self._lock is None:
            self._lock = postgres_places.hold(home)
        self._binaries = postgres_places.reachable(self._binaries, account)
        try:
            self._socket_dir = postgres_places.settle_socket(home, account, self._given_socket_dir)
            self.log_dir.mkdir(0o700, exist_ok=True)
            self._own(self.log_dir, account)
            self._clear(account)
            self._settle_cluster(account)
        except OSError as trouble:
            raise CannotPrepare(f"The database's folder {home} cannot be prepared: {trouble}.") from trouble
        return account

    def _clear(self, account: Account) -> None:
        if postgres_orphan.stop_orphan(self.data_dir):
            log.warning("Stopped a PostgreSQL that an earlier start had left in %s.", self.data_dir)
        postgres_orphan.end_backends(self._mark, account.uid)
        postgres_orphan.clear_socket(self._given_or_settled())

    def _settle_cluster(self, account: Account) -> None:
        if not self.data_dir.exists():
            postgres_cluster.make(self._binaries, self.data_dir, account, durable=self._durable)
        postgres_cluster.check_version(self._binaries, self.data_dir)
        self._own(self.data_dir, account)
        self.data_dir.chmod(0o700)  # postgres insists, and copies lose it

    def _own(self, folder: Path, account: Account) -> None:
        if account.switch and folder.stat().st_uid != account.uid:
            account.own_all(folder)  # new, made in a user namespace, or copied by root

    def _launch_until_ready(self, account: Account, cancelled: Callable[[], bool]) -> None:
        give_up = time.monotonic() + _RETRY_FOR
        while True:
            self._launch(account)
            if self._answers(cancelled):
                return
            words = self._last_words()
            self._end(_always)
            if cancelled() or time.monotonic() > give_up:
                raise DidNotStart(f"PostgreSQL did not start in {self.data_dir}; its log is in {self.log_dir}. {words}")
            time.sleep(0.2)

    def _launch(self, account: Account) -> None:
        settings = postgres_cluster.options(
            socket_dir=self._given_or_settled(), log_dir=self.log_dir, mark=self._mark, durable=self._durable
        )
        flags = [word for key, value in (settings | self._options).items() for word in ("-c", f"{key}={value}")]
        # A file, not a pipe: postgres must be able to write after we were killed.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            [self._binaries.postgres, "-D", self.data_dir, *flags],
            stdout=self._words,
            stderr=self._words,
            start_new_session=True,  # the terminal's ^C is for the supervisor, which stops us last
            **account.popen(),
        )

    def _answers(self, cancelled: Callable[[], bool]) -> bool:
        until = time.monotonic() + _ANSWER_WITHIN
        while self.alive and not cancelled() and time.monotonic() < until:
            try:
                psycopg.connect(**self.conninfo(), connect_timeout=10).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def _end(self, forced: Callable[[], bool]) -> None:
        process, self._process = self._process, None
        for sign, seconds in _STOP:
            if process is None or process.poll() is not None:
                break
            process.send_signal(sign)
            until = time.monotonic() + seconds
            gentle = sign is signal.SIGINT
            while process.poll() is None and time.monotonic() < until and not (gentle and forced()):
                time.sleep(0.01)
        if self._words:
            self._words.close()
            self._words = None

    def _last_words(self) -> str:
        if not self._words:
            return ""
        self._words.seek(0)
        return self._words.read()[-2000:].decode(errors="replace").strip()

    def _given_or_settled(self) -> Path:
        assert self._socket_dir is not None
        return self._socket_dir

    @property
    def _mark(self) -> str:
        return f"troth-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]}"
