"""Signing on with OpenID Connect, through running pages; and what a firm that requires it no longer lets in."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.support.oidc_provider import Elsewhere, Liar, mock_provider
from tests.support.pages import join
from tests.support.signing_on import Traveller


@pytest.fixture
def liar():
    made = Liar()
    yield made
    made.stop()


def viewer(site, name="anselm", **more):
    return join(
        site.operator, f"{name.title()} Viewer <{name}@firm.test>", "viewer", site.firm.tenant, second=False, **more
    )


def sessions(site, account):
    query = "SELECT methods FROM session WHERE account_id = %s AND kind = 'page' AND ended_at IS NULL"
    return [methods for (methods,) in site.operator.admin.execute(query, (account,))]


def back(tenant, **answer):
    return f"/sign-on/{tenant}/callback?{urlencode(answer)}"


def test_a_real_provider_signs_somebody_on(bound, site, traveller):
    who = viewer(site)
    provider = mock_provider([{"sub": "anselm", "email": who.address, "email_verified": True, "name": "Anselm"}])
    try:
        paths = {"authorization_endpoint": "oauth2/authorize", "token_endpoint": "oauth2/token"}
        bound.openid(provider.issuer, paths=paths)
        away = traveller.leave(who.address, "/domains")
        there = Elsewhere(site.url).sign_in(away, sub="anselm")
        answer = traveller.get(there.removeprefix(site.url))
    finally:
        provider.stop()
    assert (answer.status, answer.url) == (200, f"{site.url}/domains")
    assert sessions(site, who.account) == [["sign-on"]]


def test_an_answer_serves_once_in_the_browser_that_asked(bound, site, traveller, liar):
    bound.openid(liar.issuer)
    who = viewer(site, "marguerite2")
    liar.claims = {"email": who.address}
    state = liar.begun(traveller.leave(who.address))
    stranger = Traveller(site.url)
    assert "the browser" not in stranger.get(back(bound.tenant, state=state, code="c")).text
    assert stranger.last.count("You are not signed on") == 1
    stranger.leave(who.address)  # now with a secret of its own
    assert stranger.get(back(bound.tenant, state=state, code="c")).status == 403
    for wrong in (state[:-1], "", f"{state}x"):
        assert traveller.get(back(bound.tenant, state=wrong, code="c")).status == 403
    assert not liar.asked
    assert traveller.get(back(bound.tenant, state=state, code="c")).status == 200
    assert traveller.get(back(bound.tenant, state=state, code="c")).status == 403
    assert sessions(site, who.account) == [["sign-on"]]


def test_one_firms_answer_is_no_other_firms(bound, site, traveller, liar):
    """Mix-up: two firms, two providers; what was begun for one is answered at the other's address."""
    other = Liar()
    try:
        bound.openid(liar.issuer)
        bound.openid(other.issuer, site.other.tenant, ("other.test",))
        other.claims = {"email": "isadora@other.test"}
        who = viewer(site)
        state = liar.begun(traveller.leave(who.address))
        assert traveller.get(back(site.other.tenant, state=state, code="c")).status == 403
        assert traveller.get(back(bound.tenant, state=state, code="c", iss=other.issuer)).status == 403
        # a token that the other provider made, for the same client id
        liar.claims = {"iss": other.issuer}
        state = liar.begun(traveller.leave(who.address))
        assert traveller.get(back(bound.tenant, state=state, code="c")).status == 403
        assert not other.asked
        # our provider speaks for the other firm's person
        liar.claims = {"email": "isadora@other.test"}
        state = liar.begun(traveller.leave(who.address))
        assert "not bound to this sign-on" in traveller.get(back(bound.tenant, state=state, code="c")).text
    finally:
        other.stop()
    for account in (who.account, site.outsider.account):
        assert sessions(site, account) == []


def test_what_a_provider_refuses_or_breaks_opens_nothing(bound, site, traveller, liar):
    bound.openid(liar.issuer)
    who = viewer(site)
    liar.claims = {"email": who.address}
    state = liar.begun(traveller.leave(who.address))
    page = traveller.get(back(bound.tenant, state=state, error="access_denied", error_description="<b>no</b>"))
    assert (page.status, "it said: access_denied" in page.text, "<b>" in page.text) == (403, True, False)
    for broken in (
        {"token": (307, {"Location": "http://10.0.0.1/"}, b"")},
        {"jwks": {"keys": []}},
        {"claims": {"email": who.address, "nonce": "x"}},
    ):
        liar.reset()
        for name, value in broken.items():
            setattr(liar, name, value)
        state = liar.begun(traveller.leave(who.address))
        assert traveller.get(back(bound.tenant, state=state, code="c")).status == 403
    assert sessions(site, who.account) == []
    query = "SELECT what FROM access_log WHERE kind = 'sign-on-refused' AND tenant_id = %s ORDER BY id"
    told = [what for (what,) in site.operator.admin.execute(query, (bound.tenant,))]
    assert told == [
        "the provider answered access_denied",
        "the provider answered 307",
        "the provider's keys hold none for this ID token",
        "the ID token answers another request",
    ]


def test_an_inner_address_is_never_asked_although_it_was_approved(bound, site, traveller):
    """In tests loopback is allowed; the rest of what is inside is not, whatever an approved endpoint says."""
    who = viewer(site)
    bound.openid("http://127.0.0.1:9", paths={})
    away = traveller.leave(who.address)
    state = parse_qs(urlsplit(away).query)["state"][0]
    answer = traveller.get(back(bound.tenant, state=state, code="c"))
    assert answer.status == 403
    assert "did not answer as it should" in answer.text


# ---- required


def test_where_sign_on_is_required_a_password_opens_nothing(bound, site, liar):
    who, spare = viewer(site), site.member
    before = site.visitor(who)
    assert before.get("/").url == f"{site.url}/"
    bound.openid(liar.issuer, enforced=True, spare=spare.account)
    # a session that a password opened ends with the approval
    assert before.get("/").url.startswith(f"{site.url}/sign-in")
    one = Traveller(site.url)
    refused = one.sign_in(who)
    assert refused.status == 403
    assert "Your firm wants you to sign on" in refused.text
    assert f"/sign-on/{bound.tenant}/start" in refused.text
    assert one.get("/").url.startswith(f"{site.url}/sign-in")
    # whoever has not shown the password learns nothing of it
    wrong = Traveller(site.url).sign_in(who, "another password")
    assert "do not match an account" in wrong.text
    # the one spare, staff and other clients' people sign in as ever
    for other in (spare, site.staff, site.outsider):
        assert site.visitor(other).get("/").url == f"{site.url}/"
    # and the provider lets in
    liar.claims = {"email": who.address}
    state = liar.begun(one.leave(who.address))
    assert one.get(back(bound.tenant, state=state, code="c")).url == f"{site.url}/"
    assert sessions(site, who.account) == [["sign-on"]]


def test_where_sign_on_is_required_a_passkey_opens_nothing(bound, site, liar):
    who = site.member
    bound.openid(liar.issuer, enforced=True)
    one = Traveller(site.url)
    one.get("/sign-in")
    answer = one.post("/sign-in/passkey", credential=one.shown(who.key, "sign-in"), what="sign-in")
    assert answer.status == 403, answer.text
    assert "Your firm wants you to sign on" in answer.text
    assert sessions(site, who.account) == []


def test_whoever_signs_on_again_has_one_session_and_a_new_proof(bound, site, traveller, liar):
    bound.openid(liar.issuer)
    who = join(site.operator, "Anselm Viewer <anselm@firm.test>", "viewer", site.firm.tenant, password="", second=False)
    liar.claims = {"email": who.address}
    for _ in range(2):
        state = liar.begun(traveller.leave(who.address))
        assert traveller.get(back(bound.tenant, state=state, code="c")).status == 200
    assert sessions(site, who.account) == [["sign-on"]]
    assert "Sign on with your firm again" in traveller.get("/prove?next=/domains").text
    assert f"/sign-on/{bound.tenant}/start?next=/domains" in traveller.last
