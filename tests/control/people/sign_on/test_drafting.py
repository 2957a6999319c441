"""A client's sign-on is drafted, proved and proposed on its page, and works once a second person approved it."""

import html
import json
import re
from urllib.parse import urlencode

import pytest
from tests.support import pages
from tests.support.oidc_provider import CLIENT, SECRET, Liar
from tests.support.own_dns import OwnDns
from tests.support.pages import join
from tests.support.signing_on import Bound, Traveller

BASE = {"protocol": "openid", "client_id": CLIENT, "domains": "firm.test", "reason": "our own provider"}


@pytest.fixture
def names():
    made = OwnDns({"test": {"SOA": ["ns.test. host.test. 1 3600 600 86400 60"]}})
    yield made
    made.stop()


@pytest.fixture
def site(operator, tmp_path, names):
    running = pages.start(operator, tmp_path, more={"TROTH_DNS_RESOLVERS": names.address})
    yield running
    pages.stop(running)


@pytest.fixture
def liar():
    made = Liar()
    yield made
    made.stop()


def send(visitor, **fields):
    page = visitor.get("/sign-on/edit")
    assert page.status == 200, page.text
    revision = re.search(r'name="revision" value="(\d+)"', page.text)[1]
    return visitor.post("/sign-on/edit", **{"revision": revision, "act": "propose", **fields})


def open_changes(site):
    query = "SELECT id, artefact, digest FROM change WHERE kind = 'sign-on' AND state = 1"
    return site.operator.admin.execute(query).fetchall()


def approve(site):
    ((change, artefact, digest),) = open_changes(site)
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))
    return json.loads(artefact)


def said(page):
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))


def test_a_domain_is_shown_to_be_the_clients_by_a_record(site, names):
    admin = site.visitor(site.member)
    page = admin.get("/sign-on")
    assert page.status == 200
    assert f"{site.url}/sign-on/{site.firm.tenant}/acs" in page.text
    assert f"{site.url}/sign-on/{site.firm.tenant}/callback" in page.text
    page = admin.get("/sign-on?domain=firm.test")
    record = re.search(r"troth-sign-on=[0-9a-f]{40}", page.text)[0]
    assert "_troth-sign-on.firm.test" in page.text
    page = admin.post("/sign-on/domain", domain="firm.test")
    assert page.status == 422
    assert "shows no TXT record at _troth-sign-on.firm.test yet" in said(page)
    names.set("_troth-sign-on.firm.test", "TXT", ["troth-sign-on=another"])
    assert "but not the one below" in said(admin.post("/sign-on/domain", domain="firm.test"))
    names.set("_troth-sign-on.firm.test", "TXT", [record, "something else"])
    page = admin.post("/sign-on/domain", domain="firm.test")
    assert (page.status, "firm.test is shown to be yours." in said(page)) == (200, True)
    # another client's record is another one: nobody proves with what they saw elsewhere
    other = site.visitor(site.outsider)
    assert record not in other.get("/sign-on?domain=firm.test").text
    assert other.post("/sign-on/domain", domain="firm.test").status == 422
    for wrong in ("", "firm", "firm test", "Fírm.test", "user@firm.test"):
        assert admin.post("/sign-on/domain", domain=wrong).status == 422


def test_a_connection_by_openid_is_proposed_approved_and_used(site, names, liar):
    admin = site.visitor(site.member)
    record = re.search(r"troth-sign-on=[0-9a-f]{40}", admin.get("/sign-on?domain=firm.test").text)[0]
    page = send(admin, **BASE, issuer=liar.issuer, client_secret=SECRET)
    assert page.status == 422
    assert "firm.test is not shown to be yours yet" in said(page)
    assert SECRET not in page.text
    assert liar.issuer in page.text  # what was typed stays, and the secret is kept sealed
    assert "One is kept, sealed" in said(page)
    names.set("_troth-sign-on.firm.test", "TXT", [record])
    send(admin, **BASE, issuer=liar.issuer)
    artefact = approve(site)
    assert SECRET not in json.dumps(artefact)
    assert artefact["openid"]["token_endpoint"] == f"{liar.issuer}/token"
    who = join(site.operator, "Anselm Viewer <anselm@firm.test>", "viewer", site.firm.tenant, second=False)
    liar.claims = {"email": who.address}
    one = Traveller(site.url)
    state = liar.begun(one.leave(who.address))
    assert (
        one.get(f"/sign-on/{site.firm.tenant}/callback?{urlencode({'state': state, 'code': 'c'})}").url
        == f"{site.url}/"
    )
    page = admin.get("/sign-on")
    for words in ("Offered", liar.issuer, "Bound", "only if the provider calls it verified"):
        assert words in said(page)
    assert SECRET not in page.text


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_proposed(site, liar, idp):
    Bound(site).prove()
    admin = site.visitor(site.member)
    good = {**BASE, "issuer": liar.issuer, "client_secret": SECRET}
    wrong = [
        ({"protocol": ""}, "Choose how your provider speaks"),
        ({"issuer": ""}, "Type the issuer"),
        ({"client_id": ""}, "Type the client id"),
        ({"domains": ""}, "Name at least one domain"),
        ({"domains": "firm"}, "domain"),
        ({"reason": " "}, "Say why"),
        ({"issuer": f"{liar.issuer}/"}, "calls itself"),
        ({"issuer": "http://127.0.0.1:1"}, "could not be asked"),
        ({"issuer": "https://10.0.0.7"}, "not a public one"),
        ({"issuer": "ftp://x"}, "Only https is used"),
        ({"spare": "x"}, "Choose one of the administrators"),
        ({"spare": str(site.outsider.account)}, "Name one administrator of this client"),
        ({"protocol": "saml"}, "Paste the XML"),
        ({"protocol": "saml", "metadata": "<a/>"}, "describes 0 identity providers"),
        (
            {"protocol": "saml", "metadata": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{idp.metadata}'},
            "document type",
        ),
    ]
    for change, words in wrong:
        page = send(admin, **{**good, **change})
        assert page.status == 422, (change, page.status)
        assert words in said(page), (change, said(page))
        assert "There is a problem" in said(page) or 'role="alert"' in page.text
        assert "/etc/passwd:" not in page.text
    assert open_changes(site) == []


def test_a_secret_is_kept_for_its_issuer_alone(site, liar):
    Bound(site).prove()
    other = Liar()
    try:
        admin = site.visitor(site.member)
        assert send(admin, **BASE, issuer=liar.issuer, client_secret=SECRET, act="save").status == 200
        page = send(admin, **BASE, issuer=other.issuer)
        assert "Type the client secret for this issuer" in said(page)
        assert not [form for _, path, _, form in other.asked if form]
        assert open_changes(site) == []
    finally:
        other.stop()


def test_a_connection_by_saml_is_pasted_and_changed(site, idp, tmp_path):
    Bound(site).prove()
    admin = site.visitor(site.member)
    page = send(
        admin, **{**BASE, "protocol": "saml", "metadata": idp.metadata}, enforced="on", spare=str(site.member.account)
    )
    assert page.url.startswith(f"{site.url}/changes/")
    for each in (
        "firm.test",
        idp.sso,
        "Marguerite Alder may use a password",
    ):
        assert each in said(page)
    artefact = approve(site)
    assert artefact["saml"]["certificates"] == [idp.certificate]
    assert (artefact["enforced"], artefact["spare"]) == (True, str(site.member.account))
    words = said(admin.get("/sign-on"))
    for each in ("Required", "Marguerite Alder may use a password", idp.sso, "SHA-256"):
        assert each in words
    # the metadata in force stays where none is pasted
    send(admin, **{**BASE, "protocol": "saml", "domains": "firm.test"})
    assert approve(site)["saml"]["entity_id"] == idp.entity_id
    # and it is taken back
    admin.get("/sign-on")
    assert admin.post("/sign-on/retire", reason="").status == 422
    admin.post("/sign-on/retire", reason="another way")
    assert approve(site)["retired"] is True
    assert "nobody signs on with a provider" in said(admin.get("/sign-on"))
    assert site.operator.admin.execute("SELECT count(*) FROM sign_on_domain").fetchone() == (0,)


def test_two_people_on_one_draft_see_both(site):
    staff, member = site.visitor(site.staff), site.visitor(site.member)
    staff.get("/")
    staff.post("/scope", client=str(site.firm.tenant))
    for one in (staff, member):
        one.get("/sign-on/edit")
    first = member.post("/sign-on/edit", revision="0", act="save", **{**BASE, "issuer": "https://one.test"})
    assert first.status == 200
    second = staff.post("/sign-on/edit", revision="0", act="save", **{**BASE, "issuer": "https://two.test"})
    assert second.status == 409
    assert "https://one.test" in second.text
    assert "https://two.test" in second.text


def test_a_domain_is_one_clients(site, idp, liar):
    bound = Bound(site)
    bound.saml(idp)
    bound.prove("firm.test", site.other.tenant)
    other = site.visitor(site.outsider)
    page = send(other, **BASE, issuer=liar.issuer, client_secret=SECRET)
    assert page.status == 422
    assert "firm.test is bound to another client already" in said(page)
    assert open_changes(site) == []


def test_the_page_is_for_those_who_may(site):
    viewer = join(site.operator, "Anselm Viewer <anselm@firm.test>", "viewer", site.firm.tenant, second=False)
    for path in ("/sign-on", "/sign-on/edit"):
        assert site.visitor(viewer).get(path).status == 404
    staff = site.visitor(site.staff)
    assert "Sign-on" in staff.get("/sign-on").text  # asked which client
