"""Carries sql/0001_classes.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("trust", "0001_trust")]
    operations: ClassVar = [run_sql(__file__)]
