"""In a real Chromium: a firm sets its sign-on up, and its people sign on by OpenID Connect and by SAML."""

import pytest
from tests.support.oidc_provider import mock_provider
from tests.support.pages import join
from tests.support.saml_idp import SamlPages
from tests.support.signing_on import Bound


@pytest.fixture
def bound(site):
    return Bound(site)


def viewer(site):
    return join(site.operator, "Anselm Viewer <anselm@firm.test>", "viewer", site.firm.tenant, second=False)


def test_somebody_signs_on_with_openid_connect(site, bound, look):
    who = viewer(site)
    provider = mock_provider([{"sub": "anselm", "email": who.address, "email_verified": True, "name": "Anselm"}])
    try:
        bound.openid(
            provider.issuer, paths={"authorization_endpoint": "oauth2/authorize", "token_endpoint": "oauth2/token"}
        )
        looker = look()
        page = looker.page
        looker.go("/sign-in")
        page.get_by_role("link", name="Sign on with your firm").click()
        page.get_by_label("E-mail").fill(who.address)
        looker.picture("sign-on-firm")
        page.get_by_role("button", name="Continue").click()
        page.get_by_text(provider.issuer.removeprefix("http://")).wait_for()
        looker.picture("sign-on-leaving")
        page.get_by_role("button", name="Go on to sign on").click()
        page.wait_for_url(f"{provider.issuer}/**")
        looker.picture("sign-on-openid-provider")
        page.locator("button", has_text="anselm").first.click()
        page.wait_for_url(f"{site.url}/**")
        page.get_by_role("heading", level=1).wait_for()
        assert "Anselm Viewer" in page.content()
        looker.picture("sign-on-openid-in")
    finally:
        provider.stop()
    assert not [said for said in looker.console if "Content Security Policy" in said], looker.console


def test_somebody_signs_on_with_saml_and_somebody_new_waits(site, bound, look, tmp_path):
    who = viewer(site)
    provider = SamlPages(tmp_path)
    try:
        bound.saml(provider.idp)
        looker = look()
        page = looker.page
        for address, heading in ((who.address, ""), ("newcomer@firm.test", "You have no access yet")):
            page.context.clear_cookies()
            looker.go("/sign-in/firm")
            page.get_by_label("E-mail").fill(address)
            page.get_by_role("button", name="Continue").click()
            page.get_by_role("button", name="Go on to sign on").click()
            page.get_by_label("Account").fill(address)
            looker.picture("sign-on-saml-provider")
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{site.url}/**")
            if heading:
                page.get_by_role("heading", name=heading).wait_for()
                looker.picture("sign-on-arrived")
            else:
                page.get_by_role("button", name="Sign out").first.wait_for(state="attached")
                assert "Anselm Viewer" in page.content()
                looker.picture("sign-on-saml-in")
    finally:
        provider.stop()
    assert not [said for said in looker.console if "Content Security Policy" in said], looker.console


def test_the_pages_of_signing_on(site, bound, look, tmp_path):
    looker = look(site.member)
    looker.look_at("/sign-on", "sign-on-empty")
    looker.look_at("/sign-on/edit", "sign-on-edit")
    looker.page.get_by_role("button", name="Propose").click()
    looker.picture("sign-on-edit-faults")
    looker.console.clear()
    provider = SamlPages(tmp_path)
    try:
        bound.saml(provider.idp, enforced=True, spare=site.member.account)
        looker.look_at("/sign-on?domain=mail.firm.test", "sign-on-in-force")
        out = look()
        out.look_at("/sign-in/firm", "sign-on-firm")
        out.look_at(f"/sign-on/{bound.tenant}/start", "sign-on-leaving")
        out.go(f"/sign-on/{bound.tenant}/finish?ticket=x")
        out.picture("sign-on-refused")
        plain = viewer(site)
        out.sign_in(plain)
        out.page.get_by_role("heading", name="Your firm wants you to sign on").wait_for()
        out.picture("sign-on-instead")
    finally:
        provider.stop()
