"""A client firm's own page: the part of the programme's promises that concerns it, under its name, while it has chosen to
show it; whoever has not chosen reads like somebody who does not exist.
"""

import base64
import re

import psycopg
import pytest
from tests.control.centre import promising
from tests.control.centre.conftest import HOSTS
from tests.control.centre.test_page import articles, page, words
from tests.support import pages, postgres
from tests.support.firm import make_operator, now

from troth.control.trust.catalogue import claims
from troth.keys.ids import uuid7

NAMES = {"harbour": "Harbour & Sons", "millpond": "Millpond Homes", "system": "Quay itself"}
CODE = "trust-page"
ABOUT = {"changes", "email", "recipients", "suppression", "limits", "sending", "encryption", "logs", "abuse"}
_WAITS = "SELECT id, digest FROM change WHERE kind = 'trust-page' AND state = 1 AND tenant_id = %s"
_ENTRIES = """
SELECT kind FROM ledger_pending WHERE tenant_id = %s AND position('"of":"trust-page"' IN leaf) > 0 ORDER BY id
"""


def tenant(operator, programme, code, kind=1):
    made = uuid7(now())
    keyset = base64.b64encode(operator.keyring.new_tenant_keyset(made)).decode()
    return operator.govern("tenant", None, code, {
        "programme": str(programme), "name": NAMES.get(code, code), "kind": kind, "timezone": "Europe/London",
        "plan": "standard", "postal_address": "1 Row", "keyset": keyset}, made)  # fmt: skip


def admin_of(operator, firm, code):
    return pages.join(operator, f"A {code} <admin@{code}.test>", "admin", firm)


def choose(site, admin, shown="yes"):
    """An administrator proposes, one of the operator approves."""
    answer = site.visitor(admin).post("/trust-page", shown=shown, reason="Our tenants ask")
    assert answer.status == 200, answer.text
    change, digest = site.operator.admin.execute(_WAITS, (admin.tenant,)).fetchone()
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))


def opened(operator, folder):
    """Two firms of one programme, of which the first shows its page, and the programme's system tenant."""
    made = promising.programmes(operator)
    promising.told(operator, made)
    firms = {code: tenant(operator, made["property"], code, 2 if code == "system" else 1) for code in NAMES}
    site = pages.start(operator, folder, more=HOSTS)
    admin = admin_of(operator, firms["harbour"], "harbour")
    choose(site, admin)
    return site, firms, admin


@pytest.fixture(scope="module")
def house(pg_server, pg_template, tmp_path_factory):
    with postgres.cloned(pg_server, pg_template) as database:
        found = opened(make_operator(database), tmp_path_factory.mktemp("own"))
        yield found
        pages.stop(found[0])


@pytest.fixture
def own(operator, tmp_path):
    found = opened(operator, tmp_path)
    yield found
    pages.stop(found[0])


HERE = "/trust/property/of/harbour"


def test_it_says_whose_mail_and_who_sends_it(house):
    site, _, _ = house
    answer = page(site, HERE)
    assert answer.status == 200
    told = words(answer.text)
    assert "<title>How Harbour &amp; Sons’s email is sent · Quay Lettings</title>" in answer.text
    assert "How Harbour & Sons’s email is sent" in told
    assert "sent on its behalf by the operator of Quay Lettings, with Troth" in told
    assert 'href="/trust/property"' in answer.text
    assert 'href="/trust/property/trust.json"' in answer.text
    assert f'href="{HERE}?state=fails"' in answer.text


def test_each_promise_stands_as_on_the_programmes_page(house):
    """The same sentence, state, time and how; what the check saw stays on the programme's page."""
    site, _, _ = house
    whole, mine = articles(page(site, "/trust/property").text), articles(page(site, HERE).text)
    told = [claim for claim in claims() if claim.promised_by("property")]
    concerned = {claim.id for claim in told if claim.section in ABOUT or claim.audience == "client"}
    assert set(mine) == (concerned | {"VDP-1", "VDP-2", "VDP-3", "TRC-2"}) - {"EML-12"}
    assert len(mine) < len(whole)
    for claim, text in mine.items():
        assert text == without_sight(whole[claim]), claim


def without_sight(text: str) -> str:
    """An article of the programme's page without figures and reasons."""
    text = re.sub(r" Seen: .*?\.(?=(?:Found:|[A-Z]{3}-\d+$|\d+ of \d+ days|No day on record|$))", "", text)
    return re.sub(r"Found: .*?\.(?=(?:[A-Z]{3}-\d+$|\d+ of \d+ days|No day on record|$))", "", text)


def test_nothing_of_another_client_is_on_it(house):
    site, _, _ = house
    text = page(site, HERE).text
    for other in ("Millpond", "millpond", "Quay itself", "Ironwood", "Larder"):
        assert other not in text, other
    for seen in ("1,280", "99.2 %", "4 attempts", "2 of 40", "messages are sent a day"):
        assert seen not in words(text), seen
    whole = page(site, "/trust/property").text
    for firm in ("Harbour", "Millpond", "/of/"):
        assert firm not in whole, firm
        assert firm not in page(site, "/trust").text, firm


def test_who_has_not_chosen_reads_like_nobody(house):
    site, _, _ = house
    nobody = page(site, "/trust/property/of/nobody")
    assert nobody.status == 404
    for path in ("/trust/property/of/millpond", "/trust/property/of/system", "/trust/retail/of/harbour",
                 "/trust/nothing/of/harbour", "/trust/property/of/HARBOUR"):  # fmt: skip
        answer = page(site, path)
        assert (answer.status, answer.text) == (404, nobody.text), path
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_host_shows_its_own_programme_alone(house):
    site, _, _ = house
    assert page(site, HERE, Host="property.example").status == 200
    assert page(site, HERE, Host="retail.example").status == 404
    assert page(site, HERE, Host="evil.example").status == 400


def test_it_leaves_like_the_programmes_page(house):
    site, _, _ = house
    mine, whole = page(site, HERE), page(site, "/trust/property")
    for name in ("Cache-Control", "Content-Security-Policy", "Content-Type", "X-Content-Type-Options"):
        assert mine.headers.get(name) == whole.headers.get(name), name
    assert "Set-Cookie" not in mine.headers
    assert "<script" not in mine.text
    assert "Vary" not in mine.headers
    assert page(site, HERE, **{"If-None-Match": mine.headers["ETag"]}).status == 304
    assert pages.Visitor(site.url).post(HERE, token=False).status in (403, 405)


@pytest.mark.parametrize(("language", "says"), [("de", "Wie die E-Mail von Harbour & Sons versandt wird"),
                                                ("es", "Cómo se envía el correo de Harbour & Sons")])  # fmt: skip
def test_it_speaks_the_same_languages(house, language, says):
    site, _, _ = house
    text = page(site, f"{HERE}?lang={language}").text
    assert says in words(text)
    assert f'<html lang="{language}">' in text
    assert f'href="{HERE}?state=fails&amp;lang={language}"' in text


def test_a_filter_shows_one_state(house):
    site, _, _ = house
    assert list(articles(page(site, f"{HERE}?state=fails").text)) == list(promising.FAILS)


def test_two_people_choose_and_the_ledger_says_so(own):
    site, firms, admin = own
    found = site.operator.admin.execute(_ENTRIES, (firms["harbour"],)).fetchall()
    assert found == [("governance:change:propose",), ("governance:change:approve",)]
    assert 'href="/trust/property/of/harbour"' in site.visitor(admin).get("/trust-page").text
    site.visitor(admin).post("/trust-page", shown="no", reason="We would rather not")
    assert page(site, HERE).status == 200, "one person ends nothing"
    change, digest = site.operator.admin.execute(_WAITS, (firms["harbour"],)).fetchone()
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))
    assert page(site, HERE).status == 404
    choose(site, admin)
    assert page(site, HERE).status == 200


def test_a_stopped_revoked_or_closed_firm_has_none(own):
    site, firms, _ = own
    database = site.operator.database
    stop = "SELECT (pause_v1(ARRAY[%s::uuid], 'stop-new', 'Abuse', 'watch'))[1]"
    pause = site.operator.admin.execute(stop, (firms["harbour"],)).fetchone()[0]
    assert page(site, HERE).status == 404
    database.fill("UPDATE pause SET released_at = now(), release_change = gen_random_uuid() WHERE id = %s", pause)
    assert page(site, HERE).status == 200
    database.fill("UPDATE tenant SET state = 2 WHERE id = %s", firms["harbour"])
    assert page(site, HERE).status == 404
    database.fill("UPDATE tenant SET state = 1, name = 'Harbour Group' WHERE id = %s", firms["harbour"])
    assert "How Harbour Group’s email is sent" in page(site, HERE).text
    subject = "SELECT subject FROM governed WHERE kind = 'trust-page'"
    site.operator.revoke(site.operator.admin.execute(subject).fetchone()[0])
    assert page(site, HERE).status == 404


def test_nobody_chooses_for_the_firm_nor_for_the_programme_itself(own):
    site, firms, _ = own
    system = admin_of(site.operator, firms["system"], "system")
    visitor = site.visitor(system)
    assert "This is the programme’s own mail" in visitor.get("/trust-page").text
    visitor.post("/trust-page", shown="yes", reason="x")
    assert site.operator.admin.execute(_WAITS, (firms["system"],)).fetchone() is None
    propose = "SELECT propose_v1(gen_random_uuid(), %s, %s, gen_random_uuid(), %s, %s, 'why', %s)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        site.operator.control.execute(propose, (CODE, firms["millpond"], CODE, '{"shown":true}',
                                                site.operator.sessions[0]))  # fmt: skip
    refused = site.visitor(admin_of(site.operator, firms["millpond"], "millpond")).post("/trust-page", shown="yes",
                                                                                        reason=" ")  # fmt: skip
    assert refused.status == 422
    assert "Say why" in refused.text


def test_a_name_that_claims_a_certificate_is_on_no_public_page(own):
    site, firms, _ = own
    site.operator.database.fill("UPDATE tenant SET name = 'Millpond, ISO 27001' WHERE id = %s", firms["millpond"])
    refused = site.visitor(admin_of(site.operator, firms["millpond"], "millpond")).post("/trust-page", shown="yes",
                                                                                        reason="x")  # fmt: skip
    assert refused.status == 422
    assert "no certificate" in refused.text


def test_a_turn_is_on_it_at_once(own):
    site, _, _ = own
    assert "Holds." in articles(page(site, HERE).text)["BNC-1"]
    site.operator.database.fill("UPDATE claim_state SET state = 'fails' WHERE claim = 'BNC-1'")
    assert "Does not hold since" in articles(page(site, HERE).text)["BNC-1"]


def test_without_the_database_nothing_is_claimed(own):
    site, _, _ = own
    site.operator.database.fill("ALTER TABLE claim_state RENAME TO claim_state_away")
    answer = page(site, HERE)
    assert answer.status == 503
    assert "Harbour" not in answer.text
