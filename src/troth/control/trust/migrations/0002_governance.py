"""Carries sql/0002_governance.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("trust", "0001_trust"), ("approvals", "0002_engine"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
