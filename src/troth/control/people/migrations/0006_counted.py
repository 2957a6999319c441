"""Carries sql/0006_counted.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0005_sign_on"), ("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
