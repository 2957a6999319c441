"""Whose verification ends soon is asked again, once, on the same pathway; and by nobody who may not ask."""

import pytest
from tests.flow.submission.doors import add_system_tenant
from tests.flow.submission.test_recipients import secret_of
from tests.flow.submission.test_registering import confirmations

from troth.flow.gate.world import Memory
from troth.flow.submission import confirming, renewing
from troth.store import people


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


def ends_in(door, days, address="ann@example.net", more=""):
    door.operator.admin.execute(
        f"UPDATE person SET expires_at = now_v1() + make_interval(hours => %s){more} WHERE id = %s",
        (days * 24, door.firm.people[address]),
    )


async def renew(door):
    means = confirming.Means(door.deps.keyring, door.deps.secrets, door.deps.public_url)
    async with door.deps.lend() as connection:
        return await renewing.renew(connection, means, door.deps.gate.submit, Memory())


async def test_it_is_asked_once_and_the_press_gives_a_new_term(door, system):
    ends_in(door, 13)
    ends_in(door, 15, "bob@example.net")
    assert await renew(door) == 1
    assert await renew(door) == 0
    (variables,) = confirmations(door, system)
    assert "ends soon" in variables["purpose"]
    door.rows("SELECT verify_person_v1(%s)", secret_of(variables))
    left, pathway = door.rows(
        "SELECT expires_at - now_v1(), pathway FROM person WHERE id = %s", door.firm.people["ann@example.net"]
    )[0]
    assert (left.days >= 728, pathway) == (True, "confirmation-link")


async def test_a_vendor_keeps_the_agreement(door, system):
    subject = door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0]
    import json

    from troth.rules.profile import load_profile

    promise = json.loads(json.dumps(load_profile("construction").document, default=list))
    door.operator.govern("policy", None, "programme:p-firm", promise, subject)
    ends_in(door, 3, more=", pathway = 'vendor-agreement', agreement = sha256('signed')")
    assert await renew(door) == 1
    assert door.rows("SELECT agreement = sha256('signed'), asked_by FROM confirmation") == [(True, "troth")]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("UPDATE person SET pathway = 'multi-step' WHERE expires_at IS NOT NULL", "a pathway that is not accepted any more"),
        ("UPDATE person SET pathway = 'system' WHERE expires_at IS NOT NULL", "one of Troth's own"),
        ("UPDATE person SET address_ct = '\\x02' || sha256('x') WHERE expires_at IS NOT NULL", "an address that does not open"),
        ("UPDATE tenant SET state = 2 WHERE kind = 1", "a client that is not active"),
        ("UPDATE person SET expires_at = now_v1() - interval '1 day' WHERE expires_at IS NOT NULL", "what has ended already"),
    ],
)  # fmt: skip
async def test_who_is_not_asked(door, system, spoil, why):
    ends_in(door, 3)
    door.operator.admin.execute(spoil)
    assert await renew(door) == 0, why
    assert door.count("confirmation") == 0


async def test_a_stopped_client_asks_nobody(door, system):
    ends_in(door, 3)
    door.rows("SELECT pause_v1(%s, 'stop-new', 'test', 'owner')", [door.firm.tenant])
    assert await renew(door) == 0


async def test_without_a_policy_nobody_is_asked(door, system):
    ends_in(door, 3)
    subject = door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0]
    door.operator.revoke(subject)
    assert await renew(door) == 0


async def test_what_the_gate_refuses_is_told_and_counts_as_asked(door, system):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"limits": {"tenant_hour": 0}})
    ends_in(door, 3)
    assert await renew(door) == 0
    assert door.count("message") == 0


async def test_the_duty_tells_of_each_end_once(door, system):
    ends_in(door, -1)
    async with door.deps.lend() as connection:
        assert [await people.expiry_duty(connection) for _ in range(2)] == [1, 0]
    assert door.rows("SELECT kind, pathway FROM person_event") == [(32, "confirmation-link")]
