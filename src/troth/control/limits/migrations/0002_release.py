"""Carries sql/0002_release.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("limits", "0001_anomaly")]
    operations: ClassVar = [run_sql(__file__)]
