"""Carries sql/0004_offers.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("recipients", "0003_pages"), ("privacy", "0003_claims")]
    operations: ClassVar = [run_sql(__file__)]
