"""Carries sql/0001_anomaly.sql."""

from typing import ClassVar

from django.db import migrations

from troth.control.audit.sqlfile import run_sql


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [
        ("stops", "0001_stops"),
        ("access", "0003_entries"),
        ("web", "0003_hours"),
        ("webhooks", "0001_webhooks"),
    ]
    operations: ClassVar = [run_sql(__file__)]
