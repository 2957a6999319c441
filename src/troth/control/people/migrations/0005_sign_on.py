"""Carries sql/0005_sign_on.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0004_factors"), ("approvals", "0001_approvals")]
    operations: ClassVar = [run_sql(__file__)]
