"""Around the house: reaches the installation's database for the doctor, as each role, and says why where it cannot.

An embedded database that nobody runs is started for as long as the doctor looks, as every command does.
"""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from troth.cli import wiring
from troth.outside.postgres import AlreadyRunning, PostgresError, Server
from troth.outside.postgres_binaries import OLDEST
from troth.settings import Settings

ROLES = ("control", "flow", "ledger", "signin", "migrate")
CONNECT = 3  # seconds for one connection
_START = 10.0  # seconds for the embedded database
_ADDRESS = "database_url"


@dataclass(frozen=True, slots=True)
class Unreached:
    """Why a role has no connection: `cause` is a word of ours, `said` is what the server or the system said."""

    cause: str
    said: str


@dataclass(frozen=True, slots=True)
class Reached:
    """`roles`: psycopg's keywords of those that connected. `begun`: whether there is an installation to ask."""

    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, Unreached] = field(default_factory=dict)
    embedded: bool = True
    begun: bool = False
    running: bool = False  # whether it ran before we looked
    down: str | None = None  # the embedded database's own reason


_CAUSES = (
    ("password", re.compile(r"password authentication failed|no password supplied|SCRAM")),
    ("no role", re.compile(r'role "[^"]*" does not exist')),
    ("no database", re.compile(r'database "[^"]*" does not exist')),
    ("not let in", re.compile(r"no pg_hba\.conf entry|permission denied for database|not permitted to log in")),
    ("full", re.compile(r"too many (clients|connections)|connection slots are reserved|remaining connection slots")),
    ("starting", re.compile(r"the database system is (starting up|in recovery|shutting down|not yet accepting)")),
    ("TLS", re.compile(r"SSL|certificate")),
    ("no name", re.compile(r"could not translate host name|failed to resolve host|Name or service not known")),
    ("refused", re.compile(r"Connection refused|No such file or directory")),
    ("silent", re.compile(r"timeout expired|timed out|Network is unreachable|No route to host")),
    ("old", re.compile(r"unsupported frontend protocol|unsupported startup parameter")),
)


@contextmanager
def reach(settings: Settings) -> Iterator[Reached]:
    """Connect as every role at once; the embedded database is stopped again if it was started here."""
    if settings.database_url or settings.database_url_control:
        yield _connected(settings, embedded=False, begun=True, running=True)
        return
    if not (settings.var_dir / "postgres").exists():
        yield Reached()
        return
    with _embedded(settings) as (running, down):
        if down:
            yield Reached(begun=True, down=down)
        else:
            yield _connected(settings, embedded=True, begun=True, running=running)


@contextmanager
def _embedded(settings: Settings) -> Iterator[tuple[bool, str | None]]:
    """Whether it ran before, and why it does not run now."""
    try:
        server = wiring.server(settings)
    except PostgresError as trouble:
        yield False, str(trouble)
        return
    state = _probe(server)
    if state != "down":  # a hung one is left as it is: to start would be to end it
        yield True, None if state == "up" else f"it takes connections in {server.home} and does not answer"
        return
    if not server.data_dir.exists():
        yield False, f"There is no database in {server.data_dir}."
        return
    stop = threading.Event()
    failure = _start(server, stop)
    try:
        yield False, failure
    finally:
        stop.set()
        server.stop()


def _probe(server: Server) -> str:
    """'up', 'down' or 'silent'."""
    try:
        psycopg.connect(**server.conninfo(), connect_timeout=CONNECT).close()
    except PostgresError:
        return "down"
    except psycopg.OperationalError as trouble:
        return "silent" if cause(str(trouble)) == "silent" else "down"
    return "up"


def _start(server: Server, stop: threading.Event) -> str | None:
    """Start it; None when it runs. Whoever holds its folder is given the time to bring it up."""
    give_up = threading.Timer(_START, stop.set)
    give_up.daemon = True
    give_up.start()
    try:
        server.start(stop.is_set)
    except AlreadyRunning:
        return (
            None if _comes_up(server, stop) else "Another process holds the database's folder and it does not answer."
        )
    except PostgresError as trouble:
        return str(trouble)
    finally:
        give_up.cancel()
    return None


def _comes_up(server: Server, stop: threading.Event) -> bool:
    for _ in range(10):
        if _probe(server) == "up":
            return True
        if stop.wait(0.3):
            break
    return False


def _connected(settings: Settings, *, embedded: bool, begun: bool, running: bool) -> Reached:
    tries = {role: _background(settings, role) for role in ROLES}
    roles: dict[str, dict[str, Any]] = {}
    failures: dict[str, Unreached] = {}
    for role, future in tries.items():
        try:
            found = future.result(timeout=CONNECT + 1)
        except TimeoutError:
            found = Unreached("silent", f"no answer within {CONNECT} s")
        if isinstance(found, Unreached):
            failures[role] = found
        else:
            roles[role] = found
    return Reached(roles, failures, embedded=embedded, begun=begun, running=running)


def _background(settings: Settings, role: str) -> "Future[dict[str, Any] | Unreached]":
    """In a thread that nobody has to wait for: a name that does not resolve holds it up long."""
    future: Future[dict[str, Any] | Unreached] = Future()
    threading.Thread(target=lambda: future.set_result(_try(settings, role)), daemon=True).start()
    return future


def _try(settings: Settings, role: str) -> dict[str, Any] | Unreached:
    try:
        url = settings.database_url_for(role)
        where = (
            dict(conninfo_to_dict(url)) if url else wiring.server(settings).conninfo(f"troth_{role}", wiring.DATABASE)
        )
        where = {**where, "connect_timeout": CONNECT, "application_name": "troth doctor"}
        with psycopg.connect(**where) as connection:
            version = connection.info.server_version
    except PostgresError as trouble:
        return Unreached("refused", str(trouble))
    except psycopg.ProgrammingError:  # its words quote the address, and with it the password
        return Unreached("address", "the address cannot be read")
    except psycopg.Error as trouble:
        return Unreached(cause(str(trouble)), str(trouble))
    return where if version >= OLDEST * 10_000 else Unreached("old", f"it is PostgreSQL {version // 10_000}")


def cause(said: str) -> str:
    """Our word for what libpq or the server said; "other" when we know none."""
    return next((word for word, pattern in _CAUSES if pattern.search(said)), "other")
