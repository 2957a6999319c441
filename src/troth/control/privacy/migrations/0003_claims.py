"""Carries sql/0003_claims.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("privacy", "0002_own")]
    operations: ClassVar = [run_sql(__file__)]
