"""Carries sql/0002_menu.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("web", "0001_home"), ("approvals", "0002_engine")]
    operations: ClassVar = [run_sql(__file__)]
