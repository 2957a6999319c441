"""Carries sql/0001_desks.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("incidents", "0002_acts"), ("privacy", "0005_proving"), ("stops", "0002_behind")]
    operations: ClassVar = [run_sql(__file__)]
