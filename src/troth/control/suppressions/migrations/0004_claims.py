"""Carries sql/0004_claims.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("suppressions", "0003_import"), ("privacy", "0001_consent")]
    operations: ClassVar = [run_sql(__file__)]
