"""Fixtures that every part of the suite may ask for; what they are made of lies in tests/support."""

from tests.support.postgres import database, pg_server, pg_template
from tests.support.river import river
from tests.support.stage import stage

__all__ = ["database", "pg_server", "pg_template", "river", "stage"]
