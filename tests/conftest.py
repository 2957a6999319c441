"""Fixtures that every part of the suite may ask for, and the rule for tests that need root or Debian's packages."""

import os

import pytest
import structlog
from tests.support.firm import firm, operator
from tests.support.postgres import database, pg_server, pg_template
from tests.support.river import river
from tests.support.stage import stage

__all__ = ["database", "firm", "operator", "pg_server", "pg_template", "river", "stage"]


@pytest.fixture(autouse=True)
def own_log():
    """A test that configured the log leaves none of it to the next."""
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a user's machine tests that need root are listed as not run; in CI, where all is installed, they run or fail."""
    for item in items:
        if "site" in getattr(item, "fixturenames", ()) and "web" not in item.path.parts:
            item.add_marker("pages")
    if os.geteuid() == 0 or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("needs_root"):
            item.add_marker(pytest.mark.skip(reason="not run: needs root and Debian's packages"))
