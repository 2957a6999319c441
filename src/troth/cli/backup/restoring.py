"""Around the house: puts a backup into an empty installation. Whatever fails, the place is as empty as before.

read to the end -> keyring -> settings -> empty? -> roles, schema -> one transaction: load, compare, keys, hold
-> grants
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from troth.cli import database, wiring
from troth.cli.backup import catalogue, files, holding, keyring, loading, opening
from troth.cli.backup.catalogue import Connection
from troth.cli.backup.holding import Held
from troth.cli.backup.opening import Contents
from troth.cli.backup.sealed import Header
from troth.cli.backup.taking import Tell, connect
from troth.cli.words import CommandError
from troth.control.people.credentials import read_private
from troth.keys.errors import KeyringError
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import OPERATOR, Keyring
from troth.outside.kms import KmsError, LocalKms
from troth.settings import Settings, load
from troth.settings.load import CONFIG, FILE

SETTINGS, WEB = "settings", "web"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was read to its end: its file, the master key's file, what it holds."""

    path: Path
    header: Header
    master: Path
    key: bytes = field(repr=False)
    contents: Contents


def read(path: Path, master: Path) -> Backup:
    """Raise CommandError (NotWhole), or KmsError for what is no key file."""
    header = opening.header(path)
    key = keyring.open_key(master, header)
    return Backup(path, header, master, key, opening.check(path, key))


def settings_file() -> Path:
    return Path(os.environ.get(CONFIG) or FILE).absolute()


@contextmanager
def placed(backup: Backup, settings: Settings, tell: Tell) -> Iterator[Settings]:
    """The settings file, master key and web key in their places; taken away again when the restore fails."""
    with ExitStack() as undo:
        kept = backup.contents.files.get(SETTINGS)
        if kept is not None and _place(undo, settings_file(), kept, tell):
            settings = load(os.environ, Path.cwd())
        _agree(backup.contents, settings)
        _place_key(undo, backup, settings, tell)
        web = backup.contents.files.get(WEB)
        if web is not None and not settings.secret_key:
            _place(undo, settings.var_dir / "keys" / "web", web, tell)
        _put_aside(undo, settings.witness_path, tell)
        yield settings
        undo.pop_all()


def _agree(contents: Contents, settings: Settings) -> None:
    theirs = contents.manifest
    if (theirs.mode, theirs.cell) != (settings.mode, settings.cell):
        raise CommandError(
            f"The backup is of a {theirs.mode} installation of cell {theirs.cell}, the settings say {settings.mode} "
            f"and {settings.cell}: set mode and cell as the backup has them. Nothing was changed."
        )


def _place_key(undo: ExitStack, backup: Backup, settings: Settings, tell: Tell) -> None:
    """The master key where the settings want it; one that is there is never replaced, but must be the same."""
    octets = read_private(backup.master)
    if settings.key_path.exists() and settings.key_path != backup.master:
        try:
            keyring.open_key(settings.key_path, backup.header)
        except (CommandError, KmsError) as other:
            raise CommandError(
                f"{settings.key_path} is there already, is another key and is not replaced: move it away. "
                f"Nothing was changed. ({other})"
            ) from other
    else:
        _place(undo, settings.key_path, octets, tell)


def _put_aside(undo: ExitStack, witness: Path, tell: Tell) -> None:
    """It holds checkpoints that the restored ledger has not: evidence, from which the sequencer would not go on."""
    if witness.exists():
        aside = witness.with_name(f"{witness.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        witness.rename(aside)
        undo.callback(aside.rename, witness)
        tell(f"{witness} put aside as {aside.name}: keep it, it proves what the ledger held before the restore")


def _place(undo: ExitStack, path: Path, octets: bytes, tell: Tell) -> bool:
    """Whether the file was written; one that is there stays."""
    if path.exists():
        if path.read_bytes() != octets:
            tell(f"{path} is there and differs from the backup's: it stays as it is")
        return False
    made = [folder for folder in path.parents if not folder.exists()]
    # keys lie alone; PostgreSQL's own account must be able to pass through other folders
    path.parent.mkdir(mode=0o700 if path.parent.name == "keys" else 0o755, parents=True, exist_ok=True)
    for folder in reversed(made):
        undo.callback(_remove_empty, folder)
    files.write(path, octets)
    undo.callback(path.unlink)
    tell(f"{path} restored")
    return True


def restore(backup: Backup, settings: Settings, waiting: str, tell: Tell) -> Held:
    """Into the database that the settings mean, which must hold nothing of ours."""
    with ExitStack() as undo:
        if not settings.database_url and not wiring.server(settings).data_dir.exists():
            undo.callback(shutil.rmtree, wiring.server(settings).home, ignore_errors=True)
        with wiring.running_database(settings, new=True):
            held = _into_empty(backup, settings, waiting, tell)
        undo.pop_all()
    return held


def _into_empty(backup: Backup, settings: Settings, waiting: str, tell: Tell) -> Held:
    admin, migrate = wiring.admin_conninfo(settings), wiring.conninfo(settings, "migrate")
    _refuse_full(admin, migrate)
    database.ground(admin, migrate, wiring.passwords(settings))
    try:
        database.refuse_unknown(backup.contents.manifest.migrations, database.known(migrate), "The backup")
        database.migrate_to(migrate, backup.contents.manifest.migrations)
        with connect(migrate, "restore") as connection:
            held = _load(backup, connection, waiting, tell)
    except BaseException:
        _drop(admin, migrate)
        raise
    tell("grants and row-level security")
    database.upgrade(migrate)
    return held


def _load(backup: Backup, connection: Connection, waiting: str, tell: Tell) -> Held:
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = 0")
        loading.load(connection, backup.path, backup.key, backup.contents, tell)
        tell("every table read back: as in the backup")
        tell(f"keyring: {_opened(connection, backup.master)} clients' keysets open")
        return holding.hold(connection, backup.contents.manifest.taken, opening.digest(backup.path), waiting)


def _opened(connection: Connection, master: Path) -> int:
    """Open the installation's secrets and every client's keyset; a database that nobody can read is no restore."""
    row = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    tenants = connection.execute("SELECT id, keyset FROM tenant").fetchall()
    try:
        kms = LocalKms(master)
        ring = Keyring(kms)
        if row is not None:
            InstallationSecrets.open(kms, row[0])
            ring.tenant(OPERATOR, row[1])
        for tenant, keyset in tenants:
            ring.tenant(tenant, keyset)
    except (KeyringError, KmsError) as wrong:
        raise CommandError(
            f"The master key does not open what is in the backup: {wrong}. Nothing was changed."
        ) from wrong
    return len(tenants)


def _refuse_full(admin: database.Conninfo, migrate: database.Conninfo) -> None:
    with psycopg.connect(**admin, autocommit=True) as server:
        there = server.execute("SELECT FROM pg_database WHERE datname = %s", (migrate["dbname"],)).fetchone()
    if there is None:
        return
    with psycopg.connect(**{**admin, "dbname": migrate["dbname"]}, autocommit=True) as connection:
        if catalogue.unfinished(connection):  # what a restore that was killed has left
            _drop(admin, migrate)
        elif not catalogue.empty(connection):
            raise CommandError(
                f"The database {migrate['dbname']} is not empty: a restore goes into an empty one only. Move the old "
                "one away (with the embedded database: the folder `postgres` in var_dir), or name another. Nothing was "
                "changed."
            )


def _drop(admin: database.Conninfo, migrate: database.Conninfo) -> None:
    with psycopg.connect(**{**admin, "dbname": migrate["dbname"]}, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute("DROP SCHEMA IF EXISTS troth CASCADE")


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
