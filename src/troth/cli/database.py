"""Prepares a database for the house: roles, schema, migrations, grants. Only set-up and upgrades come through here."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from troth.control import roles
from troth.control.pipeline import transitions
from troth.control.settings import INSTALLED_APPS, database

Conninfo = dict[str, Any]


def prepare(admin: Conninfo, migrate: Conninfo, passwords: Mapping[str, str] | None = None) -> None:
    """Roles and schema as the set-up account, then the upgrade. May be run again at any time.

    `passwords`: of login roles, for a server that asks for them.
    """
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
    upgrade(migrate)


def upgrade(migrate: Conninfo) -> None:
    """Migrations, then grants and row-level security, then partitions; as troth_migrate acting for troth_owner."""
    options = "-c role=troth_owner -c search_path=troth -c lock_timeout=5s -c client_min_messages=warning"
    owner = {**migrate, "options": options}
    _migrate(owner)
    with psycopg.connect(**owner) as connection:
        for statement in (*transitions.statements(), *roles.grant_statements()):
            connection.execute(statement)
        connection.execute("SELECT make_partitions_v1()")


def _migrate(owner: Conninfo) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    entry = {"default": database(owner)}
    if settings.configured:
        connections.settings = connections.configure_settings(entry)
        connections["default"].close()
    else:
        settings.configure(INSTALLED_APPS=INSTALLED_APPS, DATABASES=entry, USE_TZ=True)
        django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
