"""Where a domain's mail goes: an exchanger, an address, nowhere by its own word, nowhere at all; or nobody can say."""

import dns.rcode
import pytest

from troth.outside.dns import LookupFailed, Resolver
from troth.outside.mail_hosts import MailHost, mail_host


@pytest.fixture
def resolver(zone):
    return Resolver([zone.address], timeout=5)


@pytest.mark.parametrize(
    ("kind", "records", "expected"),
    [
        ("MX", ["10 mx.a.example.", "20 mx2.a.example."], MailHost.EXCHANGER),
        ("MX", ["0 ."], MailHost.NULL_MX),
        ("MX", ["0 .", "10 mx.a.example."], MailHost.EXCHANGER),
        ("A", ["192.0.2.1"], MailHost.ADDRESS),
        ("AAAA", ["2001:db8::1"], MailHost.ADDRESS),
        ("TXT", ['"x"'], MailHost.NONE),
    ],
)
async def test_what_a_domain_says(zone, resolver, kind, records, expected):
    zone.records["a.example", kind] = records
    assert await mail_host(resolver, "a.example") is expected


async def test_a_name_that_is_not_there_is_not_asked_for_an_address(zone, resolver):
    zone.txt("other.example", "x")
    assert await mail_host(resolver, "b.example") is MailHost.NONE
    assert [kind for _, kind in zone.asked] == ["MX"]


async def test_a_server_that_cannot_say_is_no_answer(zone, resolver):
    zone.txt("a.example", "x")
    zone.faults["a.example"] = dns.rcode.SERVFAIL
    assert isinstance(await mail_host(resolver, "a.example"), LookupFailed)


async def test_no_answer_about_the_address_alone_is_none_either():
    class Half(Resolver):
        async def addresses(self, name):
            return LookupFailed(name, "half an answer")

        async def mx(self, name):
            from troth.outside.dns import Lookup, Outcome

            return Lookup(name, Outcome.NODATA)

    assert isinstance(await mail_host(Half([("127.0.0.1", 9)]), "a.example"), LookupFailed)
