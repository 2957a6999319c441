"""Carries sql/0001_cases.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("access", "0003_entries"), ("audit", "0002_ledger"), ("pipeline", "0004_inbound")]
    operations: ClassVar = [run_sql(__file__)]
