"""Carries sql/0001_letters.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("pipeline", "0004_inbound"), ("people", "0003_rights")]
    operations: ClassVar = [run_sql(__file__)]
