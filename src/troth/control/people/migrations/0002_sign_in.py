"""Carries sql/0002_sign_in.sql, and Django's picture of its one table that Django reads as a model."""

from typing import ClassVar

from django.db import migrations, models

from troth.control.audit.sqlfile import run_sql

_LOGIN = migrations.CreateModel(
    name="Login",
    fields=[
        ("account_id", models.UUIDField(primary_key=True, serialize=False)),
        ("email", models.TextField()),
        ("password", models.TextField()),
    ],
    options={"db_table": "login"},
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0001_people"), ("pipeline", "0001_pipeline")]
    run_before: ClassVar = [("account", "0001_initial")]  # allauth's tables refer to this one
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(database_operations=[run_sql(__file__)], state_operations=[_LOGIN])
    ]
