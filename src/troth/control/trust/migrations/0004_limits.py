"""Carries sql/0004_limits.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("trust", "0003_access"), ("pipeline", "0002_routes"), ("apikeys", "0002_sending")]
    operations: ClassVar = [run_sql(__file__)]
