"""Carries sql/0004_duty.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("incidents", "0003_reading")]
    operations: ClassVar = [run_sql(__file__)]
