"""The link to the own page and the address that takes an opt-out by mail."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from troth.mail.own_link import PURPOSE, mail_address, own_link, token_of
from troth.mail.tokens import TokenError, make_token, read_token

KEY, MESSAGE = b"k" * 32, UUID(int=7)
ENDS, NOW = datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def test_the_link_names_the_message_and_opens_nothing_else() -> None:
    link = own_link("https://troth.example", KEY, MESSAGE, ENDS)
    start, _, token = link.rpartition("/")
    assert start == "https://troth.example/r"
    assert read_token(KEY, PURPOSE, token, NOW) == MESSAGE.bytes
    with pytest.raises(TokenError, match="forged"):
        read_token(KEY, "unsubscribe", token, NOW)


def test_the_address_fits_a_local_part_and_gives_its_token_back() -> None:
    token = make_token(KEY, "unsubscribe", MESSAGE.bytes, ENDS)
    local, _, domain = mail_address(token, "bounce.example").rpartition("@")
    assert (len(local) <= 64, domain) == (True, "bounce.example")
    assert token_of(local) == token
    assert local == local.lower()
    assert token_of(local.upper()) == token


@pytest.mark.parametrize("local", ["", "stop", "stop+", "stop+x", "b" * 57, "stop+" + "a" * 60, "stop+" + "a" * 41,
                                   "stop+" + "a" * 40 + "\n", "x+stop+" + "a" * 40, "stop+" + "ö" * 40])  # fmt: skip
def test_another_address_has_no_token(local: str) -> None:
    assert token_of(local) is None
