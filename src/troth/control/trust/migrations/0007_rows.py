"""Carries sql/0007_rows.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("trust", "0006_watched"),
        ("privacy", "0006_back"),
        ("people", "0006_counted"),
        ("limits", "0003_looking"),
        ("stops", "0002_behind"),
        ("suppressions", "0004_claims"),
        ("apikeys", "0002_sending"),
    ]
    operations: ClassVar = [run_sql(__file__)]
