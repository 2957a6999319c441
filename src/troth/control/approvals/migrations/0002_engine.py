"""Carries sql/0002_engine.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0001_approvals"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
