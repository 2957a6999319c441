"""Answers of the DNS are data; an outage is never taken for a missing record; nothing is remembered."""

import dns.rcode
import pytest

from troth.outside.dns import Lookup, LookupFailed, Outcome, Resolver


@pytest.fixture
def resolver(zone):
    return Resolver([zone.address], timeout=20)


@pytest.fixture
def impatient(zone):
    return Resolver([zone.address], timeout=0.4)


async def test_txt_joins_its_strings_and_tells_every_record(zone, resolver):
    long = "v=DKIM1; p=" + "A" * 600
    zone.txt("a.example", "v=spf1 -all", long)
    assert await resolver.txt("A.example.") == Lookup("A.example.", Outcome.FOUND, (long, "v=spf1 -all"))


async def test_an_octet_outside_ascii_matches_nothing(zone, resolver):
    zone.records["a.example", "TXT"] = [r'"v=spf1\255"']
    assert (await resolver.txt("a.example")).values == (r"v=spf1\xff",)


async def test_no_name_and_no_data_are_different_answers(zone, resolver):
    zone.txt("a.example", "x")
    assert await resolver.txt("b.example") == Lookup("b.example", Outcome.NXDOMAIN)
    assert await resolver.mx("a.example") == Lookup("a.example", Outcome.NODATA)
    assert await resolver.txt("example") == Lookup("example", Outcome.NODATA)  # an empty non-terminal


@pytest.mark.parametrize("fault", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, "drop"])
async def test_a_server_that_cannot_say_is_a_failure_and_temporary(zone, impatient, fault):
    zone.txt("a.example", "x")
    zone.faults["a.example"] = fault
    for found in (
        await impatient.txt("a.example"),
        await impatient.mx("a.example"),
        await impatient.addresses("a.example"),
    ):
        assert isinstance(found, LookupFailed)
        assert found.temporary
        assert "a.example" in found.reason


async def test_nobody_listening_is_a_failure(zone):
    zone.transport.close()
    found = await Resolver([("127.0.0.1", 1)], timeout=0.3).txt("a.example")
    assert isinstance(found, LookupFailed)


async def test_a_change_is_seen_at_once(zone, resolver):
    zone.txt("a.example", "old")
    assert (await resolver.txt("a.example")).values == ("old",)
    zone.txt("a.example", "new")
    assert (await resolver.txt("a.example")).values == ("new",)


async def test_a_truncated_answer_comes_again_over_tcp(zone, resolver):
    zone.truncate = True
    zone.txt("a.example", *("x" * 200 + str(i) for i in range(20)))
    assert len((await resolver.txt("a.example")).values) == 20


async def test_mx_comes_in_order_of_preference(zone, resolver):
    zone.records["a.example", "MX"] = ["20 B.a.example.", "10 c.a.example."]
    zone.records["null.example", "MX"] = ["0 ."]
    assert (await resolver.mx("a.example")).values == ((10, "c.a.example"), (20, "b.a.example"))
    assert (await resolver.mx("null.example")).values == ((0, "."),)


async def test_addresses_are_both_families_or_a_failure(zone, resolver):
    zone.records["a.example", "A"] = ["192.0.2.1"]
    zone.records["a.example", "AAAA"] = ["2001:db8::1"]
    zone.records["six.example", "AAAA"] = ["2001:db8::2"]
    assert (await resolver.addresses("a.example")).values == ("192.0.2.1", "2001:db8::1")
    assert (await resolver.addresses("six.example")).values == ("2001:db8::2",)
    assert (await resolver.addresses("none.example")).outcome is Outcome.NXDOMAIN
    zone.txt("text.example", "x")
    assert (await resolver.addresses("text.example")).outcome is Outcome.NODATA


async def test_a_name_that_cannot_be_written_cannot_be_there(resolver):
    assert (await resolver.txt("a" * 64 + ".example")).outcome is Outcome.NXDOMAIN
    assert (await resolver.txt("a..example")).outcome is Outcome.NXDOMAIN
    with pytest.raises(ValueError, match="A-label"):
        await resolver.txt("bücher.example")


def test_without_addresses_the_systems_servers_are_asked(tmp_path):
    assert Resolver()._resolver.lifetime == 5.0
