"""Reputation is looked at every hour and kept; whoever is newly on a list becomes a case, once."""

from datetime import timedelta

import psycopg
import pytest
from tests.flow.duties.test_domains import connection, operator, sending
from tests.support.firm import make_firm

from troth.cli.demo.dns import DnsServer
from troth.flow.duties.reputation import watch
from troth.flow.duties.sending import Watched

__all__ = ["connection", "operator"]
ZONE, DBL = "bl.list.test", "dbl.list.test"
ZONES = {
    f"2.0.0.127.{ZONE}": {"A": ["127.0.0.2"]},
    f"test.{DBL}": {"A": ["127.0.1.2"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["out.relay.test."]},
    "2.2.0.192.in-addr.arpa": {"PTR": ["other.relay.test."]},
    "out.relay.test": {"A": ["192.0.2.1"]},
}
WATCHED = Watched(("192.0.2.1",), (ZONE,), (DBL,))
NOW = timedelta(0)


def looks(operator):
    return operator.admin.execute(
        "SELECT subject, list, state, tenant_id FROM reputation_look ORDER BY list"
    ).fetchall()


def cases(operator):
    return operator.admin.execute(
        "SELECT title, tenant_id FROM case_file WHERE cause = 'reputation' ORDER BY opened_at"
    ).fetchall()


async def test_each_look_is_kept_and_made_once_an_hour(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(ZONES) as server:
        given = sending(firm, server, watched=WATCHED)
        assert await watch(connection, given) == 3
        assert await watch(connection, given) == 0
    assert looks(operator) == [
        ("192.0.2.1", ZONE, "clean", None), (firm.name, DBL, "clean", firm.tenant),
        ("192.0.2.1", "reverse-name", "confirmed", None),
    ]  # fmt: skip
    assert cases(operator) == []
    with pytest.raises(psycopg.Error):
        operator.admin.execute("DELETE FROM reputation_look")


async def test_a_new_listing_is_a_case_and_the_same_one_is_no_news(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(ZONES) as server:
        given = sending(firm, server, watched=WATCHED)
        await watch(connection, given, NOW)
        server.set(f"1.2.0.192.{ZONE}", "A", ["127.0.0.4"])
        server.set(f"{firm.name}.{DBL}", "A", ["127.0.1.4"])
        server.set("1.2.0.192.in-addr.arpa", "PTR", [])
        for _ in range(3):
            await watch(connection, given, NOW)
    assert {title: tenant for title, tenant in cases(operator)} == {
        f"192.0.2.1 is on {ZONE}": None,
        f"{firm.name} is on {DBL}": firm.tenant,
        "192.0.2.1 has no reverse name that leads back": None,
    }


async def test_where_nothing_is_watched_nobody_is_asked_and_without_keys_no_case_is_opened(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(ZONES | {f"1.2.0.192.{ZONE}": {"A": ["127.0.0.4"]}}) as server:
        assert await watch(connection, sending(firm, server), NOW) == 0
        only = sending(firm, server, watched=Watched(("192.0.2.1",), (ZONE,)), operator=None)
        assert await watch(connection, only, NOW) == 2
    assert cases(operator) == []
