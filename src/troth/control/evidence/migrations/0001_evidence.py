"""Carries sql/0001_evidence.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("access", "0003_entries"), ("approvals", "0004_found"), ("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
