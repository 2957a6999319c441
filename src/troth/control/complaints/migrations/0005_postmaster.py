"""Carries sql/0005_postmaster.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("complaints", "0004_telling")]
    operations: ClassVar = [run_sql(__file__)]
