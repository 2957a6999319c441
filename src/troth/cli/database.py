"""Prepares a database for the house: roles, schema, migrations, grants. Only set-up and upgrades come through here.

An upgrade runs beside working processes. Each migration is one transaction that waits for a lock no longer than
LOCK_TIMEOUT, since whoever waits for one keeps all others waiting, too; when that is not enough it is tried again.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from troth.cli import standing_rules
from troth.cli.words import CommandError
from troth.control import roles
from troth.control.settings import SCHEMA, database

Conninfo = dict[str, Any]
Migration = tuple[str, str]  # app and name

LOCK_TIMEOUT = "400ms"  # a claim or a mark may stand behind us for so long
_PATIENCE = 60.0  # seconds in which a lock is tried for
_PAUSE = 0.3
_ALONE = 7404  # one upgrade at a time


class NewerDatabase(CommandError):  # noqa: N818 - reads as the sentence it raises
    """A newer Troth has been at this database."""


class Busy(CommandError):  # noqa: N818 - reads as the sentence it raises
    """A lock was not to be had in time; nothing is half done."""


def prepare(admin: Conninfo, migrate: Conninfo, passwords: Mapping[str, str] | None = None) -> None:
    """Roles and schema as the set-up account, then the upgrade. May be run again at any time.

    `passwords`: of login roles, for a server that asks for them.
    """
    ground(admin, migrate, passwords)
    upgrade(migrate)


def ground(admin: Conninfo, migrate: Conninfo, passwords: Mapping[str, str] | None = None) -> None:
    """Roles, database and an empty schema."""
    name = migrate["dbname"]
    with psycopg.connect(**admin, autocommit=True) as connection:
        for statement in roles.role_statements():
            connection.execute(statement)
        for role, password in (passwords or {}).items():
            query = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
            connection.execute(query)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(**{**admin, "dbname": name}, autocommit=True) as connection:
        for statement in roles.database_statements(name):
            connection.execute(statement)


def upgrade(migrate: Conninfo, tell: Callable[[str], None] = lambda _line: None) -> None:
    """Migrations, then row-level security, grants and partitions; as troth_migrate acting for troth_owner."""
    with psycopg.connect(**_owner(migrate), autocommit=True) as alone:
        alone.execute("SET lock_timeout = 0")
        alone.execute("SELECT pg_advisory_lock(%s)", (_ALONE,))
        found = plan(migrate)
        if found.pending:
            _patiently(lambda: _migrate(migrate))
        for app, name in found.pending:
            tell(f"{app}.{name}")
        with psycopg.connect(**_owner(migrate), autocommit=True) as owner:
            for transaction in standing_rules.transactions(owner):
                _patiently(lambda sentences=transaction: _run(owner, sentences))  # type: ignore[misc]  # the loop's own


def migrate_to(migrate: Conninfo, applied: Iterable[Migration]) -> None:
    """An empty database to the very state that had these migrations; without grants."""
    wanted = set(applied)
    pending = plan(migrate).pending
    if wanted == set(pending):
        return _migrate(migrate)
    for one in pending:
        if one in wanted:
            _migrate(migrate, one)
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an upgrade will do, in order, and what was done already."""

    pending: list[Migration]
    applied: list[Migration]


def plan(migrate: Conninfo) -> Plan:
    """Raise NewerDatabase when the database has migrations that this version does not know."""
    executor = _executor(migrate)
    applied = sorted(executor.loader.applied_migrations)
    refuse_unknown(applied, set(executor.loader.disk_migrations), "The database")
    targets = executor.loader.graph.leaf_nodes()
    pending = [(one.app_label, one.name) for one, _ in executor.migration_plan(targets)]
    executor.connection.close()
    return Plan(pending, applied)


def known(migrate: Conninfo) -> set[Migration]:
    """Every migration of this version."""
    return set(_executor(migrate).loader.disk_migrations)


def refuse_unknown(applied: Iterable[Migration], ours: set[Migration], what: str) -> None:
    """Old code must not work with a newer schema: it would not know what the new rules mean."""
    if unknown := [f"{app}.{name}" for app, name in sorted(applied) if (app, name) not in ours]:
        raise NewerDatabase(
            f"{what} was made by a newer Troth than this one (it has {', '.join(unknown)}, which this version does not "
            "know): run the version that made it, or a newer one. Nothing was changed."
        )


def _owner(migrate: Conninfo) -> Conninfo:
    options = f"-c role=troth_owner -c search_path=troth -c lock_timeout={LOCK_TIMEOUT} -c client_min_messages=warning"
    return {**migrate, "options": options}


def _run(owner: psycopg.Connection[Any], statements: Iterable[str]) -> None:
    with owner.transaction():
        for statement in statements:
            owner.execute(statement)


def _patiently(act: Callable[[], None]) -> None:
    """Again and again while a lock is not to be had; each try is all or nothing."""
    from django.db import OperationalError

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return act()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, OperationalError) as trouble:
            if not _of_a_lock(trouble):
                raise
            if time.monotonic() > until:
                raise Busy(
                    f"A lock on a table was not to be had in {_PATIENCE:g} s: something works on it all the time (a "
                    "backup, a long report). What was done so far is whole; run this again later."
                ) from trouble
        time.sleep(_PAUSE)


def _of_a_lock(trouble: BaseException) -> bool:
    """Django wraps psycopg's errors and keeps them as the cause."""
    of_locks = psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected
    return isinstance(trouble, of_locks) or isinstance(trouble.__cause__, of_locks)


def _migrate(migrate: Conninfo, until: Migration | None = None) -> None:
    """All that is missing, or up to one; each migration is a transaction of its own, so a repeat goes on after them."""
    from django.core.management.sql import emit_post_migrate_signal
    from django.db import connections

    executor = _executor(migrate)
    try:
        executor.migrate([until] if until else executor.loader.graph.leaf_nodes())
        if until is None:
            emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    finally:
        connections.close_all()


def _executor(migrate: Conninfo) -> Any:
    """Django's, on a fresh connection to this database."""
    import django
    from django.conf import settings
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    entry = {"default": database(_owner(migrate))}
    if settings.configured:
        connections.settings = connections.configure_settings(entry)
        connections["default"].close()
        del connections["default"]
    else:
        settings.configure(**SCHEMA, DATABASES=entry)
        django.setup()
    return MigrationExecutor(connections["default"])
