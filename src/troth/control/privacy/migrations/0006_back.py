"""Carries sql/0006_back.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("privacy", "0005_proving"), ("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
