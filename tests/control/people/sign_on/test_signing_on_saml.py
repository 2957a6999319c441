"""Signing on with SAML, through running pages: who gets in, who waits, and what opens nothing."""

import re

from tests.support.pages import join
from tests.support.saml_idp import MFA_CLASS, SamlIdp
from tests.support.signing_on import Traveller


def sessions(site, account):
    query = "SELECT methods, second_factor_at IS NOT NULL FROM session WHERE account_id = %s AND kind = 'page'"
    return site.operator.admin.execute(query, (account,)).fetchall()


def log(site, kind):
    return [what for (what,) in site.operator.admin.execute("SELECT what FROM access_log WHERE kind = %s", (kind,))]


def viewer(site, mailbox="Anselm Viewer <anselm@firm.test>", **more):
    return join(site.operator, mailbox, "viewer", site.firm.tenant, second=False, **more)


def test_somebody_signs_on_and_a_response_serves_once(bound, site, traveller, idp):
    bound.saml(idp)
    who = viewer(site)
    away = traveller.leave("anselm@firm.test", "/domains")
    assert away.startswith("https://idp.firm.test/sso?SAMLRequest=")
    response = idp.response(away, who.address)
    answer = traveller.bring(bound.tenant, response)
    assert (answer.status, answer.url) == (200, f"{site.url}/domains")
    assert sessions(site, who.account) == [(["sign-on"], False)]
    assert log(site, "sign-in") == ["sign-on"]
    # the same response again, in the same browser and in another
    for browser in (traveller, Traveller(site.url)):
        again = browser.bring(bound.tenant, response)
        assert again.status == 403
        assert "was used already" in again.text
    assert len(sessions(site, who.account)) == 1
    assert log(site, "sign-on-refused") == ["a response to an attempt that is over, or was never begun"] * 2


def test_the_provider_is_named_before_anybody_goes_there(bound, site, traveller, idp):
    bound.saml(idp)
    traveller.get("/sign-in/firm")
    page = traveller.post("/sign-in/firm", email="anybody@firm.test", next="//evil.test")
    assert "idp.firm.test" in page.text
    assert 'name="next" value="/"' in page.text
    assert "form-action 'self' https://idp.firm.test;" in page.headers["Content-Security-Policy"] + ";"
    assert "idp.firm.test" not in traveller.get("/sign-in").headers["Content-Security-Policy"]
    for typed, said in (
        ("anybody@elsewhere.test", "No firm signs on with addresses of elsewhere.test here"),
        ("x", "@"),
        ("", "Type"),
    ):
        page = traveller.post("/sign-in/firm", email=typed)
        assert said in page.text
        assert f'value="{typed}"' in page.text
    assert 'href="/sign-in/firm"' in traveller.get("/sign-in").text


def test_what_was_begun_in_one_browser_is_not_finished_in_another(bound, site, traveller, idp):
    """Somebody signs on as themselves and slips the answer to another: that one must not work in their account."""
    bound.saml(idp)
    who = viewer(site)
    response = idp.response(traveller.leave(who.address), who.address)
    victim = Traveller(site.url)
    victim.leave(who.address)
    answer = victim.bring(bound.tenant, response)
    assert answer.status == 403
    assert "another browser" in answer.text
    assert not victim.signed_in
    # and its ticket is no use to the first either, once a stranger's finish was refused: it may still collect it itself
    assert sessions(site, who.account) == []


def test_whoever_has_no_access_waits_for_it(bound, site, traveller, idp):
    bound.saml(idp)
    for _ in range(2):
        away = traveller.leave("new@firm.test")
        answer = traveller.bring(bound.tenant, idp.response(away, "new@firm.test", "New Person"))
        assert answer.status == 403
        assert "An administrator of" in answer.text
        assert not traveller.signed_in
    rows = site.operator.admin.execute(
        "SELECT tenant_id, name_ct, address_ct, last_at > first_at FROM arrival"
    ).fetchall()
    assert len(rows) == 1
    assert rows[0][0] == bound.tenant
    assert b"new@firm.test" not in bytes(rows[0][2])
    assert rows[0][3]
    assert traveller.get("/messages").url.startswith(f"{site.url}/sign-in")
    # granted: they wait no longer, and get in
    who = viewer(site, "New Person <new@firm.test>", password="")
    assert site.operator.admin.execute("SELECT count(*) FROM arrival").fetchone() == (0,)
    assert traveller.bring(bound.tenant, idp.response(traveller.leave(who.address), who.address)).status == 200
    # and closed again
    site.operator.database.fill(
        "UPDATE account SET disabled_at = now_v1(), disabled_why = 'left' WHERE id = %s", who.account
    )
    away = Traveller(site.url)
    assert away.bring(bound.tenant, idp.response(away.leave(who.address), who.address)).status == 403


def test_an_account_elsewhere_is_not_this_clients(bound, site, traveller, idp):
    """The same address has an account at another client, and one among the staff: neither is opened."""
    bound.saml(idp)
    others = join(site.operator, "Two Hats <twohats@firm.test>", "admin", site.other.tenant, second=False)
    staff = join(site.operator, "Three Hats <threehats@firm.test>", "owner", second=False)
    for who in (others, staff):
        answer = traveller.bring(bound.tenant, idp.response(traveller.leave(who.address), who.address))
        assert "You have no access yet" in answer.text
        assert sessions(site, who.account) == []


def test_addresses_and_providers_of_others_open_nothing(bound, site, traveller, idp, tmp_path):
    bound.saml(idp)
    who = viewer(site)
    (tmp_path / "other").mkdir()
    theirs = bound.saml(SamlIdp(tmp_path / "other", "https://idp.other.test"), site.other.tenant, ("other.test",))
    # our provider speaks for another firm's person
    answer = traveller.bring(bound.tenant, idp.response(traveller.leave(who.address), site.outsider.address))
    assert answer.status == 403
    assert "not bound to this sign-on" in answer.text
    # their provider speaks for our person: by their door, and by ours
    away = traveller.leave("isadora@other.test")
    response = theirs.response(away, who.address)
    assert traveller.bring(site.other.tenant, response).status == 403
    assert traveller.bring(bound.tenant, response).status == 403
    # their provider, their person, our door; and an answer to our request signed by theirs
    response = theirs.response(traveller.leave("isadora@other.test"), "isadora@other.test")
    assert traveller.bring(bound.tenant, response).status == 403
    forged = SamlIdp(tmp_path / "other", idp.base, "forger").knows(
        traveller.get(f"/sign-on/{bound.tenant}/metadata").text
    )
    assert traveller.bring(bound.tenant, forged.response(traveller.leave(who.address), who.address)).status == 403
    assert not traveller.signed_in
    for account in (who.account, site.outsider.account):
        assert sessions(site, account) == []
    assert not [what for what in log(site, "sign-on-refused") if "@" in what]


def test_nothing_begins_at_the_provider(bound, site, traveller, idp):
    bound.saml(idp)
    who = viewer(site)
    away = traveller.leave(who.address)

    def unasked(root):
        del root.attrib["InResponseTo"]
        for one in root.iter("{*}SubjectConfirmationData"):
            del one.attrib["InResponseTo"]

    answer = traveller.bring(bound.tenant, idp.forged(away, who.address, unasked))
    assert answer.status == 403
    assert "Sign-on begins here" in answer.text
    made_up = idp.forged(away, who.address, lambda root: root.set("InResponseTo", "_made_up"))
    assert traveller.bring(bound.tenant, made_up).status == 403
    assert traveller.bring(bound.tenant, "<a/>").status == 403
    assert traveller.get(f"/sign-on/{bound.tenant}/acs").status == 405
    for ticket in ("", "x", "ticket=y"):
        assert traveller.get(f"/sign-on/{bound.tenant}/finish?ticket={ticket}").status == 403
    assert sessions(site, who.account) == []


def test_a_second_factor_is_the_providers_only_where_two_people_trusted_it(bound, site, idp):
    bound.saml(idp)
    who = site.member  # an administrator, with a passkey
    one = Traveller(site.url)
    answer = one.bring(bound.tenant, idp.response(one.leave(who.address), who.address, way=MFA_CLASS))
    assert answer.url.startswith(f"{site.url}/second-factor")
    assert sessions(site, who.account) == []
    assert one.post("/second-factor", credential=one.shown(who.key)).status == 200
    assert sessions(site, who.account) == [(["sign-on", "passkey"], True)]
    bound.saml(idp, trusts_second_factor=True)
    site.operator.admin.execute("DELETE FROM session WHERE kind = 'page'")
    one = Traveller(site.url)
    answer = one.bring(bound.tenant, idp.response(one.leave(who.address), who.address, way=MFA_CLASS))
    assert (answer.status, answer.url) == (200, f"{site.url}/")
    assert sessions(site, who.account) == [(["sign-on"], True)]
    one = Traveller(site.url)
    answer = one.bring(bound.tenant, idp.response(one.leave(who.address), who.address))
    assert answer.url.startswith(f"{site.url}/second-factor")


def test_a_connection_that_is_replaced_or_taken_back_answers_nothing(bound, site, traveller, idp, tmp_path):
    bound.saml(idp)
    who = viewer(site)
    response = idp.response(traveller.leave(who.address), who.address)
    bound.saml(idp, enforced=True)
    answer = traveller.bring(bound.tenant, response)
    assert answer.status == 403
    away = traveller.leave(who.address)
    bound.saml(idp, retired=True)
    assert traveller.bring(bound.tenant, idp.response(away, who.address)).status == 404
    traveller.get("/sign-in/firm")
    assert "No firm signs on" in traveller.post("/sign-in/firm", email=who.address).text
    assert sessions(site, who.account) == []
    assert traveller.sign_in(who).status == 200


def test_our_metadata_says_the_same_to_anybody(site, bound, traveller):
    known = traveller.get(f"/sign-on/{bound.tenant}/metadata")
    unknown = traveller.get("/sign-on/00000000-0000-4000-8000-000000000000/metadata")
    assert known.headers["Content-Type"] == "application/samlmetadata+xml"
    assert re.sub(str(bound.tenant), "", known.text) == re.sub("00000000-0000-4000-8000-000000000000", "", unknown.text)
    assert 'WantAssertionsSigned="true"' in known.text
