"""The quick questions about octets give the answers of the slow ones, whatever is asked."""

import re

from hypothesis import given
from hypothesis import strategies as st

from troth.mail.bodies import HARD, dotted, paired, short_lines, text_body

OCTETS = st.binary(max_size=60) | st.text("ab\r\n. \t\0\x7f", max_size=60).map(str.encode)
LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@given(OCTETS)
def test_cr_and_lf_stand_in_pairs(data):
    assert paired(data) == (LONE.search(data) is None)


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12), st.integers(0, 12))
def test_no_line_is_longer(lines, most):
    assert short_lines(b"".join(line + b"\n" for line in lines), most) == all(len(line) <= most for line in lines)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40))
def test_a_line_is_short_up_to_the_limit_and_ends(lengths):
    data = b"".join(b"x" * n + b"\n" for n in lengths)
    assert short_lines(data, max(lengths))
    assert short_lines(data, max(lengths) - 1) is False
    assert short_lines(data + b"no end", 10_000) is False
    assert short_lines(b"", 0)


@given(OCTETS)
def test_a_dot_at_a_lines_start_is_seen(data):
    assert dotted(data) == (b"\r\n." in data)


@given(st.text("ab\n\t \x01\x7f\x0c", max_size=80))
def test_controls_leave_7bit_but_tab_and_line_end(text):
    encoding, body = text_body(text)
    assert (encoding == b"7bit") == (re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) is None)
    assert paired(body)


def test_a_line_of_998_octets_is_7bit_and_one_more_is_not():
    assert text_body("x" * HARD)[0] == b"7bit"
    assert text_body("x" * (HARD + 1))[0] == b"quoted-printable"
