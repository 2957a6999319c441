"""The mail about a disabled endpoint goes through the real gate, from an approved category and template, once a person."""

import base64
import os
from datetime import timedelta
from uuid import uuid4

from tests.support.firm import Firm, now
from tests.support.hooks import LOOPBACK

from troth.cli.demo import packs
from troth.control.webhooks import endpoints
from troth.flow.gate.accept import Gate
from troth.flow.webhooks.counters import Counters
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.notices import tell_all
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.store import hooks as store


def system_tenant(firm: Firm) -> None:
    """The programme's own tenant with the one category, approved as in life."""
    operator, tenant = firm.operator, uuid7(now())
    keyset, name = operator.keyring.new_tenant_keyset(tenant), "mail.system.example"
    operator.govern("tenant", None, "system", {
        "programme": str(firm.programme), "name": "Troth", "kind": 2, "timezone": "Europe/London", "plan": "standard",
        "postal_address": "1 Pledge Street", "keyset": base64.b64encode(keyset).decode()}, tenant)  # fmt: skip
    domain = operator.govern("domain", tenant, name, {"name": name, "selector": "s1"})
    operator.admin.execute("UPDATE domain_state SET ready_until = now_v1() + interval '2 hours', checked_at = now_v1()"
                           " WHERE domain_id = %s", (domain,))  # fmt: skip
    operator.govern("category", tenant, "security-notice", {
        "name": "Security notices", "purpose": "Tells what concerns an account", "legal_class": "transactional",
        "sender": {"name": "Troth", "address": f"security@{name}"}, "raw": False, "policy": {}})  # fmt: skip
    code, artefact = packs.template("system/webhook-disabled")
    operator.govern("template", tenant, code, artefact)


def admin(firm: Firm, address: str) -> None:
    operator, account, human = firm.operator, uuid4(), uuid4()
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    sealed = operator.keyring.tenant(OPERATOR, keyset).seal(address.encode(), places.account(account, "address"))
    operator.database.fill("INSERT INTO human VALUES (%s, now())", human)
    operator.database.fill(
        "INSERT INTO account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)"
        " VALUES (%s, %s, %s, 'admin', %s, %s, %s, now())",
        account, human, firm.tenant, b"\x01x", sealed, os.urandom(32))  # fmt: skip


async def test_the_gate_takes_it_once_for_each_administrator(firm):
    operator = firm.operator
    asked = endpoints.Asked("https://hooks.firm.example/in", None, "test")
    added = endpoints.add(operator.control, firm.keys, firm.tenant, asked, LOOPBACK)
    for address in ("ann@firm.example", "bob@firm.example"):
        admin(firm, address)
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    counters, gate = Counters(), Gate(operator.database.connect, operator.keyring, operator.secrets)
    deps = Deps(operator.database.connect, operator.keyring, operator.keyring.tenant(OPERATOR, keyset), operator.secrets,
                None, gate, "a")  # fmt: skip
    await gate.start()
    async with await operator.database.connect("test") as connection:
        at = (await store.clocks(connection)).now
        await store.note_health(connection, store.Health(added.id, False, 1, 500, "HTTP 500", None), at)
        assert await store.disable(connection, added.id, "failing", at)
        assert not await store.disable(connection, added.id, "failing", at)
        await tell_all(connection, deps, counters, at)
        (found,) = endpoints.listed(operator.control, firm.tenant)
        assert found.notice == 3
        assert "no system tenant" in found.notice_why
        system_tenant(firm)
        at += timedelta(hours=2)
        await tell_all(connection, deps, counters, at)
        (found,) = endpoints.listed(operator.control, firm.tenant)
        assert (found.notice, found.notice_why) == (2, None)
        await store.noticed(connection, added.id, 1, None, at)  # as if the record of it had been lost
        await tell_all(connection, deps, counters, at)
    await gate.stop()
    assert (counters.notices_sent, counters.notices_unsent) == (4, 1)
    rows = operator.admin.execute("SELECT count(*), count(DISTINCT person_id) FROM spool").fetchone()
    assert rows == (2, 2)
