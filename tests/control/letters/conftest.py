"""Running pages, with somebody on each side who can sign in, and letters that were kept."""

import pytest
from tests.support import pages
from tests.support.letters import Shelf


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def shelf(operator):
    return Shelf(operator)
