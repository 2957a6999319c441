"""Carries sql/0003_import.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("suppressions", "0002_by_hand"), ("imports", "0001_imports")]
    operations: ClassVar = [run_sql(__file__)]
