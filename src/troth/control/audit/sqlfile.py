"""The one way to carry SQL in Django's migration history; lowest in control, so that every feature may use it."""

from pathlib import Path

from django.db import migrations


def run_sql(migration_file: str) -> migrations.RunSQL:
    """The operation for a migration: the file of the same name in the app's sql/ folder; it cannot be reversed."""
    migration = Path(migration_file)
    statements = (migration.parent.parent / "sql" / f"{migration.stem}.sql").read_text(encoding="utf-8")
    # handed over whole, so that dollar-quoted bodies are not split
    return migrations.RunSQL([(statements, None)])
