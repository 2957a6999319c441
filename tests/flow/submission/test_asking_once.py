"""How often an address is asked: once at a time for each client whatever the request's key, and seldom over all clients;
and against whose limits it counts.
"""

import asyncio
import json
from dataclasses import replace

import pytest
from tests.flow.submission.doors import add_key, add_system_tenant, client_of
from tests.flow.submission.test_registering import confirmations, register
from tests.support.firm import make_firm
from tests.support.firm import operator as operator  # noqa: PLC0414 - a fixture
from tests.support.history import within_a_day

from troth.flow.gate.limits import ASKED_A_DAY
from troth.rules.profile import load_profile

BATCH = "/recipients/batch"


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


def later(door, minutes):
    door.operator.admin.execute(
        "UPDATE installation SET clock_offset = clock_offset + make_interval(mins => %s)", (minutes,)
    )


def limit(door, firm, **limits):
    door.operator.govern("policy", firm.tenant, "tenant", {"limits": limits})


async def neighbour(door, code, programme=None):
    """Another client at the same door, of the same programme unless told otherwise."""
    firm = make_firm(door.operator, code)
    if programme is None:
        door.operator.admin.execute(
            "UPDATE tenant SET programme_id = %s WHERE id = %s", (door.firm.programme, firm.tenant)
        )
    key, _ = add_key(door.operator, firm, f"program-{code}")
    return replace(door, client=client_of(door.app, key.text), firm=firm, key=key)


async def test_another_key_each_time_is_no_way_around_the_ten_minutes(door, system):
    answers = [await register(door, **{"idempotency-key": f"k{n}"}) for n in range(12)]
    assert [a.status_code for a in answers] == [201] + [200] * 11
    assert len(confirmations(door, system)) == door.count("confirmation") == 1
    later(door, 9)
    await register(door)
    assert len(confirmations(door, system)) == 1
    later(door, 2)
    await register(door, **{"idempotency-key": "much later"})
    assert len(confirmations(door, system)) == door.count("confirmation") == 2


async def test_another_pathway_or_a_batch_is_none_either(door, system):
    await register(door)
    answer = await door.post(BATCH, json=[{"email": "NEW@example.net"}, {"email": "two@example.net"}])
    assert answer.status_code == 200, answer.text
    assert len(confirmations(door, system)) == 2


async def test_one_address_is_asked_a_few_times_a_day_whoever_asks(door, system):
    within_a_day(door.operator)
    others = [await neighbour(door, f"other{n}") for n in range(ASKED_A_DAY + 1)]
    answers = [await register(each) for each in others]
    assert [a.status_code for a in answers] == [201] * ASKED_A_DAY + [429]
    assert answers[-1].json()["code"] == "recipient-limit-reached"
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len(confirmations(door, system)) == ASKED_A_DAY
    assert others[-1].rows("SELECT count(*) FROM person WHERE tenant_id = %s", others[-1].firm.tenant) == [(0,)]
    assert (await register(others[-1], "somebody.else@example.net")).status_code == 201


async def test_clients_of_another_programme_count_with_them(door, system):
    within_a_day(door.operator)
    other = await neighbour(door, "far", programme="its own")
    elsewhere = add_system_tenant_of(door, other.firm)
    for _ in range(ASKED_A_DAY):
        assert (await register(door)).status_code in (200, 201)
        later(door, 11)
    assert (await register(other)).status_code == 429
    assert confirmations(door, elsewhere) == []


def add_system_tenant_of(door, firm):
    return add_system_tenant(door.operator, firm, name="far-system")


async def test_many_at_once_never_ask_an_address_too_often(door, system):
    within_a_day(door.operator)
    others = [await neighbour(door, f"other{n}") for n in range(ASKED_A_DAY + 4)]
    answers = await asyncio.gather(*(register(each) for each in others))
    assert sorted(a.status_code for a in answers) == [201] * ASKED_A_DAY + [429] * 4
    assert len(confirmations(door, system)) == ASKED_A_DAY


# ---- whose limits ----


async def test_confirmations_count_for_the_client_that_asks_and_stop_nobody_else(door, system):
    limit(door, door.firm, tenant_hour=3)
    other = await neighbour(door, "other")
    answers = [await register(door, f"p{n}@example.net") for n in range(5)]
    assert [a.status_code for a in answers] == [201] * 3 + [429] * 2
    assert answers[-1].json()["code"] == "rate-limited"
    assert '"tenant-hour";r=0' in answers[-1].headers["ratelimit"]
    assert (await register(other)).status_code == 201
    used = dict(door.rows("SELECT tenant_id, used FROM rate_counter WHERE scope = 1"))
    assert used == {door.firm.tenant: 3, other.firm.tenant: 1}
    assert door.rows("SELECT count(*) FROM rate_counter WHERE tenant_id = %s AND scope <> 5", system) == [(0,)]


async def test_one_clients_batches_leave_the_system_tenants_own_limit_alone(door, system):
    door.operator.govern("policy", system, "tenant", {"limits": {"tenant_hour": 2}})
    answer = await door.post(BATCH, json=[{"email": f"p{n}@example.net"} for n in range(12)])
    assert answer.status_code == 200, answer.text
    other = await neighbour(door, "other")
    assert (await register(other)).status_code == 201


async def test_the_limit_of_the_key_counts_too(door, system):
    limit(door, door.firm, key_hour=2)
    second, _ = add_key(door.operator, door.firm, "second")
    answers = [await register(door, f"p{n}@example.net") for n in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 429]
    assert (await register(replace(door, client=client_of(door.app, second.text)), "q@example.net")).status_code == 201


async def test_of_many_at_once_no_more_than_the_limit_are_asked(door, system):
    limit(door, door.firm, tenant_hour=8)
    answers = await asyncio.gather(*(register(door, f"p{n}@example.net") for n in range(20)))
    assert sorted(a.status_code for a in answers) == [201] * 8 + [429] * 12
    assert door.rows("SELECT used FROM rate_counter WHERE scope = 1") == [(8,)]
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(10,)]


async def test_a_client_that_an_anomaly_slows_asks_slowly(door, system):
    subject = door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0]
    promise = json.loads(json.dumps(load_profile("retail").document))
    promise["limits"]["tenant_hour"] = 200 // promise["anomaly"]["slow_percent"]
    door.operator.govern("policy", None, "programme:p-firm", promise, subject)
    door.rows("SELECT pause_v1(%s, 'stop-new', 'test', 'anomaly')", [door.firm.tenant])
    answers = [await register(door, f"p{n}@example.net") for n in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 429], answers[0].text


async def test_a_strict_batch_over_the_limit_registers_nobody(door, system):
    limit(door, door.firm, tenant_hour=3)
    answer = await door.post(BATCH, json=[{"email": f"p{n}@example.net"} for n in range(5)])
    assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
    assert door.count("confirmation") == 0
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(2,)]
    assert (await register(door)).status_code == 201


# ---- one request, one answer ----


async def post(door, key, path="/recipients", **body):
    return await door.post(path, json={"email": "new@example.net", **body}, headers={"idempotency-key": key})


CONSENT = {"kind": "express", "category": "rent", "wording": "Send me news.", "how": "ticked a box"}


async def test_the_same_key_and_body_is_answered_alike_and_done_once(door, system):
    answers = [await post(door, "one", consent=CONSENT) for _ in range(3)]
    assert [a.status_code for a in answers] == [201] * 3
    assert answers[0].content == answers[1].content == answers[2].content
    assert ["idempotent-replayed" in a.headers for a in answers] == [False, True, True]
    assert door.count("consent") == door.count("confirmation") == 1
    later(door, 24 * 60 + 1)
    door.operator.admin.execute(
        "UPDATE domain_state SET ready_until = now_v1() + interval '1 hour', checked_at = now_v1(), last_good_at = now_v1()"
    )
    answer = await post(door, "one", consent=CONSENT)
    assert answer.status_code == 200, answer.text
    assert door.count("consent") == 2


async def test_the_same_key_for_another_body_is_refused(door, system):
    await post(door, "one")
    for body in ({"email": "two@example.net"}, {"timezone": "Europe/Paris"}, {"consent": CONSENT}):
        answer = await post(door, "one", **body)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-mismatch")
    assert door.count("consent") == 0
    assert door.rows("SELECT count(*) FROM person WHERE tenant_id = %s", door.firm.tenant) == [(3,)]


async def test_a_key_belongs_to_one_client_and_one_path(door, system):
    other = await neighbour(door, "other")
    assert (await post(door, "one")).status_code == 201
    assert (await post(other, "one", email="two@example.net")).status_code == 201
    batch = await door.post(BATCH, json=[{"email": "three@example.net"}], headers={"idempotency-key": "one"})
    assert batch.status_code == 200
    sent = await door.post(json={"to": "ann@example.net", "template": {"id": "reminder", "variables": {"name": "A"}}},
                           headers={"idempotency-key": "one"})  # fmt: skip
    assert sent.status_code == 200, sent.text


async def test_what_was_refused_may_be_tried_again_with_its_key(door, system):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"limits": {"tenant_hour": 0}})
    assert (await post(door, "one", consent=CONSENT)).status_code == 429
    assert door.count("consent") == door.count("idempotency") == 0
    subject = door.rows("SELECT subject FROM governed WHERE kind = 'policy' AND code = 'tenant'")[0][0]
    door.operator.govern("policy", door.firm.tenant, "tenant", {"limits": {"tenant_hour": 9}}, subject)
    assert (await post(door, "one", consent=CONSENT)).status_code == 201


async def test_the_answer_stays_though_the_policy_and_the_dns_have_changed(door, system, names):
    first = await post(door, "one", email="new@gmaill.com")
    assert first.json()["suggestion"] == "new@gmail.com"
    names.set("gmaill.com", "RCODE", ["SERVFAIL"])
    door.operator.govern("policy", door.firm.tenant, "tenant", {"recipients": {"pathways": ["system"]}})
    again = await post(door, "one", email="new@gmaill.com")
    assert (again.status_code, again.content) == (201, first.content)
    kept = door.rows("SELECT answer FROM idempotency WHERE tenant_id = %s", door.firm.tenant)[0][0]
    assert "gmail" not in kept


async def test_one_key_at_once_has_one_winner(door, system):
    for n in range(5):
        same = await asyncio.gather(
            *(post(door, f"k{n}", email=f"s{n}@example.net", consent=CONSENT) for _ in range(4))
        )
        assert [a.status_code for a in same] == [201] * 4, [a.text for a in same]
        assert len({a.content for a in same}) == 1
        assert sum("idempotent-replayed" in a.headers for a in same) == 3
        mixed = await asyncio.gather(*(post(door, f"m{n}", email=f"m{n}{i}@example.net") for i in range(4)))
        assert sorted(a.status_code for a in mixed) == [201, 409, 409, 409]
    assert door.count("consent") == 5
    assert len(confirmations(door, system)) == 10


async def test_a_batch_is_answered_once_too(door, system):
    many = [{"email": "p@example.net", "consent": CONSENT}, {"email": "q@null.example"}]
    headers = {"idempotency-key": "one", "x-batch-validation": "permissive"}
    answers = [await door.client.post(BATCH, json=many, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert [one["code"] for one in answers[1].json()["errors"]] == ["domain-takes-no-mail"]
    assert door.count("consent") == 1
    other = await door.client.post(BATCH, json=many[:1], headers=headers)
    strict = await door.client.post(BATCH, json=many, headers={"idempotency-key": "one"})
    assert [(a.status_code, a.json()["code"]) for a in (other, strict)] == [(409, "idempotency-mismatch")] * 2
