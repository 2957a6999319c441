"""Carries sql/0003_rights.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0002_sign_in"), ("pipeline", "0001_pipeline")]
    operations: ClassVar = [run_sql(__file__)]
