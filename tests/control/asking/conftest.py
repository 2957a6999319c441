"""Running pages of a programme with contacts, and mail taken at in.example."""

import pytest
from tests.control.asking.asking import MAIL
from tests.support import pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path, more=MAIL)
    yield running
    pages.stop(running)
