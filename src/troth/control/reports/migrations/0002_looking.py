"""Carries sql/0002_looking.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reports", "0001_reports")]
    operations: ClassVar = [run_sql(__file__)]
