"""Carries sql/0002_house.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("records", "0001_records"), ("audit", "0002_ledger")]
    operations: ClassVar = [run_sql(__file__)]
