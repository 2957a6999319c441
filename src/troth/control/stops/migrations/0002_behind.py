"""Carries sql/0002_behind.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("stops", "0001_stops"), ("tenants", "0001_tenants")]
    operations: ClassVar = [run_sql(__file__)]
