"""Carries sql/0004_telling.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("complaints", "0003_shown"), ("access", "0003_entries")]
    operations: ClassVar = [run_sql(__file__)]
