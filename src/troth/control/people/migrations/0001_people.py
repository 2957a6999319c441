"""Carries sql/0001_people.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("tenants", "0001_tenants")]
    operations: ClassVar = [run_sql(__file__)]
