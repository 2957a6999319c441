"""Carries sql/0001_rotation.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("pipeline", "0004_inbound"), ("people", "0005_sign_on"), ("approvals", "0004_found")]
    operations: ClassVar = [run_sql(__file__)]
