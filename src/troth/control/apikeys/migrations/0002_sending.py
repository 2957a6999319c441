"""Carries sql/0002_sending.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("apikeys", "0001_secrets"), ("trust", "0002_governance")]
    operations: ClassVar = [run_sql(__file__)]
