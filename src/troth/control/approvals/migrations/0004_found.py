"""Carries sql/0004_found.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0003_queue")]
    operations: ClassVar = [run_sql(__file__)]
