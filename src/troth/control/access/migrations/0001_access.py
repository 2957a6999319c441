"""Carries sql/0001_access.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("people", "0004_factors"), ("approvals", "0002_engine"), ("apikeys", "0001_secrets")]
    operations: ClassVar = [run_sql(__file__)]
