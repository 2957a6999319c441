"""Carries sql/0002_outcomes.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("abuse", "0001_desks")]
    operations: ClassVar = [run_sql(__file__)]
