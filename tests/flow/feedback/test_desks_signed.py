"""A letter is its sender's when a signature that holds is aligned with From; nothing else makes it so."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outside.conftest import zone
from tests.support.dkim_letters import Provider

from troth.flow.feedback.desks import nobody
from troth.flow.feedback.desks_reading import automatic, read
from troth.flow.feedback.desks_signed import Signed, moment
from troth.keys import case_tags
from troth.mail import parts
from troth.mail.address import parse_address
from troth.mail.arrived import Arrived
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver

__all__ = ["zone"]
LETTER = (
    "From: {}\nTo: abuse@ours.example\nSubject: spam\nMIME-Version: 1.0\nContent-Type: text/plain\n\nI never asked.\n"
)


async def asked(zone, octets, sender, at=None, to=("abuse@ours.example",)):
    signed = Signed(Verifier(Resolver([zone.address], 5)))
    return await signed(octets, parts.read(octets), parse_address(sender), at or datetime.now(UTC), to)


async def test_an_aligned_signature_makes_it_its_senders(zone):
    provider = Provider("home.example")
    zone.txt(provider.name, provider.record)
    for sender, its in (("ann@home.example", True), ("ann@mail.home.example", True), ("ann@else.example", False)):
        assert await asked(zone, provider.sign(LETTER.format(sender)), sender) is its
    changed = provider.sign(LETTER.format("ann@home.example")).replace(b"never", b"often")
    assert not await asked(zone, changed, "ann@home.example")
    assert not await asked(zone, LETTER.format("ann@home.example").encode(), "ann@home.example")


async def test_a_letter_to_somebody_else_is_no_letter_to_us(zone):
    """A victim's letter to a list, brought to us by a stranger, whatever the stranger adds to it."""
    provider = Provider("home.example")
    zone.txt(provider.name, provider.record)
    listed = LETTER.format("ann@home.example").replace("abuse@ours.example", "list@lists.example")
    signed = provider.sign(listed)
    for octets in (signed, b"To: abuse@ours.example\r\n" + signed, b"Cc: abuse@ours.example\r\n" + signed):
        assert not await asked(zone, octets, "ann@home.example")
    unsigned = provider.sign(
        LETTER.format("ann@home.example"), signed=("from", "subject", "content-type", "mime-version")
    )
    assert not await asked(zone, unsigned, "ann@home.example")
    copied = provider.sign("Cc: Desk <ABUSE@ours.example>\n" + listed, signed=("from", "to", "cc", "content-type"))
    assert await asked(zone, copied, "ann@home.example")
    assert not await asked(
        zone, provider.sign(LETTER.format("ann@home.example")), "ann@home.example", to=("abuse@b.example",)
    )


async def test_a_letter_of_long_ago_is_a_copy_that_somebody_kept(zone):
    provider = Provider("home.example")
    zone.txt(provider.name, provider.record)
    letter, now = LETTER.format("ann@home.example"), datetime.now(UTC)
    for octets, days, its in (
        (provider.sign(letter), 1.9, True),
        (provider.sign(letter), 2.1, False),
        (dated(provider, letter, f"Date: {now:%a, %d %b %Y %H:%M:%S} +0000"), 1.9, True),
        (dated(provider, letter, f"Date: {now:%a, %d %b %Y %H:%M:%S} +0000"), 2.1, False),
        (dated(provider, letter, f"Date: {now:%a, %d %b %Y %H:%M:%S} +0000", covered=False), 0, False),
        (dated(provider, letter, "Date: soon"), 0, False),
    ):
        assert await asked(zone, octets, "ann@home.example", now + timedelta(days=days)) is its


def dated(provider, letter, line, *, covered=True):
    """Signed without t=, which RFC 6376 lets a signer leave out."""
    fields = ("from", "to", "content-type", *(("date",) if covered else ()))
    return provider.sign(f"{line}\n{letter}", signed=fields, edit=_untimed)


def _untimed(fields):
    return [(name, value) for name, value in fields if name != b"t"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Sun, 22 Nov 2026 20:24:53 +0100", "2026-11-22T19:24:53+00:00"),
        ("1 jan 2026 00:30 -0130 (comment)", "2026-01-01T02:00:00+00:00"),
        ("1 Jan 2026 00:30:60 GMT", "2026-01-01T00:30:59+00:00"),
        ("31 Feb 2026 00:30:00 +0000", None),
        ("1 Foo 2026 00:30:00 +0000", None),
        ("1 Jan 0001 00:30:00 +2300", None),
        ("1 Jan 2026 00:30:00 +9900", None),
        ("", None),
    ],
)
def test_a_date_is_read_or_is_none(text, at):
    found = moment(text)
    assert (found and found.isoformat()) == at


async def test_without_a_verifier_nobody_is_certain():
    part = parts.read(b"")
    assert not await nobody(b"", part, parse_address("a@b.example"), datetime.now(UTC), ())


def test_a_sender_that_is_no_address_is_nobody():
    assert read(b"From: <ann@-bad-.example>\r\n\r\nx").sender is None
    assert "From nobody that can be read" in read(b"From: <ann@-bad-.example>\r\n\r\nx").excerpt("")


@given(st.binary(max_size=2_000))
def test_any_octets_are_read(octets):
    said = read(octets)
    said.excerpt("")
    automatic(said, Arrived("192.0.2.7", "a@b.example", octets))


def test_spare_bits_make_no_tag():
    keys = (b"k" * 32,)
    for case in (uuid4() for _ in range(50)):
        made = case_tags.tag(keys[0], case)
        taken = [last for last in "abcdefghijklmnopqrstuvwxyz234567" if case_tags.case_of(keys, made[:-1] + last)]
        assert taken == [made[-1]]
    assert asyncio.iscoroutinefunction(nobody)
