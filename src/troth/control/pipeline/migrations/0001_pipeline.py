"""Carries sql/0001_pipeline.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("approvals", "0001_approvals")]
    operations: ClassVar = [run_sql(__file__)]
