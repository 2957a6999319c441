"""Carries sql/0001_asking.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("abuse", "0003_claims"), ("letters", "0001_letters")]
    operations: ClassVar = [run_sql(__file__)]
