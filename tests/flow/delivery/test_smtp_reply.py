"""Replies: the standard's grammar, with limits, and the same however the octets are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.delivery.smtp_reply import KNOWN_LIMIT, LINE_LIMIT, LINES_LIMIT, TEXT_LIMIT, Reply, ReplyReader


def read(*pieces):
    reader, replies = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.next()) is not None:
            replies.append((reply.code, reply.lines))
    return replies, reader.fault


@pytest.mark.parametrize(
    ("octets", "replies"),
    [
        (b"250 ok\r\n", [(250, ("ok",))]),
        (b"250\r\n", [(250, ("",))]),
        (b"250 \r\n", [(250, ("",))]),
        (b"250-a\r\n250-\r\n250 b c\r\n", [(250, ("a", "", "b c"))]),
        (b"250-a\r\n250\r\n", [(250, ("a", ""))]),
        (b"571 5.7.1 no\r\n", [(571, ("5.7.1 no",))]),
        (b"550 caf\xc3\xa9\t!\r\n", [(550, ("caf\\xc3\\xa9\t!",))]),
        (b"220 a\r\n354 b\r\n221 c\r\n", [(220, ("a",)), (354, ("b",)), (221, ("c",))]),
        (b"220 a\r\n220 a\r\n", [(220, ("a",)), (220, ("a",))]),
        (b"250-" + b"a" * (LINE_LIMIT - 6) + b"\r\n250 b\r\n", [(250, ("a" * (LINE_LIMIT - 6), "b"))]),
    ],
)
def test_replies(octets, replies):
    assert read(octets) == (replies, None)


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n",
        b"hello\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"250ok\r\n",
        b"250+ok\r\n",
        b"250 ok\n",
        b"250 o\rk\r\n",
        b"250 o\0k\r\n",
        b"250 \x1b[2J\r\n",
        b" 250 ok\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\nb\r\n",
        b"2" * (LINE_LIMIT + 1),
        b"250 " + b"a" * LINE_LIMIT + b"\r\n",
        b"250-a\r\n" * (LINES_LIMIT + 1),
    ],
)
def test_garbage_is_a_fault_and_stays_one(octets):
    replies, fault = read(octets, b"250 ok\r\n")
    assert (replies, bool(fault)) == ([], True)
    assert fault.endswith(".")


def test_half_a_reply_is_nothing_yet():
    for half in (b"", b"2", b"250 ok", b"250 ok\r", b"250-a\r\n", b"250-a\r\n25"):
        assert read(half) == ([], None)
        reader = ReplyReader()
        reader.feed(half)
        reader.next()
        assert reader.empty is (half == b"")


LINES = st.sampled_from(
    [b"250 ok\r\n", b"250-a\r\n", b"250 b\r\n", b"354 go\r\n", b"550 \xff\r\n", b"250\r\n", b"x\r\n", b"250 a\n", b"25"]
)


@given(st.lists(LINES, max_size=8).map(b"".join), st.lists(st.integers(0, 80), max_size=6))
def test_any_split_gives_the_same_replies(octets, cuts):
    places = sorted({min(cut, len(octets)) for cut in cuts})
    edges = [0, *places, len(octets)]
    pieces = [octets[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert read(*pieces) == read(octets)


@given(st.binary(max_size=300))
def test_no_octets_raise(octets):
    replies, fault = read(octets, b"\r\n")
    assert fault or replies


def test_known_replies_are_forgotten_in_time():
    reader = ReplyReader()
    for number in range(3 * KNOWN_LIMIT):
        reader.feed(b"250 ok %d\r\n250 same\r\n" % number)
        assert reader.next().lines == (f"ok {number}",)
        assert reader.next().lines == ("same",)
        assert len(reader._known) <= KNOWN_LIMIT


@pytest.mark.parametrize(
    ("code", "lines", "enhanced", "text"),
    [
        (550, ("5.1.1 No such user",), "5.1.1", "No such user"),
        (550, ("5.1.1",), "5.1.1", ""),
        (452, ("4.2.2 full", "4.2.2 very full"), "4.2.2", "full very full"),
        (550, ("4.2.2 classes differ",), None, "4.2.2 classes differ"),
        (250, ("2.0.0 queued",), "2.0.0", "queued"),
        (550, ("5.1.1.1 is an address",), None, "5.1.1.1 is an address"),
        (550, ("No such user", ""), None, "No such user"),
        (354, ("3.0.0 go",), None, "3.0.0 go"),
    ],
)
def test_enhanced_codes(code, lines, enhanced, text):
    reply = Reply.of(code, lines)
    assert (reply.enhanced, reply.text) == (enhanced, text)


def test_long_texts_are_cut():
    reply = Reply.of(550, ("x" * 900, "y" * 900))
    assert len(reply.text) == len(reply.written) == TEXT_LIMIT
