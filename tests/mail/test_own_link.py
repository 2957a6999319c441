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
    assert token_of(local.replace("unsubscribe", "Unsubscribe")) == token


@pytest.mark.parametrize("local", ["", "unsubscribe", "unsubscribe+", "unsubscribe+x", "b" * 57, "unsubscribe+" + "a" * 53,
                                   "unsubscribe+" + "a" * 40 + "\n", "x+unsubscribe+" + "a" * 40])  # fmt: skip
def test_another_address_has_no_token(local: str) -> None:
    assert token_of(local) is None
