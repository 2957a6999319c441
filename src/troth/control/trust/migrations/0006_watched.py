"""Carries sql/0006_watched.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("trust", "0005_suppressions"),
        ("access", "0002_reviews"),
        ("incidents", "0004_duty"),
        ("people", "0003_rights"),
    ]
    operations: ClassVar = [run_sql(__file__)]
