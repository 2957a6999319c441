"""A DKIM key changes while mail flows: every message verifies when it arrives, and with the records of the days after.

TROTH_ROTATION_MESSAGES and TROTH_ROTATION_WORKERS say how much (scripts/rotation.py).
"""

import asyncio
import base64
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dkim
import dns.resolver
from tests.support.river import DOMAIN, SELECTOR, dkim_pair

from troth.cli.demo.dns import DnsServer
from troth.flow.duties import Sending, check_domains
from troth.flow.duties.rotation import rotate
from troth.flow.duties.sending import Rotation
from troth.keys.keyring import OPERATOR
from troth.outside.dns import Resolver
from troth.outside.domain_views import Asked
from troth.rules.states import State

MESSAGES = int(os.environ.get("TROTH_ROTATION_MESSAGES", "180"))
WORKERS = int(os.environ.get("TROTH_ROTATION_WORKERS", "3"))
SPF = "ip4:127.0.0.1"
WHEN = Rotation(settle=timedelta(seconds=1), overlap=timedelta(days=10))


def records():
    return {
        DOMAIN: {"TXT": [f"v=spf1 {SPF} -all"]},
        f"_dmarc.{DOMAIN}": {"TXT": ["v=DMARC1; p=reject"]},
        f"{SELECTOR}._domainkey.{DOMAIN}": {"TXT": [key_record(dkim_pair()[1])]},
    }


def key_record(public):
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


@dataclass
class Receiver:
    """Verifies what arrives, as it arrives, with the records that this server shows now; no cache."""

    stage: object
    server: DnsServer
    read: int = 0
    failed: list[str] = field(default_factory=list)
    selectors: Counter = field(default_factory=Counter)
    first: dict[str, datetime] = field(default_factory=dict)

    def txt(self, name, timeout=5):
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.cache = [self.server.host], self.server.port, None
        try:
            answer = resolver.resolve(name.decode(), "TXT", lifetime=timeout)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return b""
        return b"".join(answer[0].strings)

    async def look(self):
        kept = [each for each in self.stage.store.entries() if each.file]
        for entry in kept[self.read :]:
            octets = self.stage.store.read(entry.file)
            selector = octets.partition(b" s=")[2].partition(b";")[0].strip().decode()
            self.selectors[selector] += 1
            self.first.setdefault(selector, datetime.now(UTC))
            if not await asyncio.to_thread(dkim.verify, octets, dnsfunc=self.txt):
                self.failed.append(f"{entry.file} by {selector}")
        self.read = len(kept)

    async def run(self, stop):
        while not stop.is_set():
            await self.look()
            await asyncio.sleep(0.02)
        await self.look()


def keys(river):
    return {
        selector: (state, private is not None)
        for selector, state, private in river.database.run("SELECT selector, state, private_ct FROM dkim_key")
    }


async def load(river, both):
    """A steady stream, until all are asked for and both keys have signed."""
    asked = 0
    while asked < MESSAGES or not both.is_set():
        river.queue("zoe@home.example", copies=10)
        asked += 10
        await asyncio.sleep(0.05 if MESSAGES > 1000 else 0.25)


async def test_no_signature_is_lost_when_the_key_changes_under_load(stage, capsys):
    river = stage.river
    river.database.fill("UPDATE dkim_key SET active_at = now() - interval '200 days'")
    async with DnsServer(records()) as first, DnsServer(records()) as second:
        resolvers = [Asked(f"resolver {n}", Resolver([(s.host, s.port)])) for n, s in enumerate((first, second), 1)]
        operator = river.keyring.tenant(
            OPERATOR, bytes(river.database.run("SELECT operator_keyset FROM installation")[0][0])
        )
        sending = Sending(
            resolvers[0].resolver,
            SPF,
            resolvers=tuple(resolvers),
            keyring=river.keyring,
            operator=operator,
            rotation=WHEN,
        )
        receiver = Receiver(stage, second)  # it asks the resolver that is behind
        stop, both = asyncio.Event(), asyncio.Event()
        for _ in range(WORKERS):
            stage.worker()
        async with await river.database.connect("duties") as connection, asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.run(stop))
            loading = tasks.create_task(load(river, both))
            await stage.until(lambda: receiver.selectors[SELECTOR] >= 10)
            assert await rotate(connection, sending) == 1
            [new] = set(keys(river)) - {SELECTOR}
            name, text = f"{new}._domainkey.{DOMAIN}", key_record(public_of(river, new))
            await check_domains(connection, sending, timedelta(0))
            assert keys(river) == {SELECTOR: ("active", True), new: ("pending", True)}

            first.set(name, "TXT", [text])  # one resolver has it, the other has not: it must not sign
            await check_domains(connection, sending, timedelta(0))
            await asyncio.sleep(1.2)
            await check_domains(connection, sending, timedelta(0))
            assert keys(river)[new] == ("pending", True)

            second.set(name, "TXT", [text])
            await check_domains(connection, sending, timedelta(0))  # seen by all, and from now on waited for
            assert keys(river)[new] == ("pending", True)
            await asyncio.sleep(1.2)
            assert receiver.selectors[new] == 0
            await check_domains(connection, sending, timedelta(0))
            assert keys(river) == {SELECTOR: ("overlapping", True), new: ("active", True)}
            switched = datetime.now(UTC)
            await stage.until(lambda: receiver.selectors[new] >= 10, 60)  # a worker hears of it within five seconds
            both.set()
            await loading
            await stage.until_all(State.SENT, 240)
            stop.set()
        assert receiver.failed == []
        assert receiver.first[new] >= switched
        assert sum(receiver.selectors.values()) >= MESSAGES
        assert receiver.selectors[SELECTOR] > 0

        later = Receiver(stage, second)  # all of them again, with the records of the days of overlap
        await later.look()
        assert later.failed == []

        await the_overlap_ends(river, sending, second, new)
        with capsys.disabled():
            print(f"\n{sum(receiver.selectors.values())} messages, {WORKERS} workers, signed by {dict(receiver.selectors)}: "
                  f"{len(receiver.failed)} did not verify at arrival, {len(later.failed)} with the records after")  # fmt: skip


async def the_overlap_ends(river, sending, server, new):
    """The key before goes when its time is over and not a day sooner, and its private part with it."""
    async with await river.database.connect("duties") as connection:
        for days, left in ((9, ("overlapping", True)), (11, ("retired", False))):
            river.database.fill("UPDATE installation SET clock_offset = make_interval(days => %s)", days)
            await rotate(connection, sending)
            assert keys(river) == {SELECTOR: left, new: ("active", True)}


def public_of(river, selector):
    return bytes(river.database.run("SELECT public_der FROM dkim_key WHERE selector = %s", selector)[0][0])
