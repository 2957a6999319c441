"""Carries sql/0002_acts.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("incidents", "0001_cases")]
    operations: ClassVar = [run_sql(__file__)]
