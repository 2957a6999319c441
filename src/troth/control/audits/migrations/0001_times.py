"""Carries sql/0001_times.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
