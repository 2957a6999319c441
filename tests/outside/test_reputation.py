"""DNS lists over a real (local) DNS: listed, not listed, and every way in which a list cannot be believed."""

import pytest

from troth.cli.demo.dns import DnsServer
from troth.outside.dns import Resolver
from troth.outside.reputation import REVERSE, address_looks, domain_looks, reverse_name

ZONE, DBL = "bl.list.test", "dbl.list.test"
WELL = {
    f"2.0.0.127.{ZONE}": {"A": ["127.0.0.2"]},
    f"9.2.0.192.{ZONE}": {"A": ["127.0.0.4"], "TXT": ["see list.test/why"]},
    f"{'2.0.0.0.0.0.f.7.f.f.f.f' + '.0' * 20}.{ZONE}": {"A": ["127.0.0.2"]},
    f"test.{DBL}": {"A": ["127.0.1.2"]},
    f"bad.test.{DBL}": {"A": ["127.0.1.2"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["out.relay.test."]},
    "out.relay.test": {"A": ["192.0.2.1"]},
    "9.2.0.192.in-addr.arpa": {"PTR": ["liar.relay.test."]},
    "liar.relay.test": {"A": ["192.0.2.77"]},
    "8.b.d.0.1.0.0.2.ip6.arpa": {"SOA": ["ns.x.test. h.x.test. 1 1 1 1 5"]},
}


def on(server):
    return Resolver([(server.host, server.port)], 0.5)


async def states(zones, addresses=("192.0.2.1",), lists=(ZONE,)):
    async with DnsServer(zones) as server:
        return {(each.subject, each.list): (each.state, each.said)
                for each in await address_looks(on(server), addresses, lists)}  # fmt: skip


async def test_addresses_are_looked_up_reversed_and_their_names_must_lead_back():
    found = await states(WELL, ("192.0.2.1", "192.0.2.9", "192.0.2.5", "2001:db8::1"))
    assert found["192.0.2.1", ZONE] == ("clean", "")
    assert found["192.0.2.9", ZONE] == ("listed", "127.0.0.4 see list.test/why")
    assert found["2001:db8::1", ZONE] == ("clean", "")
    assert found["192.0.2.1", REVERSE] == ("confirmed", "out.relay.test")
    assert found["192.0.2.9", REVERSE][0] == "unconfirmed"
    assert "named liar.relay.test" in found["192.0.2.9", REVERSE][1]
    assert found["192.0.2.5", REVERSE][1].startswith("192.0.2.5 has no reverse name (PTR)")


@pytest.mark.parametrize(
    ("changes", "state", "says"),
    [
        ({f"2.0.0.127.{ZONE}": {}}, "unusable", "does not list the entry that every list has"),
        ({f"1.0.0.127.{ZONE}": {"A": ["127.0.0.2"]}}, "unusable", "lists everything"),
        ({f"2.0.0.127.{ZONE}": {"A": ["127.255.255.254"]}}, "unusable", "refuses this resolver's questions"),
        ({f"1.2.0.192.{ZONE}": {"A": ["127.255.255.255"]}}, "unusable", "does not answer us"),
        ({f"1.2.0.192.{ZONE}": {"A": ["198.51.100.1"]}}, "unusable", "it says 198.51.100.1"),
        ({f"1.2.0.192.{ZONE}": {"A": ["127.0.0.2"]}}, "listed", "127.0.0.2"),
        ({f"2.0.0.127.{ZONE}": {"RCODE": ["SERVFAIL"]}}, "silent", "SERVFAIL"),
        ({f"1.2.0.192.{ZONE}": {"RCODE": ["DROP"]}}, "silent", "in time"),
    ],
)
async def test_a_list_that_cannot_be_believed_is_never_taken_for_clean(changes, state, says):
    found = (await states(WELL | changes))["192.0.2.1", ZONE]
    assert found[0] == state
    assert says in found[1]


async def test_the_words_of_a_list_that_gives_none_are_its_code():
    assert (await states(WELL | {f"1.2.0.192.{ZONE}": {"A": ["127.0.0.9"]}, f"x.{ZONE}": {"TXT": ["x"]}}))[
        "192.0.2.1", ZONE
    ] == ("listed", "127.0.0.9")


async def test_domains_are_looked_up_as_they_are():
    async with DnsServer(WELL) as server:
        found = await domain_looks(on(server), ("good.test", "bad.test"), (DBL,))
        assert [(each.subject, each.state) for each in found] == [("good.test", "clean"), ("bad.test", "listed")]


async def test_a_reverse_zone_that_is_silent_says_nothing():
    async with DnsServer(
        WELL | {"1.2.0.192.in-addr.arpa": {"RCODE": ["SERVFAIL"]}, "liar.relay.test": {"RCODE": ["DROP"]}}
    ) as server:
        assert (await reverse_name(on(server), "192.0.2.1")).state == "silent"
        assert (await reverse_name(on(server), "192.0.2.9")).state == "silent"
