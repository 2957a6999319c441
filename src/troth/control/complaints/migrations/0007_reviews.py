"""Carries sql/0007_reviews.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("complaints", "0006_trend")]
    operations: ClassVar = [run_sql(__file__)]
