"""The composition root's parts: where the database is for each role, and the keys that every process opens."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict

from troth.cli.words import CommandError
from troth.control.audit import scope
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import OPERATOR, Keyring, TenantKeys
from troth.keys.opened import Keys
from troth.outside.kms import LocalKms
from troth.outside.postgres import AlreadyRunning, PostgresError, Server, find
from troth.settings import Settings
from troth.store import connection as store
from troth.store import duties

DATABASE = "troth"
_log = structlog.get_logger("troth.start")
Conninfo = dict[str, Any]


def server(settings: Settings) -> Server:
    """The embedded database of this var folder, not yet started."""
    return Server(settings.var_dir / "postgres", find(settings.pg_bin))


def conninfo(settings: Settings, role: str) -> Conninfo:
    """Psycopg's keywords for 'control', 'flow', 'ledger', 'signin' or 'migrate'; asked anew for every connection,
    because the embedded database may have moved its socket. Raise PostgresError when that is not running.
    """
    url = settings.database_url_for(role)
    if url:
        return dict(conninfo_to_dict(url))
    return server(settings).conninfo(f"troth_{role}", DATABASE)


def admin_conninfo(settings: Settings) -> Conninfo:
    """The set-up account: the one that database_url names, or the embedded database's own."""
    if settings.database_url:  # by the database that every server has: ours may not be there yet
        return {**conninfo_to_dict(settings.database_url), "dbname": "postgres"}
    return server(settings).conninfo()


def passwords(settings: Settings) -> dict[str, str]:
    """The password that each role's address names, for the set-up account to set; none with the embedded database."""
    found = {
        f"troth_{role}": settings.database_url_for(role) for role in ("control", "flow", "ledger", "signin", "migrate")
    }
    return {
        role: password
        for role, url in found.items()
        if url and (password := str(conninfo_to_dict(url).get("password") or ""))
    }


@contextmanager
def running_database(settings: Settings, *, new: bool = False) -> Iterator[None]:
    """The database while a command works: the one that runs, else the embedded one, started for as long.

    `new`: it may be made here; else a folder without one is left as it is.
    """
    if settings.database_url or settings.database_url_control or settings.database_url_migrate:
        yield
        return
    embedded = server(settings)
    if not new and not embedded.data_dir.exists():
        raise CommandError(
            f"There is no installation in {settings.var_dir}: `troth init` makes one; one that is elsewhere is named "
            "by its settings file, such as `troth --config var/demo/troth.toml` for the demo."
        )
    try:
        embedded.start()
    except AlreadyRunning:
        yield
        return
    try:
        yield
    finally:
        embedded.stop()


@contextmanager
def control(settings: Settings) -> Iterator[scope.Connection]:
    """A connection of role troth_control for one command."""
    with running_database(settings), scope.connect(conninfo(settings, "control"), "command") as connection:
        yield connection


@contextmanager
def signin(settings: Settings) -> Iterator[scope.Connection]:
    """The same of role troth_signin, which makes the links of passwords."""
    with running_database(settings), scope.connect(conninfo(settings, "signin"), "command") as connection:
        yield connection


def connect_flow(settings: Settings) -> Callable[[str], Awaitable[store.Connection]]:
    """How the river's processes open a connection; a database that is down reads as psycopg's own errors do."""
    return _connect_as(settings, "flow")


def connect_ledger(settings: Settings) -> Callable[[str], Awaitable[store.Connection]]:
    """The same for the sequencer, role troth_ledger."""
    return _connect_as(settings, "ledger")


def _connect_as(settings: Settings, role: str) -> Callable[[str], Awaitable[store.Connection]]:
    async def connect(name: str) -> store.Connection:
        try:
            where = conninfo(settings, role)
        except PostgresError as down:
            raise psycopg.OperationalError(str(down)) from down
        return await store.connect(where, name)

    return connect


def open_keys(settings: Settings, secrets_ct: bytes, operator_keyset: bytes) -> Keys:
    kms = LocalKms(settings.key_path)
    keyring = Keyring(kms)
    return Keys(keyring, InstallationSecrets.open(kms, secrets_ct), keyring.tenant(OPERATOR, operator_keyset))


def control_keys(settings: Settings, connection: scope.Connection) -> Keys:
    """The same, for a command."""
    row = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    if row is None:
        raise CommandError("This database has no installation yet: run `troth init` first.")
    return open_keys(settings, *row)


def client_keys(settings: Settings, connection: scope.Connection, tenant: UUID) -> TenantKeys:
    """One client's own keyset, opened."""
    keys = control_keys(settings, connection)
    with scope.within(connection, tenant):
        row = connection.execute("SELECT keyset FROM tenant WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        raise CommandError("The client is not there any more.")
    return keys.keyring.tenant(tenant, row[0])


async def flow_keys(settings: Settings, connect: Callable[[str], Awaitable[store.Connection]]) -> Keys:
    """The same, for a process of the river."""
    found = await flow_installation(settings, connect)
    return open_keys(settings, found.secrets_ct, found.operator_keyset)


async def flow_installation(
    settings: Settings, connect: Callable[[str], Awaitable[store.Connection]]
) -> duties.Installation:
    """What this database is; CommandError when the settings mean another installation."""
    found = await _installation(connect)
    if found is None:
        raise CommandError("This database has no installation yet: run `troth init` first.")
    if found.cell != settings.cell or found.mode != settings.mode:
        raise CommandError(
            f"The database is a {found.mode} installation of cell {found.cell}, the settings say {settings.mode} "
            f"and {settings.cell}: set mode and cell as the database has them."
        )
    return found


async def _installation(connect: Callable[[str], Awaitable[store.Connection]]) -> duties.Installation | None:
    """Patient: a process that starts while the database is away waits for it rather than ending again and again."""
    while True:
        try:
            async with await connect("start") as connection:
                return await duties.installation(connection)
        except store.Unavailable as away:
            _log.warning("the database is away", reason=type(away).__name__)
            await asyncio.sleep(1)


def secret_key(settings: Settings) -> str:
    """The key of sessions and signed links; made once and kept (0600) when the settings give none."""
    if settings.secret_key:
        return settings.secret_key
    return _kept(settings.var_dir / "keys" / "web")


def _kept(path: Path) -> str:
    import secrets

    from troth.control.people.credentials import read_private, write_private

    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, secrets.token_urlsafe(48).encode())
    return read_private(path).decode()
