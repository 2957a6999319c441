"""Header fields: folded within limits, decoded by strangers to what was meant, never one line more."""

import email.header
import email.parser
import email.policy
import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.mail.headers import HeaderError, custom_headers, mailboxes, parameter, unstructured
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.mail.words import encoded_words

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "attack-strings"
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)


def unfolded(value):
    return value.replace(b"\r\n ", b" ")


def decoded(value):
    """RFC 2047 as an independent reader does it."""
    return str(email.header.make_header(email.header.decode_header(value.replace(b"\r\n", b"").decode())))


def lines_ok(name, value):
    lines = f"{name}: ".encode() + value
    for line in lines.split(b"\r\n"):
        assert len(line) <= 998
        assert b"=?" not in line or len(line) <= 76, line
        assert line.strip()
    assert b"\r" not in lines.replace(b"\r\n", b"")
    assert b"\n" not in lines.replace(b"\r\n", b"")
    assert lines.isascii()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Your rent", b"Your rent"),
        ("", b""),
        ("x" * 30 + " " + "y" * 60, b"x" * 30 + b"\r\n " + b"y" * 60),
        ("x  " * 30, b"x  " * 22 + b"x\r\n  " + b"x  " * 6 + b"x"),
        ("Grüße", b"=?utf-8?b?R3LDvMOfZQ==?="),
        ("Große Ankündigung for you", b"=?utf-8?q?Gro=C3=9Fe_Ank=C3=BCndigung_for_you?="),
        ("=?utf-8?q?x?=", b"=?utf-8?b?PT91dGYtOD9xP3g/PQ==?="),
    ],
)
def test_unstructured(value, expected):
    assert unstructured("Subject", value) == expected


@given(TEXT)
def test_unstructured_survives(value):
    encoded = unstructured("Subject", value)
    if encoded.strip():
        lines_ok("Subject", encoded)
    if value.isascii() and "=?" not in value:
        assert unfolded(encoded).decode().strip(" ") == value.strip(" ")
    else:
        assert decoded(encoded) == value.strip(" ")


@given(st.text("ab =?_é💶漢", min_size=1, max_size=200), st.integers(24, 75))
def test_encoded_words_split_no_character(value, first):
    words = encoded_words(value, first)
    assert len(words[0]) <= first
    assert all(len(word) <= 75 for word in words)
    for word in words:
        email.header.decode_header(word)[0][0].decode()
    assert decoded(" ".join(words).encode()) == value


def test_long_words_are_encoded():
    value = unstructured("X-Long", "y" * 1500)
    lines_ok("X-Long", value)
    assert decoded(value) == "y" * 1500


def test_long_name_leaves_room():
    value = unstructured("X" * 60, "é" * 40)
    assert decoded(value) == "é" * 40


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: x@evil", "a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b", "a\tb", "a\ud800b"]
)
def test_unstructured_refuses_controls(value):
    with pytest.raises(HeaderError) as caught:
        unstructured("Subject", value)
    assert caught.value.code == "control"


def test_mailbox_lists():
    boxes = tuple(parse_mailbox(f'"Doe, Number {n}" <user{n}@example.com>') for n in range(50))
    value = mailboxes("To", boxes)
    lines_ok("To", value)
    message = email.parser.BytesParser(policy=email.policy.SMTP).parsebytes(b"To: " + value + b"\r\n\r\n")
    assert [str(one.addr_spec) for one in message["to"].addresses] == [f"user{n}@example.com" for n in range(50)]
    assert message["to"].addresses[7].display_name == "Doe, Number 7"
    assert mailboxes("To", (parse_mailbox("a@b.example"),)) == b"a@b.example"


@given(st.lists(st.text(st.characters(categories=("L", "N", "Zs", "P")), max_size=80), min_size=1, max_size=5))
def test_mailbox_lists_survive(names):
    boxes = tuple(Mailbox(name, parse_mailbox(f"u{n}@example.com").address) for n, name in enumerate(names))
    value = mailboxes("Reply-To", boxes)
    assert all(len(line) <= 998 for line in value.split(b"\r\n"))
    message = email.parser.BytesParser(policy=email.policy.SMTP).parsebytes(b"Reply-To: " + value + b"\r\n\r\n")
    assert [one.addr_spec for one in message["reply-to"].addresses] == [box.address.addr_spec for box in boxes]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.pdf", ('filename="a.pdf"',)),
        ("Rent June (2).pdf", ('filename="Rent June (2).pdf"',)),
        ("Straße.pdf", ("filename*=utf-8''Stra%C3%9Fe.pdf",)),
        ('a";x="b', ("filename*=utf-8''a%22%3Bx%3D%22b",)),
    ],
)
def test_parameters(value, expected):
    assert parameter("filename", value) == expected


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=120))
def test_parameters_survive(value):
    assume(value == value.strip())
    line = "attachment;\r\n " + ";\r\n ".join(parameter("filename", value))
    assert line.isascii()
    assert all(len(one) <= 78 for one in line.split("\r\n"))
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(
        b"Content-Disposition: " + line.encode() + b"\r\n\r\n"
    )
    assert message.get_filename() == value


class TestCustomHeaders:
    def test_kept_in_order(self):
        given_ = {"X-Ref": "42", "In-Reply-To": "<a@b>", "Feedback-ID": "a:b:c"}
        assert custom_headers(given_) == tuple(given_.items())

    @pytest.mark.parametrize(
        "name",
        [
            "From", "to", "CC", "Bcc", "Subject", "Date", "Message-ID", "message-id", "Sender", "Reply-To", "Return-Path",
            "Received", "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature", "Authentication-Results", "MIME-Version",
            "Content-Type", "Content-Transfer-Encoding", "Content-Foo", "List-Unsubscribe", "List-Unsubscribe-Post", "Resent-To",
            "X-Mailgun-Variables", "X-SMTPAPI", "X-SES-Configuration-Set", "X-PM-Message-Stream", "TLS-Required", "X-Troth-Id",
        ],
    )  # fmt: skip
    def test_reserved(self, name):
        with pytest.raises(HeaderError) as caught:
            custom_headers({name: "x"})
        assert (caught.value.code, caught.value.field) == ("reserved", name)

    @pytest.mark.parametrize(
        "name", ["", "X Ref", "X-Ref:", "X\r\nBcc", "X\nY", "Ünï", "X\0", " From", "From ", "X" * 65, 7, "X\x7f"]
    )
    def test_names(self, name):
        with pytest.raises(HeaderError) as caught:
            custom_headers({name: "x"})
        assert caught.value.code == "name"

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("a\r\nBcc: x@evil", "control"),
            ("a\nb", "control"),
            ("\0", "control"),
            ("a\x0bb", "control"),
            ("", "value"),
            (" ", "value"),
            (7, "value"),
            ("x" * 2001, "value"),
        ],
    )
    def test_values(self, value, code):
        with pytest.raises(HeaderError) as caught:
            custom_headers({"X-Ref": value})
        assert (caught.value.code, caught.value.field) == (code, "X-Ref")

    def test_twice_and_too_many(self):
        with pytest.raises(HeaderError, match="twice"):
            custom_headers({"X-Ref": "a", "x-ref": "b"})
        with pytest.raises(HeaderError, match="more than"):
            custom_headers({f"X-{n}": "a" for n in range(41)})

    def test_attack_strings_are_inert(self):
        path = CORPORA / "python_email_header_ours.json"
        if not path.exists():
            pytest.skip("the corpora are not here")
        cases = json.loads(path.read_text(encoding="utf-8"))
        for case in cases["header_injection"]:
            for value in case["assign"].values():
                custom_headers({"X-Ref": value})
                encoded = unstructured("X-Ref", value)
                lines_ok("X-Ref", encoded)
                assert decoded(encoded) == value
                assert b"0D=0A" not in encoded
                assert b"\r" not in encoded
        for value in cases["refused_already"][:2]:
            with pytest.raises(HeaderError):
                custom_headers({"X-Ref": value})

    def test_crlf_injection_corpus(self):
        path = CORPORA / "crlfinjection.txt"
        if not path.exists():
            pytest.skip("the corpora are not here")
        for value in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                pairs = custom_headers({"X-Ref": value})
            except HeaderError:
                continue
            lines_ok("X-Ref", unstructured(*pairs[0]))
