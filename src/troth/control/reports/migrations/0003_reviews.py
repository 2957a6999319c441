"""Carries sql/0003_reviews.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reports", "0002_looking")]
    operations: ClassVar = [run_sql(__file__)]
