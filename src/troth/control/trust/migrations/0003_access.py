"""Carries sql/0003_access.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("trust", "0002_governance"),
        ("access", "0002_reviews"),
        ("apikeys", "0001_secrets"),
        ("people", "0005_sign_on"),
    ]
    operations: ClassVar = [run_sql(__file__)]
