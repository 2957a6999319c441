"""Carries sql/0001_imports.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("approvals", "0002_engine"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
