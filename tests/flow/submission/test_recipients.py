"""Registering recipients: what is refused and how it says so, pathways and what they rest on, many at once, erasure."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from tests.flow.submission.doors import add_key, add_system_tenant, email
from tests.flow.submission.test_registering import confirmations, register

from troth.flow.submission import pathways
from troth.keys import places

BATCH = "/recipients/batch"
SIGNED = {"sha256": "ab" * 32, "reference": "Vendor agreement 7", "signed_at": "2026-01-02"}


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


async def post(door, path="/recipients", **body):
    return await door.post(path, json={"email": "new@example.net", **body})


def secret_of(variables):
    text = variables["link"].rpartition("/")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def allow(door, *names, **more):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"recipients": {"pathways": sorted(names), **more}})


@pytest.fixture
async def builders(door, system):
    """A firm under construction's promise, which accepts every pathway but multi-step."""
    subject = door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0]
    from troth.rules.profile import load_profile

    promise = json.loads(json.dumps(load_profile("construction").document, default=list))
    door.operator.govern("policy", None, "programme:p-firm", promise, subject)


@pytest.mark.parametrize(
    ("address", "code", "hint"),
    [
        ("ann@gmial.com", "disposable-address", "ann@gmail.com"),
        ("ann@@x", "address-invalid", None),
        ("ann@gmial.con", "domain-takes-no-mail", "ann@gmail.com"),
        ("ann@null.example", "domain-takes-no-mail", None),
        ("ann@empty.example", "domain-takes-no-mail", None),
        ("ann@nowhere.example", "domain-takes-no-mail", None),
        ("ann@mailinator.com", "disposable-address", None),
        ('"a b"@example.net', "address-invalid", None),
        ("ann@[192.0.2.1]", "address-invalid", None),
        ("ann@ex\u0430mple.net", "address-invalid", None),
        ("ann@example,net", "address-invalid", "ann@example.net"),
        ("\u00e4@example.net", "smtputf8-unsupported", None),
    ],
)
async def test_what_is_refused_names_the_field_and_the_fix(door, system, address, code, hint):
    answer = await register(door, address)
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"], told.get("suggestion")) == (422, code, "email", hint), told
    assert told["detail"].startswith(f"Did you mean {hint}? ") if hint else "Did you mean" not in told["detail"]
    assert door.count("confirmation") == 0
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(2,)]


async def test_a_dns_that_does_not_answer_is_temporary_and_changes_nothing(door, system, names):
    answer = await register(door, "ann@broken.example")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "domain-unresolved",
        "30",
    )
    assert door.count("confirmation") == 0
    names.set("broken.example", "RCODE", [])
    names.set("broken.example", "A", ["192.0.2.1"])
    assert (await register(door, "ann@broken.example")).status_code == 201


async def test_an_address_record_is_enough_and_a_name_beyond_ascii_is_asked_in_a_labels(door, system):
    assert (await register(door, "ann@address.example")).status_code == 201
    assert (await register(door, "ann@b\u00fccher.example")).status_code == 201


async def test_roles_are_refused_where_the_policy_says_so(door, system):
    assert (await register(door, "info@example.net")).status_code == 201
    door.operator.govern("policy", door.firm.tenant, "tenant", {"recipients": {"roles": "refuse"}})
    assert (await register(door, "sales@example.net")).json()["code"] == "role-address"


async def test_a_slip_that_has_mail_is_taken_and_told(door, system):
    answer = await register(door, "ann@gmaill.com")
    assert (answer.status_code, answer.json()["suggestion"]) == (201, "ann@gmail.com")


async def test_the_recipients_own_time_zone_is_kept_and_may_change(door, system):
    answer = await post(door, timezone="Europe/Paris")
    assert answer.status_code == 201, answer.text
    one = f"/recipients/{answer.json()['id']}"
    assert (await door.client.get(one)).json()["timezone"] == "Europe/Paris"
    await post(door, timezone="America/Lima")
    await post(door)
    assert (await door.client.get(one)).json()["timezone"] == "America/Lima"
    refused = await post(door, timezone="Mars/Olympus")
    assert (refused.json()["code"], refused.json()["field"]) == ("bad-value", "timezone")


# ---- pathways ----


async def test_multi_step_wants_the_code_of_the_mail(door, system):
    allow(door, "confirmation-link")
    await post(door)
    (variables,) = confirmations(door, system)
    door.operator.admin.execute("UPDATE confirmation SET pathway = 'multi-step'")
    secret = secret_of(variables)
    assert door.rows("SELECT verify_person_v1(%s)", secret) == [(None,)]
    for wrong in ("", "x", "0000000"):
        assert door.rows("SELECT verify_person_v1(%s, %s)", secret, wrong) == [(None,)]
    assert door.rows("SELECT needs_code, tries_left FROM confirmation_view_v1(%s)", secret) == [(True, 2)]
    assert door.rows("SELECT verify_person_v1(%s, %s)", secret, variables["code"])[0][0] is not None
    assert len(variables["code"]) == 6
    assert door.rows("SELECT pathway FROM person WHERE status = 2 AND expires_at IS NOT NULL") == [("multi-step",)]


async def test_five_wrong_codes_and_the_link_is_dead(door, system):
    await post(door)
    (variables,) = confirmations(door, system)
    secret = secret_of(variables)
    for _ in range(6):
        assert door.rows("SELECT verify_person_v1(%s, 'wrong')", secret) == [(None,)]
    assert door.rows("SELECT verify_person_v1(%s, %s)", secret, variables["code"]) == [(None,)]
    assert door.rows("SELECT verify_person_v1(%s)", secret) == [(None,)]
    assert door.rows("SELECT expired FROM confirmation_view_v1(%s)", secret) == [(True,)]


async def test_an_employers_invitation_names_the_employer_and_is_accepted_by_the_invited(door, builders, system):
    answer = await post(door, pathway="employer-invitation", employer=" Steelyard\u0301 Ltd ")
    assert answer.status_code == 201, answer.text
    (variables,) = confirmations(door, system)
    assert variables["purpose"] == pathways.PURPOSES["employer-invitation"]
    assert "Steelyard" not in json.dumps(variables)
    door.rows("SELECT verify_person_v1(%s)", secret_of(variables))
    person, key, basis = door.rows("SELECT id, data_key, basis_ct FROM person WHERE basis_ct IS NOT NULL")[0]
    assert json.loads(door.firm.keys.person(key, person).open(basis, places.basis(person))) == {
        "employer": "Steelyard\u0301 Ltd"
    }
    found = (await door.client.get(f"/recipients/{answer.json()['id']}")).json()
    assert (found["status"], found["pathway"]) == ("verified", "employer-invitation")


async def test_a_vendors_agreement_is_kept_by_its_hash(door, builders, system):
    answer = await post(door, pathway="vendor-agreement", agreement=SIGNED)
    assert answer.status_code == 201, answer.text
    (variables,) = confirmations(door, system)
    door.rows("SELECT verify_person_v1(%s)", secret_of(variables))
    found = (await door.client.get(f"/recipients/{answer.json()['id']}")).json()
    assert (found["pathway"], found["agreement_sha256"]) == ("vendor-agreement", SIGNED["sha256"])
    assert door.rows("SELECT kind, pathway, agreement FROM person_event") == [
        (31, "vendor-agreement", bytes.fromhex("ab" * 32))
    ]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"pathway": "employer-invitation"}, "missing-field", "employer"),
        ({"pathway": "vendor-agreement"}, "missing-field", "agreement"),
        ({"employer": "Steelyard"}, "bad-value", "employer"),
        ({"agreement": SIGNED}, "bad-value", "agreement"),
        ({"pathway": "employer-invitation", "employer": "a\nb"}, "bad-value", "employer"),
        ({"pathway": "employer-invitation", "employer": " "}, "bad-value", "employer"),
        ({"pathway": "vendor-agreement", "agreement": {**SIGNED, "sha256": "ab"}}, "bad-value", "agreement.sha256"),
        (
            {"pathway": "vendor-agreement", "agreement": {**SIGNED, "signed_at": "soon"}},
            "bad-value",
            "agreement.signed_at",
        ),
        (
            {"pathway": "vendor-agreement", "agreement": {**SIGNED, "signed_at": "2999-01-01"}},
            "bad-value",
            "agreement.signed_at",
        ),
        ({"pathway": "vendor-agreement", "agreement": {"sha256": "ab"}}, "missing-field", "agreement.reference"),
        ({"pathway": "multi-step"}, "pathway-not-accepted", "pathway"),
        ({"pathway": "system"}, "pathway-not-accepted", "pathway"),
        ({"pathway": "by-magic"}, "pathway-not-accepted", "pathway"),
    ],
)
async def test_a_pathway_that_does_not_fit(door, builders, system, body, code, field):
    told = (await post(door, **body)).json()
    assert (told["code"], told["field"]) == (code, field), told
    assert door.count("confirmation") == 0


async def test_a_verification_ends_and_may_be_given_anew_in_its_last_month(door, system):
    allow(door, "confirmation-link", verified_days=90)
    one = (await post(door)).json()["id"]
    (variables,) = confirmations(door, system)
    door.rows("SELECT verify_person_v1(%s)", secret_of(variables))
    begun, ends = door.rows("SELECT verified_at, expires_at FROM person WHERE expires_at IS NOT NULL")[0]
    assert ends - begun == timedelta(days=90)
    assert (await register(door, **{"idempotency-key": "1"})).json()["status"] == "verified"
    assert len(confirmations(door, system)) == 1
    door.operator.admin.execute(
        "UPDATE person SET expires_at = now_v1() + interval '29 days' WHERE expires_at IS NOT NULL"
    )
    door.operator.admin.execute("UPDATE installation SET clock_offset = interval '11 minutes'")
    assert (await register(door, **{"idempotency-key": "2"})).json() == {
        "object": "recipient",
        "id": one,
        "status": "verified",
    }
    assert len(confirmations(door, system)) == 2


async def test_who_was_verified_in_a_way_that_is_not_accepted_is_asked_again(door, system):
    door.firm.person("old@example.net", pathway="multi-step")
    assert (await register(door, "old@example.net")).status_code == 200
    assert len(confirmations(door, system)) == 1


async def test_the_refusal_of_an_unverified_recipient_says_the_way_out(door, system):
    for address, status in (("stranger@example.net", "unknown"), ("new@example.net", "pending")):
        if status == "pending":
            await register(door, address)
        told = (await door.post(json=email(address))).json()
        assert told["code"] == "recipient-unverified"
        assert "POST /recipients" in told["detail"]
        assert (told["way_out"]["method"], told["way_out"]["path"]) == ("POST", "/recipients")


# ---- many ----


async def test_a_batch_is_registered_whole(door, system):
    many = [{"email": f"p{n}@example.net"} for n in range(12)]
    answer = await door.post(BATCH, json=many)
    assert answer.status_code == 200, answer.text
    assert [one["status"] for one in answer.json()["data"]] == ["pending"] * 12
    assert len(confirmations(door, system)) == 12
    assert "errors" not in answer.json()


async def test_one_mistake_in_a_strict_batch_and_nobody_is_registered(door, system):
    many = [{"email": "p@example.net"}, {"email": "q@null.example"}]
    told = (await door.post(BATCH, json=many)).json()
    assert (told["code"], told["field"], told["index"]) == ("domain-takes-no-mail", "[1].email", 1)
    assert door.count("confirmation") == 0
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(2,)]


async def test_a_permissive_batch_takes_the_good_ones_and_names_the_others(door, system):
    gone = door.firm.person("gone@example.net")
    door.erase(gone)
    many = [
        {"email": "p@example.net"}, {"email": "nobody"}, {"email": "P@EXAMPLE.net"}, {"mail": "x"}, {"email": "q@null.example"},
        {"email": "gone@example.net"}, {"email": "ann@example.net"},
    ]  # fmt: skip
    answer = await door.client.post(BATCH, json=many, headers={"x-batch-validation": "permissive"})
    told = answer.json()
    assert [one["status"] for one in told["data"]] == ["pending", "verified"]
    assert [(one["index"], one["code"]) for one in told["errors"]] == [
        (1, "address-invalid"), (2, "bad-value"), (3, "unknown-field"), (4, "domain-takes-no-mail"), (5, "recipient-erased")]  # fmt: skip
    assert len(confirmations(door, system)) == 1


async def test_a_mail_that_the_gate_refuses_is_told_by_its_place(door, system):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"limits": {"tenant_hour": 1}})
    many = [{"email": "p@example.net"}, {"email": "q@example.net"}]
    answer = await door.client.post(BATCH, json=many, headers={"x-batch-validation": "permissive"})
    assert (len(answer.json()["data"]), [one["code"] for one in answer.json()["errors"]]) == (1, ["rate-limited"])


@pytest.mark.parametrize(
    ("many", "headers", "code"),
    [([], {}, "empty-batch"), ([{"email": "x"}] * 21, {}, "batch-too-large"), ([{"email": "x"}], {"x-batch-validation": "lax"}, "bad-value"),
     ({"email": "x"}, {}, "bad-type")],
)  # fmt: skip
async def test_a_batch_that_is_none(door, system, many, headers, code):
    assert (await door.client.post(BATCH, json=many, headers=headers)).json()["code"] == code


async def test_two_batches_at_once_register_everybody_once(door, system):
    many = [{"email": f"p{n}@example.net"} for n in range(10)]
    answers = await asyncio.gather(door.post(BATCH, json=many), door.post(BATCH, json=many[::-1]))
    assert [a.status_code for a in answers] == [200, 200]
    assert {one["id"] for one in answers[0].json()["data"]} == {one["id"] for one in answers[1].json()["data"]}
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(12,)]


# ---- reading back, erasing ----


async def test_recipients_are_listed_a_page_at_a_time(door, system):
    for n in range(5):
        await asyncio.sleep(0.002)  # ids of one millisecond have no order
        door.firm.person(f"p{n}@example.net")
    first = (await door.client.get("/recipients?limit=3")).json()
    assert (first["object"], first["has_more"], len(first["data"])) == ("list", True, 3)
    assert first["data"][0]["email"] == "p4@example.net"
    second = (await door.client.get(f"/recipients?limit=100&after={first['data'][-1]['id']}")).json()
    assert (second["has_more"], [one["email"] for one in second["data"]]) == (
        False, ["p1@example.net", "p0@example.net", "bob@example.net", "ann@example.net"])  # fmt: skip
    back = (await door.client.get(f"/recipients?limit=2&before={second['data'][0]['id']}")).json()
    assert [one["email"] for one in back["data"]] == ["p3@example.net", "p2@example.net"]


async def test_one_recipient_is_found_by_the_address(door):
    found = (await door.client.get("/recipients", params={"email": "ANN@example.net"})).json()
    assert [one["email"] for one in found["data"]] == ["ann@example.net"]
    assert (await door.client.get("/recipients", params={"email": "x@example.net"})).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [("limit=0", "bad-value"), ("limit=x", "bad-value"), ("after=x", "invalid-cursor"), ("page=2", "unknown-field"),
     ("email=x", "address-invalid"), ("email=a@b.example&after=x", "bad-value")],
)  # fmt: skip
async def test_a_list_that_cannot_be_read(door, query, code):
    assert (await door.client.get(f"/recipients?{query}")).json()["code"] == code


async def test_erasing_is_for_good_and_may_be_asked_twice(door):
    one = f"/recipients/rcp_a_{door.firm.people['ann@example.net'].hex}"
    for _ in range(2):
        answer = await door.client.delete(one)
        assert (answer.status_code, answer.json()["status"], answer.json()["deleted"]) == (200, "erased", True)
    found = (await door.client.get(one)).json()
    assert (found["email"], found["status"], found["timezone"]) == (None, "erased", None)
    assert door.rows("SELECT address_ct, data_key, basis_ct FROM person WHERE status = 4") == [(None, None, None)]
    assert door.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:person:erase'") == [(1,)]
    assert (await door.post(json=email())).json()["code"] == "recipient-erased"


async def test_a_test_key_erases_nobody(door):
    key, _ = add_key(door.operator, door.firm, "trying", mode="test")
    one = f"/recipients/rcp_a_{door.firm.people['ann@example.net'].hex}"
    answer = await door.client.delete(one, headers={"authorization": f"Bearer {key.text}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await door.client.get(one)).json()["status"] == "verified"


@pytest.mark.parametrize("recipient", ["rcp_a_" + "0" * 32, "x"])
async def test_nobody_elses_recipient_is_erased(door, recipient):
    assert (await door.client.delete(f"/recipients/{recipient}")).json()["code"] == "not-found"


async def test_an_address_that_cannot_be_opened_is_null(door):
    door.operator.admin.execute(
        "UPDATE person SET address_ct = '\\x02' || sha256('x') WHERE tenant_id = %s", (door.firm.tenant,)
    )
    assert [one["email"] for one in (await door.client.get("/recipients")).json()["data"]] == [None, None]
