"""Running pages, and a SAML provider that is not ours."""

import pytest
from tests.support import pages
from tests.support.saml_idp import SamlIdp
from tests.support.signing_on import Bound, Traveller


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def bound(site):
    return Bound(site)


@pytest.fixture
def traveller(site):
    return Traveller(site.url)


@pytest.fixture
def idp(tmp_path):
    return SamlIdp(tmp_path)
