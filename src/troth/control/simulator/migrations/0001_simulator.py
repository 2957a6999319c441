"""Carries sql/0001_simulator.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("people", "0003_rights"), ("approvals", "0002_engine"), ("pipeline", "0003_facts")]
    operations: ClassVar = [run_sql(__file__)]
