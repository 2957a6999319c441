"""Tokens: what we signed comes back, in any case; anything else is malformed, forged or expired."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.tokens import ReturnPath, TokenError, make_token, read_token, verp_cell, verp_make, verp_open, verp_read

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOON = NOW + timedelta(days=7)
ID = UUID("0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")


def kind(call, *args):
    with pytest.raises(TokenError) as caught:
        call(*args)
    return caught.value.kind


def test_verp_form():
    local = verp_make(KEY, ID, SOON, "a")
    assert len(local) <= 64
    assert local.isalnum()
    assert local.islower()
    assert verp_cell(local.upper()) == "a"
    assert verp_read(KEY, local, NOW) == verp_read([OTHER, KEY], local.upper(), NOW) == ID


def test_verp_is_frozen():
    """Bounces come back to addresses made by earlier versions."""
    assert verp_make(KEY, ID, SOON, "0") == "b0agj2dmwd2r7f7cu3bqos4p2klnvqw2yazbzmhowfgzmii4en77ztluqv"


@given(st.uuids(), st.integers(1, 400), st.datetimes(NOW.replace(tzinfo=None), datetime(2105, 1, 1)))  # noqa: DTZ001 - hypothesis asks for naive bounds
def test_verp_names_its_attempt(message_id, attempt, ends):
    ends = ends.replace(tzinfo=UTC)
    local = verp_make(KEY, message_id, ends, "a", attempt)
    assert len(local) == 58
    assert verp_open([OTHER, KEY], local.upper(), NOW - timedelta(1)) == ReturnPath(message_id, min(attempt, 255))
    assert verp_read(KEY, local, ends - timedelta(seconds=1)) == message_id
    assert kind(verp_read, KEY, local, ends + timedelta(seconds=256)) == "expired"
    assert kind(verp_read, OTHER, local, NOW) == "forged"


def test_verp_of_an_earlier_version_names_none():
    assert verp_open(KEY, verp_make(KEY, ID, SOON, "a"), NOW) == ReturnPath(ID, 0)
    local = verp_make(KEY, ID, SOON, "a", 1)
    raw = bytearray(base64.b32decode(local[2:].upper()))
    raw[19] = 2  # the attempt
    assert kind(verp_open, KEY, "ba" + base64.b32encode(raw).decode().lower(), NOW) == "forged"


@given(st.uuids(), st.integers(0, 57), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_verp_any_change_is_noticed(message_id, at, letter):
    local = verp_make(KEY, message_id, SOON, "a")
    changed = local[:at] + letter + local[at + 1 :]
    if changed != local:
        assert kind(verp_read, KEY, changed, NOW) in ("forged", "malformed")


@pytest.mark.parametrize(
    "local",
    [
        "",
        "b",
        "ba",
        "x" * 58,
        "b0" + "1" * 56,
        "b0" + "a" * 55,
        "b0" + "a" * 57,
        "b-" + "a" * 56,
        "bé" + "a" * 56,
        "b0" + "a" * 56 + "\n",
    ],
)
def test_verp_malformed(local):
    assert kind(verp_read, KEY, local, NOW) == "malformed"


def test_verp_forged_and_expired():
    local = verp_make(KEY, ID, SOON, "a")
    assert kind(verp_read, OTHER, local, NOW) == "forged"
    assert kind(verp_read, (), local, NOW) == "forged"
    assert kind(verp_read, KEY, "bb" + local[2:], NOW) == "forged"
    assert kind(verp_read, KEY, local, SOON) == "expired"
    assert kind(verp_read, OTHER, local, SOON) == "forged"
    assert verp_read(KEY, local, SOON - timedelta(seconds=1)) == ID


@given(st.binary(max_size=200))
def test_token_round(payload):
    token = make_token(KEY, "unsubscribe", payload, SOON)
    assert read_token([OTHER, KEY], "unsubscribe", token, NOW) == payload
    assert kind(read_token, KEY, "confirm", token, NOW) == "forged"
    assert kind(read_token, OTHER, "unsubscribe", token, NOW) == "forged"
    assert kind(read_token, KEY, "unsubscribe", token, SOON) == "expired"


@given(st.binary(max_size=9), st.data())
def test_token_has_one_spelling(payload, data):
    token = make_token(KEY, "cursor", payload, SOON)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        assert kind(read_token, KEY, "cursor", changed, NOW) in ("forged", "malformed")


def test_spare_bits_are_no_second_spelling():
    """The last letter of base64 may carry bits that decode to nothing."""
    token = make_token(KEY, "cursor", b"", SOON)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(token) % 4 == 3
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    assert base64.urlsafe_b64decode(twin + "=") == base64.urlsafe_b64decode(token + "=")
    assert kind(read_token, KEY, "cursor", twin, NOW) == "malformed"


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 26, "a" * 29, "a" * 28 + "=", "a" * 28 + "\n", "ä" * 40, "a+/a" * 10, "a" * 5000]
)
def test_token_malformed(token):
    assert kind(read_token, KEY, "cursor", token, NOW) == "malformed"


def test_our_own_mistakes_are_loud():
    naive = datetime(2026, 1, 1)
    for call in (
        lambda: verp_make(b"short", ID, SOON, "a"),
        lambda: verp_make(KEY, ID, naive, "a"),
        lambda: verp_make(KEY, ID, SOON, "ab"),
        lambda: verp_make(KEY, ID, SOON, "A"),
        lambda: verp_make(KEY, ID, datetime(2200, 1, 1, tzinfo=UTC), "a"),
        lambda: make_token(KEY, "Bad purpose", b"", SOON),
        lambda: make_token(KEY, "cursor", b"x" * 9000, SOON),
        lambda: read_token(KEY, "cursor", make_token(KEY, "cursor", b"", SOON), naive),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        assert not isinstance(caught.value, TokenError)


def test_zones_do_not_matter():
    there = timezone(timedelta(hours=5))
    assert verp_make(KEY, ID, SOON, "a") == verp_make(KEY, ID, SOON.astimezone(there), "a")
