"""Letters to postmaster are taken, as RFC 5321 asks, and kept sealed for a person."""

from tests.flow.inbound.conftest import DOMAIN, LETTER

from troth.flow.feedback import postmaster
from troth.keys import places


async def test_a_letter_to_postmaster_is_kept_sealed(house, post, page):
    who = await (await post(house.desks)).stranger()
    for to in ("Postmaster", f"POSTMASTER@{DOMAIN}"):
        assert (await who.mail(to)).startswith("250"), to
    assert (await who.mail(["postmaster", f"postmaster@{DOMAIN}"], b"\0\xff" + LETTER, b"<>")).startswith("250")
    kept = page.rows("SELECT id, desk, size, letter_ct FROM inbound_letter ORDER BY id")
    assert [row[1:3] for row in kept] == [("postmaster", len(LETTER))] * 2 + [("postmaster", len(LETTER) + 2)]
    assert b"unsubscribe" not in bytes(kept[0][3])
    opened = house.operator_keys.open(bytes(kept[2][3]), places.letter(kept[2][0]))
    assert opened == b"Return-Path: <>\r\nX-Troth-Peer: 127.0.0.1\r\n\0\xff" + LETTER


async def test_a_flood_of_them_is_told_to_come_again(house, post, page, monkeypatch):
    monkeypatch.setattr(postmaster, "MOST", 1)
    who = await (await post(house.desks)).stranger()
    assert (await who.mail("postmaster")).startswith("250")
    assert (await who.mail("postmaster")).startswith("452 4.2.2")
    assert page.rows("SELECT count(*) FROM inbound_letter") == [(1,)]


async def test_one_letter_goes_to_one_kind_of_address(house, post, page):
    """The other recipient is sent for by itself, as a sender does after a 452."""
    message = await page.send()
    who = await (await post(house.desks)).stranger()
    to = b"RCPT TO:<%s>" % house.address(message).encode()
    answers = await who.all(b"MAIL FROM:<a@b.example>", to, b"RCPT TO:<postmaster>", b"DATA", LETTER + b".\r\n")
    assert answers == ["250", "250", "452", "354", "250"]
    assert page.rows("SELECT count(*) FROM opt_out") == [(1,)]
    assert page.rows("SELECT count(*) FROM inbound_letter") == [(0,)]
