"""Running pages, with somebody on each side who can sign in."""

import pytest
from tests.support import pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def asking(operator, tmp_path):
    """The same with what an installation asks of every domain."""
    running = pages.start(operator, tmp_path, more={
        "TROTH_SPF_MECHANISM": "include:_spf.relay.test", "TROTH_RETURN_PATH_DOMAIN": "bounces.troth.test",
        "TROTH_INBOUND_PORT": "2525",
    })  # fmt: skip
    yield running
    pages.stop(running)
