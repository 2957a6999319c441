"""Carries sql/0003_hours.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("web", "0002_menu"), ("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
