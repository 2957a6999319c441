"""Whom an import registered is asked once to confirm, within the client's limits, and by nobody who may not ask."""

import pytest
from tests.flow.submission.doors import add_system_tenant
from tests.flow.submission.test_recipients import secret_of
from tests.flow.submission.test_registering import confirmations
from tests.support.firm import now

from troth.flow.gate.world import Memory
from troth.flow.submission import asking_imported, confirming
from troth.keys.ids import uuid7

PEOPLE = ("ada@example.net", "ben@example.net", "cem@example.net")


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


@pytest.fixture
def imported(door, system):
    """Three that a file registered, and one that it verified."""
    subject, tenant = uuid7(now()), door.firm.tenant
    door.operator.admin.execute(
        "INSERT INTO import (id, tenant_id, kind, name, source, options, digest, octets, parts, created_by, created_at)"
        " SELECT %s, %s, 'recipients', 'f.csv', 'a test', '{}', sha256('f'), 1, 1, id, now_v1() FROM account LIMIT 1",
        (subject, tenant),
    )
    ids = [door.firm.person(address, status=1, pathway=None) for address in PEOPLE]
    for line, person in enumerate([*ids, door.firm.people["ann@example.net"]], 2):
        door.operator.admin.execute(
            "INSERT INTO person_import VALUES (%s, %s, %s, %s, %s, now_v1())",
            (person, subject, tenant, line, person not in ids),
        )
    return dict(zip(PEOPLE, ids, strict=True))


async def ask(door):
    means = confirming.Means(door.deps.keyring, door.deps.secrets, door.deps.public_url)
    async with door.deps.lend() as connection:
        return await asking_imported.ask(connection, means, door.deps.gate.within, Memory())


def counts(door):
    """to ask, asked, passed, and how many wait"""
    found = door.rows("SELECT to_ask, asked, passed FROM import_asking")
    return (*found[0], door.count("import_ask"))


async def test_each_is_asked_once_and_their_press_verifies_them(door, system, imported):
    assert counts(door) == (3, 0, 0, 3)
    assert await ask(door) == 3
    assert counts(door) == (3, 3, 0, 0)
    assert await ask(door) == 0
    mails = confirmations(door, system)
    assert len(mails) == 3
    for mail in mails:
        door.rows("SELECT verify_person_v1(%s)", secret_of(mail))
    query = "SELECT DISTINCT status, pathway FROM person WHERE id = ANY(%s)"
    assert door.rows(query, list(imported.values())) == [(2, "confirmation-link")]
    assert door.rows("SELECT DISTINCT asked_by FROM confirmation") == [("troth",)]


async def test_who_was_asked_suppressed_or_erased_meanwhile_is_not_asked(door, system, imported):
    assert (await door.post("/recipients", {"email": "ada@example.net"})).status_code == 200
    door.operator.admin.execute(
        "INSERT INTO suppression (blind_index, reason, source, created_at) VALUES (%s, 1, 't', now_v1())",
        (door.firm.index("ben@example.net"),),
    )
    door.erase(imported["cem@example.net"])
    before = len(confirmations(door, system))
    assert await ask(door) == 0
    assert counts(door) == (3, 0, 3, 0)
    assert len(confirmations(door, system)) == before == 1


async def test_at_the_clients_limit_it_stops_and_goes_on_later(door, system, imported):
    door.operator.govern("policy", door.firm.tenant, "tenant", {"limits": {"tenant_hour": 2}})
    assert await ask(door) == 2
    assert counts(door) == (3, 2, 0, 1)
    assert await ask(door) == 0, "within the same hour"
    assert door.count("confirmation") == 2
    assert door.count("import_ask") == 1
    door.operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '61 minutes'")
    assert await ask(door) == 1
    assert counts(door) == (3, 3, 0, 0)


async def test_an_address_that_had_enough_today_holds_up_no_other(door, system, imported):
    for one in range(12):
        asking = await door.post("/recipients", {"email": "ada@example.net"})
        door.operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '11 minutes'")
        door.operator.admin.execute("UPDATE domain_state SET ready_until = now_v1() + interval '2 hours'")
        if asking.status_code == 429:
            break
    assert one < 11
    door.operator.admin.execute("ALTER TABLE confirmation DISABLE TRIGGER USER")
    door.operator.admin.execute("DELETE FROM confirmation")
    assert await ask(door) == 2
    assert door.rows("SELECT person_id, due > now_v1() + interval '23 hours' FROM import_ask") == [
        (imported["ada@example.net"], True)
    ]


@pytest.mark.parametrize(
    ("effect", "by"), [("stop-new", "owner"), ("stop-delivery", "owner"), ("stop-new", "anomaly"), ("slow", "anomaly")]
)
async def test_a_paused_client_asks_nobody(door, system, imported, effect, by):
    door.rows("SELECT pause_v1(%s, %s, 'test', %s)", [door.firm.tenant], effect, by)
    assert await ask(door) == 0
    assert (counts(door), door.count("confirmation")) == ((3, 0, 0, 3), 0)


async def test_without_a_policy_nobody_is_asked(door, system, imported):
    door.operator.revoke(door.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0])
    assert await ask(door) == 0
    assert counts(door) == (3, 0, 0, 3)


async def test_where_nobody_confirms_for_themselves_they_wait(door, system, imported):
    only = {"recipients": {"pathways": ["employer-invitation"]}}
    door.operator.govern("policy", door.firm.tenant, "tenant", only)
    assert await ask(door) == 0
    assert counts(door) == (3, 0, 0, 3)


async def test_an_address_that_does_not_open_is_left_out_alone(door, system, imported):
    spoil = "UPDATE person SET address_ct = '\\x02' || sha256('x') WHERE id = %s"
    door.operator.admin.execute(spoil, (imported["ada@example.net"],))
    assert await ask(door) == 2
    assert counts(door) == (3, 2, 1, 0)


async def test_what_another_process_took_is_not_asked(door, system, imported, monkeypatch):
    async def stale(connection, person):
        door.rows("SELECT import_ask_take_v1(%s)", person)
        return await take(connection, person)

    take = asking_imported.store.ask_take
    monkeypatch.setattr(asking_imported.store, "ask_take", stale)
    assert await ask(door) == 0
    assert door.count("confirmation") == 0
