"""Running pages, with somebody on each side who can sign in."""

import pytest
from tests.support import pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)
