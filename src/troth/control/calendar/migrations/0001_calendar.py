"""Carries sql/0001_calendar.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("access", "0003_entries"),
        ("complaints", "0007_reviews"),
        ("evidence", "0001_evidence"),
        ("reports", "0003_reviews"),
    ]
    operations: ClassVar = [run_sql(__file__)]
