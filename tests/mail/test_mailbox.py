"""Mailboxes: as people write them, and as one line of ASCII that says the same."""

import email.headerregistry
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.address import AddressError, parse_address
from troth.mail.mailbox import Mailbox, parse_mailbox

ADDRESS = parse_address("a@b.example")


@pytest.mark.parametrize(
    ("text", "name", "header"),
    [
        ("a@b.example", "", "a@b.example"),
        (" a@b.example\t", "", "a@b.example"),
        ("<a@b.example>", "", "a@b.example"),
        ("Jo <a@b.example>", "Jo", "Jo <a@b.example>"),
        ("Jo<a@b.example>", "Jo", "Jo <a@b.example>"),
        ("  Jo   Doe  <a@b.example> ", "Jo Doe", "Jo Doe <a@b.example>"),
        ('"Doe, Jo" <a@b.example>', "Doe, Jo", '"Doe, Jo" <a@b.example>'),
        ('"Jo \\"X\\" \\\\" <a@b.example>', 'Jo "X" \\', '"Jo \\"X\\" \\\\" <a@b.example>'),
        ("Acme Inc. <a@b.example>", "Acme Inc.", '"Acme Inc." <a@b.example>'),
        ("O'Neil & Sons <a@b.example>", "O'Neil & Sons", "O'Neil & Sons <a@b.example>"),
        ("Jøran <a@b.example>", "Jøran", "=?utf-8?b?SsO4cmFu?= <a@b.example>"),
        ("=?utf-8?q?a=0D=0ABcc:_x=40evil?= <a@b.example>", None, None),
        (
            '"=?utf-8?q?a=0D=0ABcc?=" <a@b.example>',
            "=?utf-8?q?a=0D=0ABcc?=",
            "=?utf-8?b?PT91dGYtOD9xP2E9MEQ9MEFCY2M/PQ==?= <a@b.example>",
        ),
        ('"<x>" <a@b.example>', "<x>", '"<x>" <a@b.example>'),
    ],
)
def test_forms(text, name, header):
    if name is None:
        with pytest.raises(AddressError):
            parse_mailbox(text)
        return
    box = parse_mailbox(text)
    assert (box.name, box.header()) == (name, header)
    assert box.address.domain == "b.example"


@pytest.mark.parametrize(
    "text",
    [
        "", None, 7, "Jo", "Jo a@b.example", "Doe, Jo <a@b.example>", "Jo (x) <a@b.example>", "Jo <a@b.example> x",
        "Jo <a@b.example", "Jo a@b.example>", "<a@b.example>, <c@d.example>", "x@y.example <a@b.example>", "Group: <a@b.example>",
        "Team: a@b.example;", "<@relay.example:a@b.example>", "Jo\r\nBcc: x <a@b.example>", "Jo\x00 <a@b.example>", "a\n@b.example",
        "\u202eoJ <a@b.example>", '"Jo <a@b.example>', "<<a@b.example>>", "<>", "Jo <>", "x" * 300 + " <a@b.example>", "x" * 3000 + " <a@b.example>",
        '"' + "\\" * 900 + " <a@b.example>",
    ],
)  # fmt: skip
def test_refused_in_words(text):
    with pytest.raises(AddressError) as caught:
        parse_mailbox(text)
    assert caught.value.hint.endswith(".")


def test_quoted_local_part_in_brackets():
    assert parse_mailbox('Jo <"a>b"@c.example>').address.local == '"a>b"'


def test_text_form():
    assert str(Mailbox("Jo", ADDRESS)) == "Jo <a@b.example>"
    assert str(Mailbox("", ADDRESS)) == "a@b.example"


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=100))
def test_every_name_survives(name):
    """What we write, an independent reader reads as the same name and address."""
    try:
        box = Mailbox(name, ADDRESS)
    except AddressError:
        return
    line = box.header()
    assert line.isascii()
    assert line.isprintable()
    header = email.policy.default.header_factory("From", line)
    assert isinstance(header, email.headerregistry.BaseHeader)
    (read,) = header.addresses
    assert read.addr_spec == "a@b.example"
    if name.isascii() and "=?" not in name:
        assert read.display_name.split() == name.split()
