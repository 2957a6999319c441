"""Erasing somebody whose confirmation is on its way: it is called back, and Troth's own copy of the address goes along
unless somebody else needs it. What a person does with one client, no other client learns.
"""

import base64
import json
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from tests.flow.feedback.test_own import home
from tests.flow.submission.doors import add_key, add_system_tenant, client_of
from tests.support.firm import now

from troth.flow.feedback import Deps, routes
from troth.keys.ids import uuid7
from troth.rules.mark import MarkVerdict
from troth.store import own, spool
from troth.store.connection import connect

NEW = "new@example.net"
LEASE = timedelta(minutes=1)


@pytest.fixture
async def system(door):
    return add_system_tenant(door.operator, door.firm)


@pytest.fixture
async def other(door, system):
    """Another client of the same programme, and its door."""
    tenant = uuid7(now())
    keyset = door.operator.keyring.new_tenant_keyset(tenant)
    door.operator.govern("tenant", None, "other", {
        "programme": str(door.firm.programme), "name": "Other", "kind": 1, "timezone": "UTC", "plan": "standard",
        "postal_address": "2 Test Street", "keyset": base64.b64encode(keyset).decode()}, tenant)  # fmt: skip
    door.operator.govern("category", tenant, "rent", {
        "name": "Rent", "purpose": "Rent notices", "legal_class": "transactional", "raw": False,
        "sender": {"name": "Other", "address": f"rent@{door.firm.name}"}, "policy": {}})  # fmt: skip
    key, _ = add_key(door.operator, SimpleNamespace(tenant=tenant))
    async with client_of(door.app, key.text) as client:
        yield SimpleNamespace(client=client, tenant=tenant)


async def register(client, address=NEW):
    answer = await client.post("/recipients", json={"email": address})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


async def erase(client, recipient):
    answer = await client.delete(f"/recipients/{recipient}")
    assert (answer.status_code, answer.json()["status"]) == (200, "erased")


def copies(door, system):
    """Troth's own people of this address: how each stands."""
    return door.rows(
        "SELECT status, address_ct IS NULL AND data_key IS NULL, blind_index IS NULL FROM person WHERE tenant_id = %s"
        " ORDER BY created_at", system,
    )  # fmt: skip


def mails(door, system):
    return [row[0] for row in door.rows("SELECT id FROM message WHERE tenant_id = %s ORDER BY id", system)]


async def verdicts(door):
    """What the mark says of all that waits, as a worker asks it."""
    async with await connect(door.operator.database.conninfo("troth_flow"), "test") as connection:
        at = now() + timedelta(seconds=1)
        claimed = await spool.claim(connection, now=at, floor=at - timedelta(days=1), limit=100, lease=LEASE)
        marked = await spool.mark(
            connection, claims=[(c.message_id, c.token) for c in claimed], lease=LEASE, route="main"
        )
        return {c.message_id: MarkVerdict(marked[c.message_id]) for c in claimed}


async def by_own_page(door, message):
    """As the page does it with the right code; whether that is the end of it."""
    code, hash_ = uuid7(now()), b"h" * 32
    door.operator.admin.execute(
        "INSERT INTO own_code (id, tenant_id, person_id, message_id, blind_index, act, code_hash, created_at, expires_at)"
        " SELECT %s, tenant_id, person_id, id, blind_index, 2, %s, now_v1(), now_v1() + interval '20 minutes'"
        " FROM message WHERE id = %s", (code, hash_, message),
    )  # fmt: skip
    async with await connect(door.operator.database.conninfo("troth_flow"), "test") as connection:
        assert await own.erase(connection, message, code, b"x" * 32) == 0
        return await own.erase(connection, message, code, hash_) == 1


async def test_whoever_is_erased_is_not_asked_to_confirm_any_more(door, system):
    await erase(door.client, await register(door.client))
    assert copies(door, system) == [(4, True, True)]
    [mail] = mails(door, system)
    assert await verdicts(door) == {mail: MarkVerdict.LIFETIME_OVER}
    assert door.rows("SELECT count(*) FROM confirmation WHERE expires_at > now_v1()") == [(0,)]


async def test_it_is_the_same_from_the_pages(door, system):
    await register(door.client)
    [(person,)] = door.rows("SELECT id FROM person WHERE tenant_id = %s AND status = 1", door.firm.tenant)
    control = door.operator.database.open("troth_control")
    control.execute("SELECT set_config('troth.tenant', %s, false)", (str(door.firm.tenant),))
    assert control.execute("SELECT erase_person_v1(%s, %s)", (door.firm.tenant, person)).fetchone() == (True,)
    control.close()
    assert copies(door, system) == [(4, True, True)]
    assert list((await verdicts(door)).values()) == [MarkVerdict.LIFETIME_OVER]


async def test_what_another_client_asked_stays_and_is_sent(door, system, other):
    mine, theirs = await register(door.client), await register(other.client)
    assert len(copies(door, system)) == 1
    await erase(door.client, mine)
    assert copies(door, system) == [(1, False, False)]
    first, second = mails(door, system)
    found = await verdicts(door)
    assert found == {first: MarkVerdict.LIFETIME_OVER, second: MarkVerdict.OK}
    await erase(other.client, theirs)
    assert copies(door, system) == [(4, True, True)]


async def test_an_account_keeps_its_copy(door, system):
    recipient = await register(door.client)
    door.operator.admin.execute(
        "UPDATE account SET address_index = %s WHERE id = (SELECT min(id::text)::uuid FROM account)",
        (door.firm.index(NEW),))  # fmt: skip
    await erase(door.client, recipient)
    assert copies(door, system) == [(1, False, False)]
    assert list((await verdicts(door)).values()) == [MarkVerdict.LIFETIME_OVER]


async def test_a_mail_that_went_out_before_confirms_nobody(door, system):
    recipient = await register(door.client)
    door.operator.admin.execute("DELETE FROM spool")
    await erase(door.client, recipient)
    assert copies(door, system) == [(4, True, True)]
    assert await verdicts(door) == {}


async def test_the_clients_own_copy_keeps_nothing_that_the_other_erasure_takes(door, system):
    """Both ways to be erased leave the same."""
    await register(door.client)
    [(person, tenant)] = door.rows(
        "SELECT id, tenant_id FROM person WHERE tenant_id = %s AND status = 1", door.firm.tenant
    )
    door.operator.admin.execute(
        "UPDATE person SET status = 2, pathway = 'confirmation-link', verified_at = now_v1(), timezone = 'UTC',"
        " agreement = sha256('x'), basis_ct = '\\x02' WHERE id = %s", (person,))  # fmt: skip
    answer = await door.post(json={"to": NEW, "template": {"id": "reminder", "variables": {"name": "N"}}})
    assert answer.status_code in (200, 201, 202), answer.text
    [(message,)] = door.rows("SELECT id FROM message WHERE tenant_id = %s", tenant)
    assert await by_own_page(door, message)
    left = "SELECT status, address_ct, data_key, timezone, agreement, basis_ct FROM person WHERE id = %s"
    assert door.rows(left, person) == [(4, None, None, None, None, None)]
    assert copies(door, system) == [(4, True, True)]
    assert await by_own_page(door, message), "a second time changes nothing"
    told = [json.loads(leaf) for (leaf,) in door.rows(
        "SELECT leaf FROM ledger_pending WHERE kind = 'privacy:person:erase' ORDER BY id")]  # fmt: skip
    [(copy,)] = door.rows("SELECT id FROM person WHERE tenant_id = %s", system)
    assert [(one.get("by"), one["person"]) for one in told] == [("recipient", str(person)), (None, str(copy))]


async def test_troths_own_mail_bars_no_client(door, system, other):
    await register(door.client)
    [mail] = mails(door, system)
    assert await by_own_page(door, mail)
    assert copies(door, system) == [(4, True, True)]
    assert door.rows("SELECT status FROM person WHERE tenant_id = %s AND blind_index = %s", door.firm.tenant,
                     door.firm.index(NEW)) == [(1,)]  # fmt: skip
    assert await by_own_page(door, mail), "a second time changes nothing"
    for client in (other.client, door.client):  # another firm, and the same one
        await register(client)
    assert copies(door, system) == [(4, True, True), (1, False, False)]
    assert len(mails(door, system)) == 3, "and each of them asked the person anew"
    first, *anew = mails(door, system)
    found = await verdicts(door)
    assert [found[one] for one in anew] == [MarkVerdict.OK, MarkVerdict.OK]


async def test_one_confirmation_that_is_not_wanted_leaves_the_others(door, system, other):
    await register(door.client)
    await register(other.client)
    first, second = mails(door, system)
    assert await by_own_page(door, first)
    assert copies(door, system) == [(1, False, False)], "the other client's still needs it"
    found = await verdicts(door)
    assert (found[first], found[second]) == (MarkVerdict.LIFETIME_OVER, MarkVerdict.OK)
    ends = door.rows("SELECT tenant_id, expires_at > now_v1() FROM confirmation ORDER BY created_at")
    assert ends == [(door.firm.tenant, False), (other.tenant, True)]


async def test_its_own_page_says_what_it_can_do(door, system):
    """The door's pages, on a message of Troth's own."""
    await register(door.client)
    [mail] = mails(door, system)
    page = SimpleNamespace(operator=door.operator)
    app = Starlette(routes=routes(Deps(door.deps.lend, door.operator.keyring, door.operator.secrets)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://door.test") as client:
        shown = await client.get(home(page, mail) + "/erase")
    assert shown.status_code == 200
    assert "no new ones are taken" not in shown.text
