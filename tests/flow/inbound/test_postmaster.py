"""Letters to postmaster are taken, as RFC 5321 asks, and kept sealed for a person."""

from tests.flow.inbound.conftest import DOMAIN, LETTER

from troth.flow.feedback import aside
from troth.keys import places
from troth.store.inbound import Most


async def test_a_letter_to_postmaster_is_kept_sealed(house, post, page):
    who = await (await post(house.desks)).stranger()
    for n, to in enumerate(("Postmaster", f"POSTMASTER@{DOMAIN}", "postmaster")):
        letter = (b"n: %d\r\n" % min(n, 1)) + LETTER
        assert (await who.mail(to, letter)).startswith("250"), to
    assert (await who.mail(["postmaster", f"postmaster@{DOMAIN}"], b"\0\xff" + LETTER, b"<>")).startswith("250")
    kept = page.rows("SELECT id, desk, size, letter_ct FROM inbound_letter ORDER BY id")
    assert [row[1:3] for row in kept] == [("postmaster", len(LETTER) + 6)] * 2 + [("postmaster", len(LETTER) + 2)]
    assert b"unsubscribe" not in bytes(kept[0][3])
    opened = house.operator_keys.open(bytes(kept[2][3]), places.letter(kept[2][0]))
    head = b"Return-Path: <>\r\nX-Troth-Peer: 127.0.0.1\r\nX-Troth-To: postmaster\r\nX-Troth-To: postmaster@bounces.example\r\n"
    assert opened == head + b"\0\xff" + LETTER
    assert page.rows("SELECT desk, reason, n, dropped FROM inbound_count") == [("postmaster", "letter", 3, 0)]


async def test_a_flood_of_them_is_told_to_come_again(house, post, page, monkeypatch):
    monkeypatch.setattr(aside, "MOST_OF_PEOPLE", Most(1, 1, 10_000))
    who = await (await post(house.desks)).stranger()
    assert (await who.mail("postmaster")).startswith("250")
    assert (await who.mail("postmaster", b"another: one\r\n" + LETTER)).startswith("452 4.2.2")
    assert (await who.mail("postmaster")).startswith("250")
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
