"""Leaves hash as RFC 9162 says; an event's leaf and a commitment tell nothing without their salt."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.ledger.leaf import EventFields, commit, event_leaf, event_leaf_fields, leaf_hash, microseconds, node_hash

SALT = bytes(range(16))
AT = datetime(2026, 11, 22, 9, 30, 0, 123456, UTC)
FIELDS = EventFields(message="msg_1", tenant="ten_1", kind="delivered", at=AT, detail="")


def test_known_hashes_of_rfc_9162():
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    two = node_hash(leaf_hash(b""), leaf_hash(b"\x00"))
    assert two.hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


def test_a_node_stands_on_two_hashes():
    for left, right in ((b"", bytes(32)), (bytes(32), bytes(31))):
        with pytest.raises(ValueError, match="32 bytes"):
            node_hash(left, right)


def test_a_frozen_event_leaf():
    text = (
        '{"at":1795339800123456,"detail":"","kind":"delivered","message":"msg_1",'
        '"salt":"5fb0df01252e3e5646f71f78f3139bbe98e774d33177a9d2dfe0910d4d5874bc",'
        '"tenant":"ten_1","type":"troth.event.v1"}'
    )
    assert json.dumps(event_leaf_fields(SALT, FIELDS), separators=(",", ":"), sort_keys=True) == text
    assert event_leaf(SALT, FIELDS) == hashlib.sha256(b"\x00" + text.encode()).digest()


def test_the_shown_salt_does_not_open_the_detail():
    """Whoever may see the leaf, and not the detail, cannot try details out."""
    shown = bytes.fromhex(event_leaf_fields(SALT, FIELDS)["salt"])
    assert commit(shown, "{}") != commit(SALT, "{}")
    assert commit(shown[:16], "{}") != commit(SALT, "{}")


@pytest.mark.parametrize("change", ["message", "tenant", "kind", "detail"])
def test_each_field_and_the_salt_change_the_leaf(change):
    values = {"message": "msg_1", "tenant": "ten_1", "kind": "delivered", "at": AT, "detail": ""}
    assert event_leaf(SALT, EventFields(**values | {change: "other"})) != event_leaf(SALT, FIELDS)
    later = EventFields(**values | {"at": AT + timedelta(microseconds=1)})
    assert event_leaf(SALT, later) != event_leaf(SALT, FIELDS)
    assert event_leaf(SALT[::-1], FIELDS) != event_leaf(SALT, FIELDS)


def test_the_same_instant_in_another_zone_is_the_same_leaf():
    there = EventFields("msg_1", "ten_1", "delivered", AT.astimezone(timezone(timedelta(hours=5))), "")
    assert event_leaf(SALT, there) == event_leaf(SALT, FIELDS)


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        EventFields("m", "t", "k", datetime(2026, 1, 1), "")  # noqa: DTZ001 - the naive one is the point


@given(st.datetimes(datetime(1970, 1, 1), datetime(2255, 1, 1)))
def test_microseconds_are_exact(at):
    assert datetime(1970, 1, 1) + timedelta(microseconds=microseconds(at.replace(tzinfo=UTC))) == at


def test_a_commitment_is_frozen_and_bound_to_salt_and_value():
    want = hashlib.sha256(b"troth.commitment.v1\x00\x10" + SALT + "jörg@example.org".encode()).hexdigest()
    assert commit(SALT, "jörg@example.org") == want
    assert commit(SALT, "x") != commit(SALT[::-1], "x")
    # Where the salt ends is committed to as well.
    assert commit(SALT, "xy") != commit(SALT + b"x", "y")


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(256)])
def test_a_salt_that_is_too_short_or_too_long_is_refused(salt):
    with pytest.raises(ValueError, match="16 to 255"):
        commit(salt, "x")
    with pytest.raises(ValueError, match="16 to 255"):
        event_leaf(salt, FIELDS)


def root_of(index, size, leaf, proof):
    """RFC 9162 section 2.1.3.2, as a verifier would: the root that an inclusion proof leads to."""
    last, path = size - 1, list(proof)
    while last > 0:
        if index % 2:
            leaf = node_hash(path.pop(0), leaf)
        elif index < last:
            leaf = node_hash(leaf, path.pop(0))
        # else: a right-most node without a sibling goes up as it is
        index, last = index // 2, last // 2
    assert not path
    return leaf


def test_hashes_agree_with_the_shared_inclusion_proofs():
    corpora = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
    if not corpora.exists():
        pytest.skip("the shared corpora are not here")
    cases = [
        json.loads(file.read_text()) for file in corpora.glob("merkle-tlog/merkle-testdata/inclusion/*/happy-path.json")
    ]
    assert cases
    for case in cases:
        leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
        proof = [base64.b64decode(item) for item in case["proof"] or ()]
        assert root_of(case["leafIdx"], case["treeSize"], leaf, proof) == root
