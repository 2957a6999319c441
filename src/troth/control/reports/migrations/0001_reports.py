"""Carries sql/0001_reports.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("incidents", "0002_acts"), ("pipeline", "0004_inbound"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
