"""Support: feedback loops' reports about messages that were really sent, as the next hop got them."""

import re
from uuid import uuid4

import pytest
from tests.flow.feedback.telling import ANN, After
from tests.support.dkim_letters import Provider
from tests.support.own_dns import OwnDns

from troth.flow.feedback.complaints import Complaints
from troth.mail.arrived import Arrived
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver

DOMAIN = "mail.ours.example"
FBL = f"fbl@{DOMAIN}"
PEER = "192.0.2.9"
PROVIDER = Provider("provider.example")
STRANGER = Provider("stranger.example")


def arf(returned, *, kind="abuse", to=ANN, sender="fbl@provider.example", more=""):
    """RFC 5965's three parts."""
    stated = f"Original-Rcpt-To: {to}\r\n" if to else ""
    head = (
        f"From: Feedback <{sender}>\r\nTo: {FBL}\r\nSubject: FW: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="fb"\r\n\r\n'
        "--fb\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        "--fb\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\n{stated}{more}\r\n"
        "--fb\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return head.encode() + returned + b"\r\n--fb--\r\n"


def jmrp(returned):
    head = (
        f"From: fbl@provider.example\r\nTo: {FBL}\r\nSubject: complaint about message from 192.0.2.7\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="fb"\r\n\r\n'
        f"--fb\r\nContent-Type: message/rfc822\r\n\r\nX-HmXmrOriginalRecipient: {ANN}\r\n"
    )
    return head.encode() + returned + b"\r\n--fb--\r\n"


def header_of(octets, *names):
    """Only these fields of a message: what a provider may give back."""
    head = re.sub(rb"\r\n[ \t]+", b" ", octets.partition(b"\r\n\r\n")[0])
    kept = [line for line in head.split(b"\r\n") if line.split(b":")[0].decode().lower() in names]
    return b"\r\n".join(kept) + b"\r\n\r\nWithout its text.\r\n"


class Desk(After):
    """The desk over a stage whose mail was sent, and a DNS with the provider's key."""

    def __init__(self, stage, dns):
        super().__init__(stage)
        host, port = dns.address.rsplit(":", 1)
        self.ask((host, int(port)))

    def ask(self, server, seconds=5.0):
        """The desk, over this DNS."""
        self.desk = Complaints(self.deps, self.operator, DOMAIN, Verifier(Resolver([server], seconds)))

    def loop(self, name="provider", domains=("provider.example",), sender="fbl@provider.example", provider="Provider"):
        made = uuid4()
        self.river.database.fill(
            "INSERT INTO feedback_loop (id, name, provider, domains, sender, covers, silent_days, enrolled_on, added_at,"
            " added_by) VALUES (%s, %s, %s, %s, %s, '', 30, '2026-01-01', now(), %s)",
            made, name, provider, list(domains), sender, self.river.account,
        )  # fmt: skip
        return made

    def returned(self, number=-1, path=True):
        """The octets that the next hop got, with the Return-Path that it writes."""
        entry = self.stage.store.entries()[number]
        head = f"Return-Path: <{entry.mail_from}>\r\n".encode() if path else b""
        return head + self.stage.store.read(entry.file)

    async def take(self, letter, to=FBL, signer=PROVIDER, **how):
        octets = signer.sign(letter, **how) if signer else letter
        return await self.desk.take([to], Arrived(PEER, "fbl@provider.example", octets))

    def kept(self):
        return [
            reason for (reason,) in self.query("SELECT reason FROM inbound_letter WHERE desk = 'complaint' ORDER BY id")
        ]

    def query(self, sql, *given):
        return self.river.database.run(sql, *given)

    def numbers(self):
        """loop's day: kind -> (reports, new)."""
        return {kind: (n, new) for kind, n, new in self.query("SELECT kind, reports, new FROM feedback_loop_day")}

    def nothing_happened(self):
        return not self.query("SELECT 1 FROM suppression UNION SELECT 1 FROM case_file UNION SELECT 1 FROM complaint")


@pytest.fixture(scope="module")
def dns():
    zones = {PROVIDER.domain: {}, STRANGER.domain: {}}
    made = OwnDns(zones)
    for each in (PROVIDER, STRANGER):
        made.set(each.name, "TXT", [each.record])
    yield made
    made.stop()


@pytest.fixture
async def desk(stage, dns):
    one = Desk(stage, dns)
    yield one
    await one.connections.close()
