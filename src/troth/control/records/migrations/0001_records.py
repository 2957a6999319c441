"""Carries sql/0001_records.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("people", "0003_rights"), ("audit", "0002_ledger"), ("pipeline", "0001_pipeline")]
    operations: ClassVar = [run_sql(__file__)]
