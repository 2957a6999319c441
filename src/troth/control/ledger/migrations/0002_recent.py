"""Carries sql/0002_recent.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("ledger", "0001_hashes")]
    operations: ClassVar = [run_sql(__file__)]
