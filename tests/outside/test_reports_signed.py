"""Who signed a report's letter is the domain whose signature holds and stands for its From, and nobody else."""

from datetime import UTC, datetime

from tests.support.dkim_letters import Provider
from tests.support.dmarc import letter, xml

from troth.flow.feedback.reports_signed import SignedBy
from troth.mail import parts
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver


async def signer(zone, octets):
    patience = 0.4 if zone.faults else 10
    found = SignedBy(Verifier(Resolver([zone.address], patience)))
    return await found(octets, parts.read(octets), datetime.now(UTC))


async def test_only_an_aligned_signature_names_a_reporter(zone):
    provider = Provider("receiver.test")
    zone.txt(provider.name, provider.record)
    assert await signer(zone, provider.sign(letter(xml()))) == "receiver.test"
    assert await signer(zone, provider.sign(letter(xml(), sender="dmarc@mail.receiver.test"))) == "receiver.test"
    assert await signer(zone, provider.sign(letter(xml(), sender="dmarc@google.test"))) == ""
    assert await signer(zone, letter(xml())) == ""
    assert await signer(zone, provider.sign(letter(xml(), sender="a@receiver.test>, <b@receiver.test"))) == ""
    assert await signer(zone, provider.sign(letter(xml())).replace(b"This is", b"That is")) == ""


async def test_a_dns_that_is_gone_makes_it_unsigned(zone):
    provider = Provider("receiver.test")
    zone.faults[provider.name] = "drop"
    assert await signer(zone, provider.sign(letter(xml()))) == ""
