"""Carries sql/0002_routes.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("pipeline", "0001_pipeline")]
    operations: ClassVar = [run_sql(__file__)]
