"""Running pages with three programmes; what a test changes it changes in its own."""

import pytest
from tests.control.centre import promising
from tests.support import pages, postgres
from tests.support.firm import make_operator

HOSTS = {"TROTH_ALLOWED_HOSTS": "localhost,127.0.0.1,property.example,retail.example"}


@pytest.fixture(scope="module")
def house(pg_server, pg_template, tmp_path_factory):
    """One site for all tests that only look."""
    with postgres.cloned(pg_server, pg_template) as database:
        operator = make_operator(database)
        made = promising.programmes(operator)
        promising.told(operator, made)
        site = pages.start(operator, tmp_path_factory.mktemp("centre"), more=HOSTS)
        try:
            yield site, made
        finally:
            pages.stop(site)


@pytest.fixture
def own(operator, tmp_path):
    """A site of a test's own."""
    made = promising.programmes(operator)
    promising.told(operator, made)
    site = pages.start(operator, tmp_path, more=HOSTS)
    yield site, made
    pages.stop(site)
