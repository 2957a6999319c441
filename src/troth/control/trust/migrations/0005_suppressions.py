"""Carries sql/0005_suppressions.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("trust", "0004_limits"), ("pipeline", "0001_pipeline")]
    operations: ClassVar = [run_sql(__file__)]
