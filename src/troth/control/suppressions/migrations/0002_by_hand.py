"""Carries sql/0002_by_hand.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("suppressions", "0001_newest"), ("people", "0003_rights"), ("web", "0001_home")]
    operations: ClassVar = [run_sql(__file__)]
