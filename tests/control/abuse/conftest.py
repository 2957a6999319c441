"""Running pages, with somebody on each side who can sign in, and mail taken at in.example."""

import pytest
from tests.support import pages

MAIL = {
    "TROTH_RETURN_PATH_DOMAIN": "in.example",
    "TROTH_INBOUND_PORT": "2525",
    "TROTH_ALLOWED_HOSTS": "localhost,127.0.0.1,firm.example",
}


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path, more=MAIL)
    yield running
    pages.stop(running)
