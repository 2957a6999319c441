"""Carries sql/0004_erasing.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("privacy", "0003_claims"), ("recipients", "0001_recipients")]
    operations: ClassVar = [run_sql(__file__)]
