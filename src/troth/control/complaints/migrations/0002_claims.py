"""Carries sql/0002_claims.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("complaints", "0001_complaints")]
    operations: ClassVar = [run_sql(__file__)]
