"""Registering a recipient: the confirmation goes out through the gate, from the system tenant, and its link verifies."""

import asyncio
import base64
import hashlib
from datetime import timedelta

import pytest
from tests.flow.submission.doors import add_system_tenant
from tests.support.history import move, within_a_day

from troth.keys import places
from troth.mail.letter import decode


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


async def register(door, address="new@example.net", **headers):
    return await door.post("/recipients", json={"email": address, "name": "New"}, headers=headers)


def confirmations(door, system):
    """The variables of each confirmation mail, opened with the system tenant's keys."""
    rows = door.rows(
        "SELECT b.message_id, b.body_ct, p.id, p.data_key, t.keyset FROM message_body b JOIN message m ON m.id = b.message_id"
        " JOIN person p ON p.id = m.person_id JOIN tenant t ON t.id = p.tenant_id WHERE b.tenant_id = %s ORDER BY b.message_id",
        system,
    )
    found = []
    for message, body, person, data_key, keyset in rows:
        key = door.operator.keyring.tenant(system, keyset).person(data_key, person)
        found.append(decode(key.open(body, places.body(message))).variables)
    return found


async def test_a_stranger_gets_the_confirmation_and_its_link_verifies(door, system):
    answer = await register(door)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending"), answer.text
    recipient = answer.json()["id"]
    assert recipient.startswith("rcp_a_")
    (variables,) = confirmations(door, system)
    assert variables["client"] == "Firm firm"
    assert variables["expires"]
    secret = variables["link"].removeprefix("http://localhost:8026/confirm/")
    raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    assert len(raw) == 32
    kept = door.rows("SELECT secret_hash, pathway, tenant_id, expires_at - created_at FROM confirmation")
    assert [(bytes(k[0]), k[1], k[2], k[3].days) for k in kept] == [
        (hashlib.sha256(raw).digest(), "confirmation-link", door.firm.tenant, 3)]  # fmt: skip
    door.rows("SELECT verify_person_v1(%s)", raw)
    found = (await door.client.get(f"/recipients/{recipient}")).json()
    assert (found["object"], found["status"], found["pathway"]) == ("recipient", "verified", "confirmation-link")
    again = await register(door)
    assert (again.status_code, again.json()) == (200, {"object": "recipient", "id": recipient, "status": "verified"})
    assert len(confirmations(door, system)) == 1


async def test_asked_again_at_once_there_is_one_mail(door, system):
    answers = await asyncio.gather(*(register(door) for _ in range(8)))
    assert {a.json()["id"] for a in answers} == {answers[0].json()["id"]}
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    assert len(confirmations(door, system)) == 1
    await register(door, **{"idempotency-key": "again"})
    assert len(confirmations(door, system)) == 1


@pytest.mark.parametrize(
    ("address", "code"),
    [("nobody", "address-invalid"), ("ä@example.net", "smtputf8-unsupported"), ("a@b.example\r\nBcc: x@y.example", "address-invalid"), ("A <a@b.example>", "address-invalid")],
)  # fmt: skip
async def test_a_bad_address(door, system, address, code):
    answer = await register(door, address)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "email")


async def test_an_erased_person_is_not_written_to(door, system):
    person = door.firm.person("gone@example.net")
    door.erase(person)
    answer = await register(door, "gone@example.net")
    assert answer.json()["code"] == "recipient-erased"
    found = await door.client.get(f"/recipients/rcp_a_{person.hex}")
    assert found.json()["status"] == "erased"


async def test_an_expired_verification_is_asked_anew(door, system):
    person = door.firm.person("old@example.net")
    door.operator.admin.execute("UPDATE person SET expires_at = now() - interval '1 day' WHERE id = %s", (person,))
    assert (await register(door, "old@example.net")).json()["status"] == "expired"
    assert len(confirmations(door, system)) == 1


async def test_a_limit_of_the_system_tenant_is_the_callers_own_answer(door, system):
    policy = {"limits": {"recipient_template_day": 1}}
    door.operator.govern("policy", system, "tenant", policy)
    within_a_day(door.operator)
    assert (await register(door)).status_code == 201
    move(door.operator, timedelta(minutes=11))
    answer = await register(door)
    assert (answer.status_code, answer.json()["code"]) == (429, "recipient-limit-reached")
    assert "decision" not in answer.json()
    assert ("POST", "/recipients", 429, "recipient-limit-reached") in door.requests()


async def test_a_policy_without_links_says_so(door, system):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"recipients": {"pathways": ["system"]}})
    answer = await register(door)
    assert (answer.status_code, answer.json()["code"]) == (422, "pathway-not-accepted")
    assert door.count("confirmation") == 0


async def test_a_stopped_firm_registers_nobody(door, system):
    door.rows("SELECT pause_v1(%s, 'stop-new', 'test', 'owner')", [door.firm.tenant])
    assert (await register(door)).json()["code"] == "tenant-paused"


async def test_without_a_policy_nothing_is_done(door, system):
    subject = door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0]
    door.operator.revoke(subject)
    assert (await register(door)).json()["code"] == "store-unavailable"


async def test_without_a_system_tenant_it_is_our_fault(door):
    assert (await register(door)).status_code == 500


@pytest.mark.parametrize("recipient", ["rcp_a_" + "0" * 32, "em_a_" + "0" * 32, "x"])
async def test_a_recipient_that_is_not_there(door, recipient):
    assert (await door.client.get(f"/recipients/{recipient}")).json()["code"] == "not-found"


async def test_a_suppressed_address_is_answered_alike(door, system):
    index = door.firm.index("new@example.net")
    door.rows("SELECT suppress_v1(%s,%s::smallint[],%s,%s::uuid[],%s::bytea[])", [index], [1], ["t"], [None], [None])
    assert (await register(door)).json()["status"] == "pending"
    assert door.rows("SELECT state FROM message") == [(11,)]
