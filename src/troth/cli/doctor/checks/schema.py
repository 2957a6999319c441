"""Around the house: doctor's check of the schema: this database has the migrations that this program has."""

from pathlib import Path

from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient, there

_APPLIED = "SELECT app, name FROM django_migrations"


def look(patient: Patient) -> Findings:
    with patient.connection("control") as connection:
        if not there(connection, "django_migrations"):
            yield wrong(
                "the database is not prepared: what we need is not in it", "Run `troth init`, or `troth migrate`."
            )
            return
        done = set(connection.execute(_APPLIED).fetchall())
        ask = "SELECT mode, cell FROM installation"
        row = connection.execute(ask).fetchone() if there(connection, "installation") else None
    known = _known()
    if missing := sorted(known - done):
        yield wrong(
            f"the database is not migrated: {_few(missing)} to come", "Run `troth migrate`, or start `troth up`."
        )
    elif beyond := sorted(done - known):
        yield wrong(f"a newer Troth has migrated this database: {_few(beyond)}", "Run that newer Troth.")
    elif row is None:
        yield unknown("the installation: the database is prepared and empty", "Run `troth init`.")
    else:
        yield ok(f"the database has all {len(done)} migrations")
    yield from _same_installation(patient, row)


def _same_installation(patient: Patient, row: tuple[str, str] | None) -> Findings:
    settings = patient.settings
    if row and row != (settings.mode, settings.cell):
        yield wrong(
            f"the database is a {row[0]} installation of cell {row[1]}, "
            f"the settings say {settings.mode} and {settings.cell}",
            "Set mode and cell as the database has them, or name the right database.",
        )


def _known() -> set[tuple[str, str]]:
    """Every migration that comes with this program."""
    import django
    from django.conf import settings
    from django.db.migrations.loader import MigrationLoader

    from troth.control.settings import SCHEMA

    if not settings.configured:
        settings.configure(**SCHEMA)
        django.setup()
    return set(MigrationLoader(None).disk_migrations)


def _few(names: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{app} {Path(name).name}" for app, name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
