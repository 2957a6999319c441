"""Running pages, with somebody on each side who can sign in, and a door that keeps the mail that they send."""

import pytest
from tests.control.people.conftest import door
from tests.support import pages

__all__ = ["door"]


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)
