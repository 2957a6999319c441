"""Carries sql/0002_ledger.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0001_ground"), ("pipeline", "0001_pipeline")]
    operations: ClassVar = [run_sql(__file__)]
