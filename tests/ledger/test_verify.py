"""The judge by itself: a walk accepts one form of one history, and says in words what is not of it."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.ledger.canonical import canonical
from troth.ledger.checkpoint import Checkpoint, sign
from troth.ledger.leaf import leaf_hash
from troth.ledger.note import parse_vkey, sign_note, vkey
from troth.ledger.tree import EMPTY_ROOT, merkle_root
from troth.ledger.verify import (
    SEAL,
    CannotVerify,
    Found,
    Walk,
    batch_hashes,
    check_batch,
    check_note,
    fields_of,
    read_key,
    read_since,
    trusted,
)

SEED, ORIGIN = bytes(range(32)), "troth/x/1"
KEY = parse_vkey(vkey(ORIGIN, SEED))
AT = datetime(2026, 11, 22, tzinfo=UTC)


def leaf(number, **more):
    return canonical({"at": number, "kind": "people:session:open", "tenant": "", **more})


LEAVES = [leaf(n) for n in range(5)]
ROOTS = [merkle_root([leaf_hash(each) for each in LEAVES[:size]]) for size in range(6)]


def held(size, root=None):
    return Checkpoint(ORIGIN, size, ROOTS[size] if root is None else root, AT)


def walked(*since):
    walk = Walk(since)
    for index, data in enumerate(LEAVES):
        walk.leaf(index, data)
    walk.since.end(walk.size)
    return walk


def test_a_walk_comes_through_every_checkpoint_that_is_held():
    walk = walked(held(5), held(0), held(3), held(3))
    assert (walk.size, walk.root(), walk.since.passed) == (5, ROOTS[5], 4)


def test_a_checkpoint_that_the_walk_does_not_come_through_is_a_rollback():
    with pytest.raises(Found, match="entry 2: rolled back: the checkpoint of 3 entries"):
        walked(held(3, bytes(32)))
    with pytest.raises(Found, match="rolled back: the checkpoint of 0 entries"):
        Walk([held(0, bytes(32))])
    with pytest.raises(Found, match="entry 5: rolled back: .* saw 9 entries, this ledger has 5"):
        walked(held(9, EMPTY_ROOT))


def test_a_gap_is_named_by_the_entry_that_is_not_there():
    walk = Walk()
    walk.leaf(0, LEAVES[0])
    with pytest.raises(Found, match="entry 1: it is missing; the next that is there is 3") as found:
        walk.leaf(3, LEAVES[3])
    assert found.value.index == 1
    with pytest.raises(Found, match="entry 1: in its place is one that calls itself 0"):
        walk.leaf(0, LEAVES[0])


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\xff", b'{"at":1,"kind":"a"}', b'{"at":"1","kind":"a","tenant":""}', LEAVES[0] + b" ",
     b'{"at":1,"kind":"a","tenant":"","x":[]}', b'{"kind":"a","at":1,"tenant":""}', b'{"at":1.0,"kind":"a","tenant":""}',
     b'{"at":true,"kind":"a","tenant":""}', b'{"at":1,"at":1,"kind":"a","tenant":""}'],
)  # fmt: skip
def test_a_leaf_has_one_form_and_says_when_what_and_whose(data):
    with pytest.raises(Found):
        fields_of(data)


def sealing(hashes, **other):
    fields = {"count": len(hashes), "root": merkle_root(hashes).hex(), "kind": SEAL} | other
    return Walk().leaf(0, leaf(0, **fields))


def test_a_batch_is_what_its_leaf_seals():
    hashes = [bytes([n]) * 32 for n in range(7)]
    check_batch(sealing(hashes), hashes)
    assert batch_hashes(sealing(hashes), b"".join(hashes)) == hashes
    for entry, bad, words in [
        (sealing(hashes), hashes[:-1], "seals 7 events, its batch has 6"),
        (sealing(hashes), hashes[::-1], "another root"),
        (sealing(hashes, count="7"), hashes, "seals 7 events"),
        (sealing(hashes, root=""), hashes, "another root"),
    ]:
        with pytest.raises(Found, match=words):
            check_batch(entry, bad)
    with pytest.raises(Found, match="cut off"):
        batch_hashes(sealing(hashes), bytes(33))


def test_a_checkpoint_is_of_its_place_and_signed_by_its_key_alone():
    note = sign(SEED, ORIGIN, 3, ROOTS[3], AT)
    assert check_note(note, KEY, 3, ROOTS[3]).at == AT
    more = note + sign_note(SEED, ORIGIN, "x\n").split("\n\n")[1]
    for bad, size, root, words in [
        (note, 2, ROOTS[3], "entry 1: the checkpoint kept for 2 entries says 3"),
        (note, 3, ROOTS[2], "entry 2: the leaves make another root"),
        (more, 3, ROOTS[3], "cannot be believed"),
        (note + sign_note(SEED, "other", "x\n").split("\n\n")[1], 3, ROOTS[3], "2 signatures"),
    ]:
        with pytest.raises(Found, match=words):
            check_note(bad, KEY, size, root)


def test_the_key_is_the_one_that_is_trusted():
    own = vkey(ORIGIN, SEED)
    assert trusted(None, own) == trusted(f" {own}\n", own) == read_key(own) == KEY
    with pytest.raises(Found, match="another key"):
        trusted(vkey(ORIGIN, bytes(32)), own)
    with pytest.raises(CannotVerify, match="--key"):
        trusted("x", own)
    with pytest.raises(Found, match="not one"):
        trusted(None, "x")


def test_what_is_held_is_of_this_log_or_is_not_judged():
    mine, other = sign(SEED, ORIGIN, 1, ROOTS[1], AT), sign(SEED, "troth/y/1", 1, ROOTS[1], AT)
    assert read_since([mine, mine], KEY, "f") == [held(1)] * 2
    for notes, words in [([], "no checkpoint"), (["x"], "not a checkpoint"), ([mine, other], "of another log")]:
        with pytest.raises(CannotVerify, match=words):
            read_since(notes, KEY, "f")
    forged = sign(bytes(32), ORIGIN, 1, ROOTS[1], AT + timedelta(1))
    with pytest.raises(Found, match="this checkpoint is false"):
        read_since([forged], KEY, "f")


def test_words_before_a_checkpoint_are_no_crash():
    with pytest.raises(CannotVerify, match="not a checkpoint"):
        read_since(["$ troth ledger checkpoint\n" + sign(SEED, ORIGIN, 1, bytes(32), AT)], KEY, "f")
