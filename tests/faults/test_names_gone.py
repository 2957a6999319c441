"""The DNS goes away: a domain keeps its last verdict for the grace, then closes; a changed record closes it at once."""

import asyncio
import base64
import json
import socket
import time

import pytest
from tests.faults.client import Http
from tests.faults.house import PEOPLE, free_port, open_house
from tests.support.firm import PUBLIC_DER

from troth.cli.demo.dns import DnsServer

_TWO_HOURS_PASS = """
UPDATE domain_state SET last_good_at = last_good_at - interval '2 hours', ready_until = ready_until - interval '2 hours'
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("faults")]


def zones(name):
    """What the firm publishes when all is well."""
    key = base64.b64encode(PUBLIC_DER).decode()
    return {
        name: {
            "SOA": ["ns.example. host.example. 1 3600 600 86400 60"],
            "TXT": ["v=spf1 include:spf.example.net -all"],
        },
        f"s1._domainkey.{name}": {"TXT": [f"v=DKIM1; k=rsa; p={key}"]},
        f"_dmarc.{name}": {"TXT": ["v=DMARC1; p=reject"]},
        f"bounce.{name}": {"CNAME": ["bounces.example.net."]},
        "bounces.example.net": {
            "SOA": ["ns.example. host.example. 1 3600 600 86400 60"],
            "TXT": ["v=spf1 include:spf.example.net -all"],
            "MX": ["10 in.example.net."],
        },
    }


class Domain:
    """The firm's domain as the database has it."""

    def __init__(self, house):
        self.house = house

    async def checked(self):
        """Asks for a look now, and waits for it: (ready, lookup_failed)."""
        self.house.rows("UPDATE domain_state SET checked_at = now_v1() - interval '11 minutes'")
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = self.house.rows(
                "SELECT ready_until > now_v1(), lookup_failed FROM domain_state"
                " WHERE checked_at > now_v1() - interval '5 minutes'"
            )
            if found:
                return found[0]
            await asyncio.sleep(0.2)
        raise AssertionError(f"nobody looked:\n{self.house.log()[-2000:]}")


async def ask(house, marker):
    headers = {"authorization": f"Bearer {house.key}", "content-type": "application/json"}
    email = {"from": house.sender, "to": PEOPLE[0], "template": {"id": "reminder", "variables": {"name": marker}}}
    http = Http(house.port)
    status, _, content = await http.ask("POST", "/emails", headers, json.dumps(email).encode())
    await http.end()
    return status, json.loads(content).get("code")


async def test_a_resolver_that_is_gone_keeps_the_last_verdict_for_the_grace_and_no_longer():
    port = free_port(socket.SOCK_DGRAM)
    with open_house() as house:
        house.configure(dns_resolvers=f"127.0.0.1:{port}")
        domain, published = Domain(house), zones(house.sender.partition("@")[2])
        async with DnsServer(published, port=port):
            house.up()
            await house.ready()
            assert await domain.checked() == (True, False)
            assert await ask(house, "with-dns") == (200, None)
        assert await domain.checked() == (True, True), "an outage is no missing record"
        assert await ask(house, "without-dns") == (200, None)
        await house.drained()  # a mark after the grace would hold it
        house.rows(_TWO_HOURS_PASS)
        assert await ask(house, "grace-over") == (503, "domain-unverifiable")
        async with DnsServer(published, port=port) as server:
            assert await domain.checked() == (True, False)
            assert await ask(house, "dns-back") == (200, None)
            await house.drained()
            server.set(f"_dmarc.{house.sender.partition('@')[2]}", "TXT", ["v=DMARC1; p=none"])
            assert await domain.checked() == (False, False)
            assert await ask(house, "weakened") == (422, "domain-unready")
        assert set(house.sink.arrivals()) == {"with-dns", "without-dns", "dns-back"}
