"""Carries sql/0003_staff.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("records", "0002_house"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
