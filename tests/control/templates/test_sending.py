"""A test of a template by mail, with a real door behind the page: taken, and refused in the gate's own words."""

import html

import pytest
from tests.support import pages, platform
from tests.support.pages import join
from tests.support.platform import pages_key


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def sending(site):
    made = platform.start(site)
    yield made
    made.stop()


@pytest.fixture
def author(site):
    return join(site.operator, "Ada Author <ada@firm.test>", "author", site.firm.tenant)


def asked(visitor, site, version=1):
    """What the page says after the button was pressed."""
    path = f"/templates/{site.firm.template}/versions/{version}"
    visitor.get(path)
    return html.unescape(visitor.post(f"{path}/test").text)


def mails(site):
    return site.operator.admin.execute("SELECT count(*) FROM email").fetchone()[0]


def test_it_is_taken_or_refused_as_any_other_mail(site, sending, author):
    ada = site.visitor(author)
    assert "This client has no key for the pages: nothing was sent." in asked(ada, site)
    pages_key(site)
    unknown = asked(ada, site)
    assert "The gate refused the test, as it would refuse any such mail: " in unknown
    assert "verif" in unknown
    assert mails(site) == 0
    site.firm.person(author.address)
    assert "The test is on its way to your own address" in asked(ada, site)
    (mail,) = sending.await_mail(author.address)
    assert b"the rent is due." in mail
    site.operator.revoke(site.firm.template)
    path = f"/templates/{site.firm.template}/versions/1"
    assert "Send a test to me" not in ada.get(path).text
    stopped = asked(ada, site)
    assert "The gate refused the test" in stopped
    assert mails(site) == 1
