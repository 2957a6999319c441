"""Carries sql/0001_recipients.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [("pipeline", "0001_pipeline"), ("webhooks", "0001_webhooks")]
    operations: ClassVar = [run_sql(__file__)]
