"""The wire: transparent dots, and nothing that a lenient server could read as a second message."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.mime import Assembled
from troth.mail.wire import WireError, dot_stuff, wire

SMUGGLING = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "attack-strings" / "smtp_smuggling.json"


def test_wire_order():
    assembled = Assembled(((b"From", b"a@b.example"), (b"Subject", b"x\r\n y")), b"hello\r\n")
    assert wire(b"DKIM-Signature: v=1\r\n", assembled) == (
        b"DKIM-Signature: v=1\r\nFrom: a@b.example\r\nSubject: x\r\n y\r\n\r\nhello\r\n"
    )
    assert wire(b"", assembled).startswith(b"From:")
    with pytest.raises(WireError):
        wire(b"DKIM-Signature: v=1", assembled)


@given(st.lists(st.text("ab. ", max_size=4), min_size=1, max_size=20))
def test_dots_come_back(lines):
    data = "".join(line + "\r\n" for line in lines).encode()
    stuffed = dot_stuff(data)
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed
    # A receiver's own undoing (RFC 5321 4.5.2).
    received = [line[1:] if line.startswith(b".") else line for line in stuffed.split(b"\r\n")]
    assert b"\r\n".join(received) == data


@pytest.mark.parametrize("data", [b"", b"a", b"a\n", b"a\r", b"a\rb\r\n", b"a\nb\r\n", b"a\r\r\n", b"a\n\r\n"])
def test_bare_line_ends_are_refused(data):
    with pytest.raises(WireError):
        dot_stuff(data)


def test_smuggling_sequences():
    if not SMUGGLING.exists():
        pytest.skip("the corpora are not here")
    for sequence in json.loads(SMUGGLING.read_text(encoding="utf-8"))["outbound_eod_sequences"]:
        body = b"hello" + sequence.encode() + b"MAIL FROM:<evil@example.com>\r\n"
        try:
            stuffed = dot_stuff(body)
        except WireError:
            continue
        assert b"\r\n.\r\n" not in stuffed
        assert b"\n." not in stuffed.replace(b"\r\n..", b"")
