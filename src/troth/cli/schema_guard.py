"""Around the river: no process works on a database that a newer Troth has changed: it would not know the new rules.

Without Django, which most processes never load: a migration is a file of ours, and its name a row of django_migrations.
"""

from collections.abc import Iterable
from pathlib import Path

import psycopg
import structlog

import troth.control
from troth.cli import wiring
from troth.cli.database import Migration, refuse_unknown
from troth.control.settings import INSTALLED_APPS
from troth.outside.postgres import PostgresError
from troth.settings import Settings

_APPLIED = "SELECT app::text, name::text FROM troth.django_migrations"
_OTHERS = {app.rpartition(".")[2] for app in INSTALLED_APPS if not app.startswith("troth.")}
_ROOMS = {app.rpartition(".")[2] for app in INSTALLED_APPS if app.startswith("troth.")}
_log = structlog.get_logger("troth.start")


def ours() -> set[Migration]:
    """Room and name of every migration in this version."""
    files = Path(troth.control.__path__[0]).glob("*/migrations/[0-9]*.py")
    return {(room, file.stem) for file in files if (room := file.parent.parent.name) in _ROOMS}


def refuse(applied: Iterable[Migration]) -> None:
    """Raise NewerDatabase for a migration that this version does not have. Other people's rooms are their own."""
    refuse_unknown([one for one in applied if one[0] not in _OTHERS], ours(), "The database")


def look(settings: Settings) -> None:
    """At a process's start. A database that is away is not refused: whoever needs it waits for it."""
    try:
        with psycopg.connect(**wiring.conninfo(settings, "flow"), connect_timeout=5, autocommit=True) as connection:
            applied = connection.execute(_APPLIED).fetchall()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, PostgresError) as away:
        _log.info("the database's version could not be looked at", reason=type(away).__name__)
        return
    refuse([(app, name) for app, name in applied])
