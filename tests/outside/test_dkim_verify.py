"""A stranger's DKIM signature counts when it covers what is acted on, with a key that the DNS has now; nothing else does."""

import time
from datetime import UTC, datetime, timedelta

import dns.rcode
import pytest
from tests.support.dkim_letters import Provider

from troth.mail import parts
from troth.outside.dkim_verify import Verifier, aligned
from troth.outside.dns import Resolver

LETTER = (
    "From: Loop <fbl@provider.example>\nTo: fbl@ours.example\nSubject: A report\nMIME-Version: 1.0\n"
    "Content-Type: text/plain\n\nHello,  you.\t \n\n\n"
)


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture
def published(zone, provider):
    zone.txt(provider.name, provider.record)
    return zone


async def looked(zone, octets, seconds=15.0, now=None):
    patience = 0.4 if zone.faults else 10
    verifier = Verifier(Resolver([zone.address], patience), seconds)
    found = await verifier.verify(octets, parts.read(octets), now or datetime.now(UTC))
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize(
    "canonical", [("relaxed", "relaxed"), ("simple", "simple"), ("relaxed", "simple"), ("simple", "relaxed")]
)
async def test_a_whole_signature_holds(published, provider, canonical):
    found = await looked(published, provider.sign(LETTER, canonical=canonical))
    assert (found.domain, found.selector, found.why) == ("provider.example", "fbl", "")
    assert found.holds
    assert not found.temporary


async def test_a_changed_letter_does_not_hold(published, provider):
    signed = provider.sign(LETTER)
    assert (await looked(published, signed.replace(b"Hello", b"Hallo"))).why == "bad"
    assert (await looked(published, signed.replace(b"A report", b"B report"))).why == "bad"
    assert await looked(published, LETTER.encode()) == ()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"length": True}, "partial-body"),
        ({"signed": ("from", "to", "subject")}, "mime-unsigned"),
        ({"edit": lambda fields: [(k, b"rsa-sha1") if k == b"a" else (k, v) for k, v in fields]}, "algorithm"),
        ({"edit": lambda fields: [*fields, (b"x", b"1700000000")]}, "expired"),
        ({"edit": lambda fields: [(k, b"4000000000") if k == b"t" else (k, v) for k, v in fields]}, "future"),
        ({"edit": lambda fields: [*fields, (b"x", b"soon")]}, "malformed"),
        ({"edit": lambda fields: [(k, b"two words!") if k == b"s" else (k, v) for k, v in fields]}, "malformed"),
    ],
)  # fmt: skip
async def test_what_a_signature_must_be(published, provider, options, why):
    assert (await looked(published, provider.sign(LETTER, **options))).why == why


async def test_a_signature_ends_when_it_says(published, provider):
    soon = int(time.time()) + 600
    signed = provider.sign(LETTER, edit=lambda fields: [*fields, (b"x", str(soon).encode())])
    assert (await looked(published, signed)).holds
    assert (await looked(published, signed, now=datetime.now(UTC) + timedelta(hours=1))).why == "expired"


@pytest.mark.parametrize(
    ("added", "why"),
    [
        (b"From: other@provider.example\r\n", "from-unsigned"),
        (b"Content-Type: text/html\r\n", "mime-unsigned"),
        (b"Content-Transfer-Encoding: base64\r\n", "mime-unsigned"),
        (b"no field at all\r\n", "malformed"),
    ],
)
async def test_nothing_can_be_put_above_it(published, provider, added, why):
    assert (await looked(published, added + provider.sign(LETTER))).why == why


async def test_a_signature_that_does_not_name_its_sender_is_none(published, provider):
    signed = provider.sign(LETTER).replace(b"h=from : to", b"h=date : to").replace(b"h=from:to", b"h=date:to")
    assert (await looked(published, signed)).why == "from-unsigned"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "no-key"), (["unrelated"], "no-key"), (["v=DKIM1; p="], "revoked"), (["v=DKIM1; p=%%%"], "bad"),
        (["{key}", "k=rsa; p=AAAA"], "no-key"), (["t=y; {key}"], "testing"), (["t=s; {key}"], ""), (["s=tlsrpt; {key}"], "no-key"),
        (["h=sha1; {key}"], "no-key"), (["h=sha1:sha256; {key}"], ""), (["{key}; n=" + "x" * 2_000], "no-key"),
        (["k=ed25519; p=AAAA"], "bad"),
    ],
)  # fmt: skip
async def test_what_a_key_must_be(zone, provider, values, why):
    zone.txt("provider.example", "there")
    zone.truncate = True  # the longest needs TCP
    if values:
        zone.txt(provider.name, *(v.replace("{key}", provider.record.removeprefix("v=DKIM1; ")) for v in values))
    assert (await looked(zone, provider.sign(LETTER))).why == why


async def test_a_short_key_is_none(zone, monkeypatch):
    short = Provider(bits=1024)
    zone.txt(short.name, short.record)
    assert (await looked(zone, short.sign(LETTER))).holds  # RFC 8301's least; a library makes no shorter one
    monkeypatch.setattr("troth.outside.dkim_verify.MIN_BITS", 1025)
    assert (await looked(zone, short.sign(LETTER))).why == "weak"


async def test_a_silent_dns_is_no_verdict(zone, provider):
    signed = provider.sign(LETTER)
    for fault in ("drop", dns.rcode.SERVFAIL):
        zone.faults[provider.name] = fault
        found = await looked(zone, signed)
        assert (found.why, found.temporary) == ("no-answer", True)
    zone.faults[provider.name] = "drop"
    assert (await looked(zone, signed, seconds=0.1)).why == "no-answer"


async def test_few_signatures_are_looked_at_and_bombs_cost_little(published, provider):
    signed = provider.sign(LETTER)
    assert len(await looked(published, signed.split(b"From:")[0] * 9 + b"From:" + signed.split(b"From:", 1)[1])) == 5
    before = time.process_time()
    assert (await looked(published, signed + b"\r\n" * 300_000)).why == "too-large"
    assert (await looked(published, signed + b"x" + b" " * 3_000_000 + b"x")).why == "bad"
    assert (await looked(published, signed.replace(b"v=1", b"v=1" + b" " * 2_000, 1))) == ()
    assert (await looked(published, signed.replace(b"v=1;", b"v=1; v=1;", 1))) == ()
    assert (await looked(published, signed.replace(b"v=1;", b"nonsense;", 1))) == ()
    assert time.process_time() - before < 4


async def test_empty_lines_at_the_end_change_nothing(published, provider):
    for canonical in ("simple", "relaxed"):
        assert (await looked(published, provider.sign(LETTER, canonical=("relaxed", canonical)) + b"\r\n" * 50)).holds


@pytest.mark.parametrize(
    ("signed", "enrolled", "yes"),
    [
        ("provider.example", "provider.example", True), ("Provider.Example.", "provider.example", True),
        ("provider.example", "fbl.provider.example", True), ("fbl.provider.example", "provider.example", False),
        ("example", "provider.example", False), ("co.uk", "provider.co.uk", False), ("", "", False),
        ("provider.co.uk", "a.b.provider.co.uk", True), ("b.provider.co.uk", "a.b.provider.co.uk", False),
        ("evilprovider.example", "provider.example", False),
    ],
)  # fmt: skip
def test_aligned_means_the_domain_or_its_organisations(signed, enrolled, yes):
    assert aligned(signed, enrolled) is yes
