"""Carries sql/0002_own.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("privacy", "0001_consent"), ("people", "0003_rights"), ("web", "0003_hours")]
    operations: ClassVar = [run_sql(__file__)]
