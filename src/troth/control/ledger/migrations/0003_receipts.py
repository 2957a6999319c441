"""Carries sql/0003_receipts.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("ledger", "0002_recent"),
        ("approvals", "0004_found"),
        ("pipeline", "0001_pipeline"),
        ("tenants", "0001_tenants"),
    ]
    operations: ClassVar = [run_sql(__file__)]
