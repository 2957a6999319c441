"""Carries sql/0003_pages.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("recipients", "0002_imports")]
    operations: ClassVar = [run_sql(__file__)]
