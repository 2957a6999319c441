"""Carries sql/0005_proving.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("privacy", "0004_erasing")]
    operations: ClassVar = [run_sql(__file__)]
