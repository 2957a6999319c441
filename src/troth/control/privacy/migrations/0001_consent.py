"""Carries sql/0001_consent.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("pipeline", "0001_pipeline"), ("suppressions", "0001_newest")]
    operations: ClassVar = [run_sql(__file__)]
