"""Carries sql/0001_trust.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [
        ("audit", "0002_ledger"),
        ("tenants", "0001_tenants"),
        ("people", "0001_people"),
        ("approvals", "0001_approvals"),
        ("pipeline", "0001_pipeline"),
    ]
    operations: ClassVar = [run_sql(__file__)]
