"""What may not reach the wire, and what an answer may say."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.delivery.smtp_types import Answer, Envelope, envelope_fault

KEY = uuid.uuid4()


def envelope(data=b"a\r\n", reverse=b"b+x=y@bounce.example.test", forward=b"sam@example.net"):
    return Envelope(KEY, reverse, forward, data, len(data))


@pytest.mark.parametrize(
    "path",
    [
        b"sam@example.net",
        b"o'neil.x+tag=1@sub.example.net",
        b'"sam smith"@example.net',
        b'"a>b"@example.net',
        b'"quo\\"te"@example.net',
        b"sam@[192.0.2.1]",
        b"sam@[IPv6:2001:db8::1]",
        b"sam@xn--bcher-kva.example",
        b"s@" + b"a" * 252,
    ],
)
def test_mailboxes_are_sayable(path):
    assert envelope_fault(envelope(forward=path)) is None
    assert envelope_fault(envelope(reverse=path)) is None


@pytest.mark.parametrize(
    "path",
    [
        b"sam",
        b"@example.net",
        b"sam@",
        b"sam@example.net>",
        b"sam@example.net> SIZE=1",
        b"sam@example.net\r\nRCPT TO:<eve@example.com",
        b"sam\n@example.net",
        b"sam\0@example.net",
        b"sam smith@example.net",
        b'"sam\r\n"@example.net',
        b"<sam@example.net>",
        b"sam@example.net,eve@example.com",
        b"sam@exa mple.net",
        b"sam@-example.net",
        "jürgen@example.net".encode(),
        "sam@bücher.example".encode(),
        b"s@" + b"a" * 253,
    ],
)
def test_what_could_leave_the_brackets_is_not(path):
    assert "forward-path" in envelope_fault(envelope(forward=path))
    assert "reverse-path" in envelope_fault(envelope(reverse=path))


def test_only_the_reverse_path_may_be_empty():
    assert envelope_fault(envelope(reverse=b"")) is None
    assert "forward-path" in envelope_fault(envelope(forward=b""))


@pytest.mark.parametrize("data", [b"\r\n", b"..\r\n", b"..a\r\n..b\r\n", b"a\r\n\r\n..\r\n", b"caf\xc3\xa9\r\n"])
def test_well_formed_content(data):
    assert envelope_fault(envelope(data)) is None


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "end with CRLF"),
        (b"a", "end with CRLF"),
        (b"a\r\nb", "end with CRLF"),
        (b"a\n", "end with CRLF"),
        (b"a\nb\r\n", "bare"),
        (b"a\rb\r\n", "bare"),
        (b"a\n\rb\r\n", "bare"),
        (b"a\n.\nMAIL FROM:<>\r\n", "bare"),
        (b"a\r\r\n", "bare"),
        (b"a\n\r\n", "bare"),
        (b"a\0\r\n", "NUL"),
        (b".\r\n", "dot-stuffed"),
        (b".a\r\n", "dot-stuffed"),
        (b"a\r\n.\r\n", "dot-stuffed"),
        (b"a\r\n..\r\n.b\r\n", "dot-stuffed"),
        (b"a\r\n.\r\nMAIL FROM:<>\r\n", "dot-stuffed"),
    ],
)
def test_content_that_could_end_early_or_smuggle_is_refused(data, word):
    assert word in envelope_fault(envelope(data))


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\0"]), max_size=12).map(b"".join))
def test_what_passes_is_one_message_to_every_reader(data):
    """Whatever a server takes for a line's end (CRLF, LF or CR), it sees no lone dot before ours."""
    if envelope_fault(envelope(data)) is None:
        for end in (b"\r\n", b"\n", b"\r"):
            assert b"." not in [line.strip(b"\r\n") for line in data.split(end)]
        assert data.endswith(b"\r\n")


def test_an_answer_may_be_taken_exactly_when_it_is_lost():
    assert Answer(KEY, "lost", "eod", maybe_taken=True).maybe_taken
    for outcome, maybe in (("lost", False), ("unsent", True), ("accepted", True), ("refused", True)):
        with pytest.raises(ValueError, match="lost"):
            Answer(KEY, outcome, "eod", maybe_taken=maybe)
