"""Who may know what happened to a message, and not to whom it went or what it said."""

import pytest
from tests.control.ledger.house import House
from tests.support import pages, seeding
from tests.support.firm import now

from troth.control.messages import words
from troth.flow.events import Happening, row
from troth.keys.ids import wire
from troth.ledger.receipt_check import verify
from troth.rules.states import Kind

ZOE = "zoe@example.org"
DECEMBER = "Your rent for December"


@pytest.fixture
def path(site, tmp_path):
    """A message that went out, as its page's address."""
    house = House(site.firm, tmp_path)
    message = house.tell(ZOE, (Kind.ACCEPTED, Kind.QUEUED))
    house.database.fill(
        "INSERT INTO email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)"
        " SELECT email_id, tenant_id, category_id, %s, sha256('p'), created_at, 1 FROM message",
        site.operator.snapshot(site.firm.category),
    )
    wrapped = house.database.run("SELECT data_key FROM person WHERE id = %s", site.firm.people[ZOE])[0][0]
    key = site.firm.keys.person(wrapped, site.firm.people[ZOE])
    house.insert([row(Happening(message, site.firm.tenant, Kind.SENT, "attempt:1", key, seeding.SENT), now())])
    house.seal()
    return f"/messages/{wire('msg', 'a', message)}"


def staff(site, role):
    """Somebody of the operator's, looking at the firm."""
    found = site.visitor(pages.join(site.operator, f"S {role} <{role}@operator.test>", role))
    found.get("/")
    assert found.post("/scope", client=str(site.firm.tenant)).status == 200
    return found


def test_support_sees_what_happened_and_not_to_whom(site, path):
    support = staff(site, "support")
    page = support.get(path)
    for word in (
        "Sent: the next hop took it",
        "250 2.0.0",
        "Attempt 1.",
        "not to whom or what was said",
        "not shown to your role",
    ):
        assert word in page.text
    for word in (ZOE, "zoe", DECEMBER, "queued as 4XtR2c0Kz", "RCPT TO", "someone@example.net", "/receipt"):
        assert word not in page.text
    listed = support.get("/messages").text
    assert path.rpartition("/")[2] in listed
    assert ZOE not in listed
    seen = "SELECT count(*) FROM ledger_pending WHERE kind IN ('access:message:view', 'access:message:list')"
    assert site.operator.admin.execute(seen).fetchone() == (0,)  # nothing was opened


def test_a_client_and_deliverability_see_all_of_it(site, path):
    for visitor in (site.visitor(site.member), staff(site, "deliverability")):
        page = visitor.get(path).text
        assert ZOE in page
        assert DECEMBER in page
        assert "not shown to your role" not in page


def test_an_address_is_looked_up_by_those_who_know_it_and_the_link_does_not_tell_it(site, path):
    support, member = staff(site, "support"), site.visitor(site.member)
    support.get("/messages")
    found = support.post("/messages/find", q="nobody@example.org")
    assert "who=" in found.url
    assert "nobody@example.org" not in found.text
    member.get("/messages")
    link = member.post("/messages/find", q=ZOE).url.removeprefix(site.url)
    assert ZOE in member.last
    page = support.get(link).text
    assert ZOE not in page
    assert "To the address asked for" in page
    security = staff(site, "security")
    assert security.get(link).status == 404
    security.get("/messages")
    refused = security.post("/messages/find", q=ZOE)
    assert refused.status == 422
    assert "Your role finds messages by their id" in refused.text
    assert security.post("/messages/find", q=path.rpartition("/")[2]).url.endswith(path)


def test_an_auditor_takes_the_receipt_which_names_nobody(site, path):
    receipt = staff(site, "auditor").get(f"{path}/receipt")
    assert receipt.status == 200
    for word in ("zoe", "4XtR2c0Kz", "RCPT TO", DECEMBER):
        assert word not in receipt.text
    found = verify(receipt.text.encode())
    assert (found.receipt.messages[0].shown, found.opened, found.detailed) == ("withheld", 3, 0)
    assert staff(site, "support").get(f"{path}/receipt").status == 404


def test_a_bare_detail_keeps_numbers_and_times():
    told = words.bare({**seeding.SENT, "sentence": f"{ZOE} is not verified", "rcpt": ZOE})
    assert set(told) == {"attempt", "phase", "code", "enhanced", "size"}
    (verdict,) = words.verdicts(
        {"verdicts": [{"check": "size", "outcome": "accept", "sentence": ZOE, "saw": {"to": ZOE}}]}, content=False
    )
    assert (verdict.check, verdict.outcome, verdict.sentence, verdict.saw) == ("Size", "Pass", "", [])
