"""One message: what happened, proved to the signed root, and each look at it an entry of the ledger."""

import json
import re

import pytest
from tests.control.ledger.house import House
from tests.support import seeding
from tests.support.firm import now

from troth.flow.events import Happening, row
from troth.keys.ids import wire
from troth.ledger.receipt_check import verify
from troth.rules.states import Kind

_CASE = """
INSERT INTO email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)
SELECT email_id, tenant_id, category_id, %s, decode(repeat('00', 32), 'hex'), created_at, 1 FROM message
"""


@pytest.fixture
def house(site, tmp_path):
    return House(site.firm, tmp_path)


def told(house, *, seal=True):
    """A message with events as the river tells them; the path of its page."""
    message = house.tell("zoe@example.org")
    house.database.fill(_CASE, house.firm.operator.snapshot(house.firm.category))
    if seal:
        house.seal()
    return f"/messages/{wire('msg', 'a', message)}"


def test_it_is_walked_to_the_signed_root_and_its_receipt_verifies_elsewhere(site, house):
    path = told(house)
    member = site.visitor(site.member)
    page = member.get(path)
    assert "Walked just now" in page.text
    assert "3 of 3 sealed" in page.text
    receipt = member.get(f"{path}/receipt")
    assert receipt.headers["content-disposition"].startswith("attachment")
    found = verify(receipt.text.encode(), house.signer.vkey)
    assert [event.kind for event in found.receipt.messages[0].events] == ["accepted", "queued", "sent"]
    assert (found.opened, found.detailed, found.receipt.messages[0].recipient) == (3, 3, "zoe@example.org")
    # whoever is the client's sees that the house approved its promise, not why
    assert [version.entry.leaf is None for version in found.receipt.versions] == [False, True]
    whole = member.get(f"{path}/receipt?of=email")
    assert 'filename="em_a_' in whole.headers["content-disposition"]
    assert verify(whole.text.encode()).receipt.messages == found.receipt.messages


def test_it_waits_until_it_is_sealed(site, house):
    path = told(house, seal=False)
    member = site.visitor(site.member)
    assert "Waiting to be sealed" in member.get(path).text
    assert member.get(f"{path}/receipt").status == 404


def test_a_record_that_was_changed_is_told(site, house):
    path = told(house)
    changed = "replace(leaf, '\"count\":3', '\"count\":4')"
    house.database.fill(
        f"UPDATE ledger_leaf SET leaf = {changed}, leaf_hash = sha256('\\x00'::bytea || convert_to({changed}, 'UTF8'))"
        " WHERE kind = 'evidence:batch:seal'"
    )
    assert "Not provable" in site.visitor(site.member).get(path).text


def test_each_look_is_an_entry_and_none_when_there_is_nothing_to_see(site, house):
    path = told(house)
    member = site.visitor(site.member)
    assert "zoe@example.org" in member.get(path).text
    kind, leaf = site.operator.admin.execute(
        "SELECT kind, leaf FROM ledger_pending WHERE kind = 'access:message:view' AND tenant_id = %s", (site.firm.tenant,)
    ).fetchone()  # fmt: skip
    assert json.loads(leaf)["account"] == str(site.member.account)
    assert json.loads(leaf)["message"] == str(house.messages[-1])
    assert "zoe" not in leaf
    house.database.fill("UPDATE person SET status = 4, erased_at = now_v1(), data_key = NULL, address_ct = NULL")
    page = member.get(path)
    assert "The recipient was erased" in page.text
    assert "zoe" not in page.text
    assert "3 of 3 sealed" in page.text
    views = site.operator.admin.execute(
        "SELECT count(*) FROM ledger_pending WHERE kind = 'access:message:view'"
    ).fetchone()[0]
    assert views == 1
    assert "erased" in member.get("/messages").text


def test_decision_headers_and_conversation_as_they_were_written(site):
    seeding.people(site.firm, 3)
    seeding.messages(site.firm, 100, weeks=1, real=100)
    member = site.visitor(site.member)
    listed = member.get("/messages?state=delivered")
    page = member.get(re.search(r'href="(/messages/msg_a_[0-9a-f]+)"', listed.text)[1])
    for text in ("22 checks", "Nothing paused", "Used: 112", "Your rent for December is due on 1 December",
                 "List-Unsubscribe-Post", "RCPT TO:", "250 2.0.0 Ok: queued as 4XtR2c0Kz"):  # fmt: skip
        assert text in page.text, text
    listed = member.get("/messages?state=queued")
    page = member.get(re.search(r'href="(/messages/msg_a_[0-9a-f]+)"', listed.text)[1])
    assert "Nothing went over the wire" in page.text


def test_a_bounce_shows_its_subject_decoded_and_says_so_where_no_header_was_sent(site, house):
    for number, detail in enumerate(({"headers": ["Subject: =?utf-8?q?Rent_of_=C2=A3900?="]}, {"code": 550})):
        message = house.tell(f"zoe{number}@example.org", kinds=(Kind.ACCEPTED, Kind.QUEUED))
        house.database.fill("UPDATE message SET state = 8 WHERE id = %s", message)
        person = house.firm.people[f"zoe{number}@example.org"]
        key = house.firm.keys.person(
            house.database.run("SELECT data_key FROM person WHERE id = %s", person)[0][0], person
        )
        house.insert([row(Happening(message, site.firm.tenant, Kind.BOUNCED, "attempt:1", key, detail), now())])
    house.database.fill(_CASE, house.firm.operator.snapshot(house.firm.category))
    member = site.visitor(site.member)
    sent, refused = (member.get(f"/messages/{wire('msg', 'a', each)}").text for each in house.messages)
    assert "<title>Rent of £900" in sent
    assert re.search("<h1[^>]*>Rent of £900", sent)
    assert "It was refused before it had gone over the wire" in refused
    assert "Nothing went over the wire" not in sent + refused


@pytest.mark.parametrize(
    "path", ["/messages/x", "/messages/em_a_" + "0" * 32, "/messages/msg_b_" + "0" * 32, "/messages/%00"]
)
def test_what_is_no_message_is_not_there(site, path):
    assert site.visitor(site.member).get(path).status == 404
