"""Encoded words of a subject, as a page shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.messages.encoded import readable
from troth.mail.words import encoded_words

NOTHING_DROPPED = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("=?utf-8?q?Rent_of_=C2=A3900?=", "Rent of £900"),
        ("=?UTF-8?B?wqM5MDA=?= is due", "£900 is due"),
        ("=?utf-8?q?a?= =?iso-8859-1?Q?=A3b?=", "a£b"),  # the blank between two is no blank
        ("=?utf-8?q?a?= and =?us-ascii*en?q?b?=", "a and b"),
        ("=?utf-8?q?=C2?=", "=?utf-8?q?=C2?="),
        ("=?utf-8?q?=C?= =?utf-8?q?b?=", "=?utf-8?q?=C?= b"),
        ("=?utf-8?b?w*?=", "=?utf-8?b?w*?="),
        ("=?us-ascii?q?=C2=A3?=", "=?us-ascii?q?=C2=A3?="),
        ("=?koi8-r?q?a?=", "=?koi8-r?q?a?="),
        ("=?utf-8?q?a=0D=0ABcc:_x=00?=", "aBcc: x"),
        ("=?utf-8?q?a=E2=80=AEb?=", "ab"),
        ("Rent is due?=", "Rent is due?="),
    ],
)
def test_it_reads_as_its_reader_saw_it(sent, shown):
    assert readable(sent) == shown


@given(NOTHING_DROPPED)
def test_what_we_encode_is_what_is_shown(text):
    assert readable(" ".join(encoded_words(text))) == text


@given(st.text())
def test_whatever_came_it_is_one_line(text):
    assert len(readable(text).splitlines()) < 2
