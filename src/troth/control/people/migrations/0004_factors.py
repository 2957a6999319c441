"""Carries sql/0004_factors.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0003_rights"), ("mfa", "0003_authenticator_type_uniq")]
    operations: ClassVar = [run_sql(__file__)]
