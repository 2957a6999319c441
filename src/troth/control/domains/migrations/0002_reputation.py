"""Carries sql/0002_reputation.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("domains", "0001_rotation")]
    operations: ClassVar = [run_sql(__file__)]
