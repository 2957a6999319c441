"""Whether a letter answers by itself (RFC 3834), told from its envelope and its header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.arrived import Arrived


def arrived(head: bytes, path: str = "ann@example.net") -> Arrived:
    return Arrived("192.0.2.7", path, head + b"\r\n\r\nAuto-Submitted: auto-replied\r\n")


@pytest.mark.parametrize(
    "head",
    [b"Subject: unsubscribe", b"", b"Auto-Submitted: no", b"auto-submitted:NO ; x=1", b"Auto-Submitted: (a) no (b)",
     b"Auto-Submitted: auto-generated", b"Auto-Submitted:", b"X-Auto-Submitted: auto-replied",
     b"Subject: a\r\n Auto-Submitted: auto-replied"],
)  # fmt: skip
def test_a_persons_own(head: bytes) -> None:
    assert not arrived(head).automatic


@pytest.mark.parametrize(
    "head",
    [b"Auto-Submitted: auto-replied", b"Subject: a\r\nAUTO-SUBMITTED : auto-replied", b"Auto-Submitted:\r\n auto-replied",
     b"Auto-Submitted: auto-notified; owner-email=x@y.example", b"Auto-Submitted: something-new"],
)  # fmt: skip
def test_a_machines(head: bytes) -> None:
    assert arrived(head).automatic


def test_a_notification_has_no_sender() -> None:
    assert arrived(b"Subject: unsubscribe", "<>").automatic


@given(st.binary(max_size=300))
def test_any_octets_are_judged(octets: bytes) -> None:
    assert Arrived("", "a@b.example", octets).automatic in (True, False)
    assert Arrived("", "a@b.example", b"Auto-Submitted: auto-replied\r\n" + octets).automatic
