"""Carries sql/0003_house.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("domains", "0002_reputation"), ("web", "0001_home")]
    operations: ClassVar = [run_sql(__file__)]
