"""Carries sql/0003_shown.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("complaints", "0002_claims"), ("web", "0001_home")]
    operations: ClassVar = [run_sql(__file__)]
