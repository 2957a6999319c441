"""Signing in as people do, in a real browser: a passkey, an authenticator app, a step-up, ending a session, a nudge."""

import re

import pytest
from tests.browser.conftest import axe_findings
from tests.support.pages import PASSWORD, join
from tests.support.totp import code_of


@pytest.fixture
def viewer(site):
    return join(site.operator, "Vesper Lane <vesper@firm.test>", "viewer", site.firm.tenant, second=False)


@pytest.fixture
def newcomer(site):
    """An owner who has set a password and nothing more."""
    return join(site.operator, "Bertrand Ashe <bertrand@operator.test>", "owner", second=False)


def authenticator(page):
    """A device that verifies its person, as a phone or laptop does."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    given = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
             "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": given})["authenticatorId"]

    def verified(yes: bool) -> None:
        session.send("WebAuthn.setUserVerified", {"authenticatorId": made, "isUserVerified": yes})

    return verified


def typed(page, who, password=PASSWORD):
    page.get_by_label("E-mail").fill(who.address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def clean(looker, name):
    """A picture of a page that a form led to, and no finding."""
    looker.picture(name)
    assert not axe_findings(looker.page)


def test_a_passkey_is_made_shown_and_is_enough(look, site, viewer):
    looker = look(viewer)
    page = looker.page
    verified = authenticator(page)
    looker.go("/account/factors/passkey")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("heading", name="Keep your recovery codes").wait_for()
    clean(looker, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    assert "Passkey “Laptop”" in page.content()
    clean(looker, "account-with-passkey")
    page.get_by_role("button", name="Sign out").click()
    # as the only step
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site.url}/")
    page.get_by_role("button", name="Sign out").click()
    # as the second one
    typed(page, viewer)
    page.wait_for_url(f"{site.url}/second-factor")
    clean(looker, "second-factor-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site.url}/")
    page.get_by_role("button", name="Sign out").click()
    # who cannot show a finger is not let in by the device alone
    verified(False)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("No passkey was shown").wait_for()
    clean(looker, "passkey-cancelled")
    assert not looker.console, looker.console


def test_an_app_is_taken_up_where_a_role_needs_it_and_asked_for(look, site, newcomer):
    looker = look(newcomer)
    page = looker.page
    assert page.url.startswith(f"{site.url}/second-factor")
    looker.look_at("/second-factor?next=/ledger", "second-factor-missing")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Add an authenticator app").click()
    secret = page.locator("code").inner_text().replace(" ", "")
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Add the app").click()
    assert "This code is not right" in page.content()
    clean(looker, "app-wrong-code")
    page.get_by_label("Code", exact=True).fill(code_of(secret, -1))  # so that the next one is new
    page.get_by_role("button", name="Add the app").click()
    page.get_by_role("link", name="I have kept them").click()
    assert page.url == f"{site.url}/ledger"
    page.get_by_role("button", name="Sign out").click()
    typed(page, newcomer)
    page.wait_for_url(f"{site.url}/second-factor")
    page.get_by_label("Code", exact=True).fill("123 456")
    page.get_by_role("button", name="Continue").click()
    assert "4 tries left" in page.content()
    clean(looker, "second-factor-wrong-code")
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site.url}/")
    assert {said for said in looker.console if "422" not in said} == set()  # its own line about a refused form


def test_a_dangerous_page_asks_for_a_recent_proof(look, site):
    looker = look(site.member)
    page = looker.page
    site.operator.admin.execute("UPDATE installation SET clock_offset = interval '11 minutes'")
    looker.go("/account/password")
    assert page.url == f"{site.url}/prove?next=%2Faccount%2Fpassword"
    looker.look_at("/prove?next=/account/password", "prove")
    page.get_by_label("Password").fill("not mine")
    page.get_by_role("button", name="Continue with the password").click()
    assert "This is not your password. 4 tries left." in page.content()
    clean(looker, "prove-wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue with the password").click()
    assert page.url == f"{site.url}/account/password"
    new = "seven brown boxes of string"
    for label, words in (("Password now", PASSWORD), ("New password", new), ("The same once more", new)):
        page.get_by_label(label).fill(words)
    page.get_by_role("button", name="Change it").click()
    assert page.url == f"{site.url}/account"
    assert "Your password was changed" in page.content()


def test_a_session_is_ended_from_another_device(look, site):
    lost, here = look(site.member), look(site.member)
    look(site.member)
    here.go("/account")
    clean(here, "account-sessions")
    rows = here.page.get_by_role("table", name="Your open sessions").get_by_role("row")
    assert rows.count() == 4
    ends = here.page.get_by_role("button", name=re.compile("^End the session on"))
    assert ends.count() == 2
    ends.last.click()  # the oldest
    assert "That session has ended." in here.page.content()
    lost.go("/templates")
    assert lost.page.url.startswith(f"{site.url}/sign-in")
    here.page.get_by_role("button", name="End all others").click()
    assert here.page.get_by_role("table", name="Your open sessions").get_by_role("row").count() == 2


def test_who_has_a_password_alone_is_nudged_and_may_say_not_now(look, site, viewer):
    looker = look(viewer)
    assert "Your password alone opens this account." in looker.page.content()
    clean(looker, "nudge")
    looker.page.get_by_role("button", name="Not now").click()
    assert looker.page.url == f"{site.url}/"
    assert "Your password alone opens this account." not in looker.page.content()
    looker.look_at("/account", "account-bare")
    looker.look_at("/account/factors/app", "app")
    looker.look_at("/account/factors/passkey", "passkey")
    looker.look_at("/account/password", "password-change")


def test_all_but_passkeys_work_without_script(look, site, viewer):
    looker = look(scripts=False)
    looker.go("/sign-in")
    assert not looker.page.get_by_role("button", name="Use a passkey").is_visible()
    typed(looker.page, viewer)
    assert looker.page.url == f"{site.url}/"
    looker.go("/account/factors/passkey")
    assert "A passkey needs JavaScript" in looker.page.content()
    assert not looker.page.get_by_role("button", name="Make the passkey").is_visible()
