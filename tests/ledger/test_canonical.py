"""Canonical bytes equal RFC 8785, shown against a small writer of its own; everything else is refused in words."""

import hashlib
import json
from collections import OrderedDict
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.ledger.canonical import NotCanonical, canonical, canonical_document, digest, parse_canonical

ascii_keys = st.text(st.characters(max_codepoint=127), max_size=12)
strings = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
leaves = st.dictionaries(ascii_keys, strings | integers)
documents = st.recursive(
    st.none() | st.booleans() | integers | strings,
    lambda inner: st.lists(inner) | st.dictionaries(ascii_keys, inner),
    max_leaves=25,
)


def jcs(value):
    """RFC 8785 section 3.2, written from its text and sharing nothing with the ledger's encoder."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        return '"' + "".join(short.get(ord(c), f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value) + '"'
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{jcs(key)}:{jcs(value[key])}" for key in keys) + "}"
    return "[" + ",".join(map(jcs, value)) + "]"


@given(leaves)
def test_a_leaf_is_rfc_8785(leaf):
    assert canonical(leaf) == jcs(leaf).encode()


@given(documents)
def test_a_document_is_rfc_8785_and_reads_back(document):
    data = canonical_document(document)
    assert data == jcs(document).encode()
    assert parse_canonical(data) == document
    assert digest(document) == hashlib.sha256(data).digest()


@given(leaves)
def test_the_order_of_insertion_does_not_matter(leaf):
    assert canonical(dict(reversed(leaf.items()))) == canonical(leaf)


def test_frozen_vectors():
    leaf = {"b": 1, "a": 'é\u2028\x7f/\x1f\n"\\', "B": -(2**53) + 1, "": "\U0001f600"}
    assert canonical(leaf) == (
        '{"":"\U0001f600","B":-9007199254740991,"a":"é\u2028\x7f/\\u001f\\n\\"\\\\","b":1}'.encode()
    )
    assert digest({"a": [1, True, None]}).hex() == hashlib.sha256(b'{"a":[1,true,null]}').hexdigest()


class Kind(StrEnum):
    A = "a"


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), None, True, [], {}, (), b"x", Kind.A, Number.ONE, 2**53, -(2**53), object(), "\ud800"],
)
def test_a_leaf_holds_nothing_but_strings_and_integers(value):
    with pytest.raises(NotCanonical):
        canonical({"k": value})


@pytest.mark.parametrize("key", ["é", 1, None, b"k", Kind.A, "\ud800"])
def test_keys_are_ascii_strings(key):
    for encode in (canonical, canonical_document):
        with pytest.raises(NotCanonical, match="ASCII"):
            encode({key: 1})


@pytest.mark.parametrize("value", [[], "x", 1, None, OrderedDict(a=1)])
def test_a_leaf_is_a_plain_dict(value):
    with pytest.raises(NotCanonical, match="a leaf is a dict"):
        canonical(value)


@pytest.mark.parametrize(
    "value",
    [1.5, [1.0], {"a": {"b": float("inf")}}, {1, 2}, b"x", Kind.A, Number.ONE, 2**53, [2**60], OrderedDict(), "\udfff"],
)
def test_a_document_refuses_what_has_no_canonical_form(value):
    with pytest.raises(NotCanonical) as caught:
        canonical_document(value)
    assert not caught.value.temporary


def test_the_sentence_names_the_place():
    with pytest.raises(NotCanonical, match=r"^policy\.limits\[1\]: float has no canonical form"):
        canonical_document({"policy": {"limits": [1, 0.5]}})
    with pytest.raises(NotCanonical, match=r"^the value: integers go to 2\^53-1"):
        canonical_document(2**53)


def test_depth_has_a_limit_and_recursion_does_not_crash():
    deep = []
    for _ in range(64):
        deep = [deep]
    assert canonical_document(deep) == b"[" * 65 + b"]" * 65
    with pytest.raises(NotCanonical, match="nested"):
        canonical_document([deep])
    loop = []
    loop.append(loop)
    with pytest.raises(NotCanonical, match="nested"):
        canonical_document(loop)


@pytest.mark.parametrize(
    "data",
    [b'{"a":1,"a":1}', b'{"a": 1}', b'{"b":1,"a":2}', b"1.0", b"1e2", b'"\\/"', b'"\\u0041"', b"", b"{", b"\xff", b'"\xff"',
     b"[" * 100_000, b'"\\ud800"', b"9007199254740992", b'{"\xc3\xa9":1}', b" 1", b"-0", b"NaN"],
)  # fmt: skip
def test_bytes_in_any_other_form_are_refused(data):
    with pytest.raises(NotCanonical):
        parse_canonical(data)


@given(documents)
def test_ordinary_json_is_accepted_only_when_canonical(document):
    spaced = json.dumps(document, indent=1).encode()
    if spaced != canonical_document(document):
        with pytest.raises(NotCanonical):
            parse_canonical(spaced)
