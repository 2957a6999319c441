"""Bytes to JSON: one reading or none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.submission import wire
from troth.flow.submission.problem import Problem
from troth.flow.submission.strict_json import MAX_DEPTH, read


def outcome(body):
    try:
        read(body)
    except Problem as problem:
        return problem
    return None


def slug(body, reader=read):
    with pytest.raises(Problem) as caught:
        reader(body)
    assert caught.value.sentence
    return caught.value.slug


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "malformed-json"), (b" \r\n", "malformed-json"), (b"{", "malformed-json"), (b'{"a":1}x', "malformed-json"),
        (b"\xef\xbb\xbf{}", "malformed-json"), (b"{'a':1}", "malformed-json"), (b'{"a":1,}', "malformed-json"),
        (b'"a\x01"', "malformed-json"), (b"\xff", "bad-utf8"), (b'{"a":"\xed\xa0\x80"}', "bad-utf8"),
        (b'{"a":1,"b":2,"a":3}', "duplicate-key"), (b'{"x":{"a":1,"a":1}}', "duplicate-key"),
        (b'{"a":NaN}', "not-a-number"), (b"[-Infinity]", "not-a-number"), (b"1" * 5000, "bad-value"),
        (b"[" * 100_000, "too-deep"), (b"[" * 33 + b"]" * 33, "too-deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too-deep"),
    ],
)  # fmt: skip
def test_what_is_not_exactly_one_json_value(body, expected):
    assert slug(body) == expected


@pytest.mark.parametrize(
    "body", [b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, b'"%s"' % (b"[" * 50), b"[[],[]" + b",[]" * 40 + b"]"]
)
def test_depth_is_counted_not_brackets(body):
    assert read(body) == json.loads(body)


def test_half_a_surrogate_pair_is_no_text():
    assert read(b'"\\ud800"') == "\ud800"  # the first pass lets it be; the second does not
    assert slug(b'{"to":"\\ud800"}', wire.email) == "malformed-json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_json_is_read_as_everybody_reads_it(value):
    body = json.dumps(value, ensure_ascii=True).encode()
    assert read(body) == json.loads(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_problem(body):
    told = outcome(body)
    assert told is None or told.type.status == 400 or told.slug == "bad-value"
