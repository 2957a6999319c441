"""A trust document is as it was signed or it is BAD; and one that is signed and lies is BAD, too."""

import base64
from dataclasses import replace as with_
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.ledger.house import NAME, NOW, SEED, Log, claim, claim_at, document, sha

from troth.ledger import receipt
from troth.ledger.canonical import canonical_document, parse_canonical
from troth.ledger.checkpoint import sign
from troth.ledger.leaf import microseconds
from troth.ledger.note import sign_note
from troth.ledger.signed_file import WrongKey, signed_text
from troth.ledger.trust_check import Asked, verify
from troth.ledger.trust_document import Manifest, Policy, encode
from troth.ledger.verify import CannotVerify, Found

ASKED = Asked(NOW + timedelta(hours=1))


def log():
    """Four entries: an approval, and what was told of three promises."""
    made = Log()
    made.approved()
    for name, state in (("SUP-1", "holds"), ("SUP-2", "fails"), ("SUP-3", "no data yet")):
        made.told(name, state)
    return made


def claims(made):
    return [claim_at(made, 1), claim_at(made, 2, "SUP-2", "fails", shown="withdrawn", sentence=None),
            claim_at(made, 3, "SUP-3", "no data yet")]  # fmt: skip


def policy(made):
    return [Policy("operator", 3, "a" * 64, microseconds(NOW), made.entry(0))]


def good():
    made = log()
    return document(made, claims(made), policy(made))


FILE = encode(good(), SEED)
SIZE = len(FILE)


def refused(trust, match, asked=ASKED):
    with pytest.raises(Found, match=match):
        verify(encode(trust, SEED), asked)


def test_a_good_one_is_ok():
    found = verify(FILE, ASKED)
    assert (found.proved, len(found.trust.claims), found.checkpoint.size) == (3, 3, 4)
    assert verify(FILE, with_(ASKED, key=Log().key, programme="homes", host="HOMES.example.")).proved == 3


@settings(max_examples=400, deadline=None)
@given(some.integers(0, SIZE - 1), some.integers(1, 255))
def test_any_changed_byte_is_found(at, by):
    with pytest.raises(Found):
        verify(FILE[:at] + bytes((FILE[at] ^ by,)) + FILE[at + 1 :], ASKED)


@settings(max_examples=60, deadline=None)
@given(some.integers(0, SIZE - 1))
def test_what_is_cut_off_or_taken_out_is_found(at):
    for other in (FILE[:at], FILE[:at] + FILE[at + 1 :]):
        with pytest.raises(Found):
            verify(other, ASKED)


@pytest.mark.parametrize("more", [b" ", b"\n", b"\0", b"{}", FILE])
def test_what_follows_is_found(more):
    with pytest.raises(Found):
        verify(FILE + more, ASKED)


def test_another_order_is_found():
    said = parse_canonical(FILE)
    rest = b",".join(b'"%s":%s' % (name.encode(), canonical_document(said[name])) for name in ("trust", "signature"))
    with pytest.raises(Found, match="not as it was issued"):
        verify(b"{" + rest + b"}", ASKED)


def test_claims_in_another_order_are_found():
    said = parse_canonical(FILE)
    said["trust"]["claims"].reverse()
    with pytest.raises(Found, match="signature is of something else"):
        verify(canonical_document(said), ASKED)


@pytest.mark.parametrize("kind", [receipt.TYPE, "troth.bundle.v1"])
def test_a_signature_of_another_type_does_not_pass(kind):
    said = parse_canonical(FILE)
    said["signature"] = sign_note(SEED, NAME, signed_text(kind, said["trust"]))
    with pytest.raises(Found, match="something else"):
        verify(canonical_document(said), ASKED)


def test_a_document_of_another_type_does_not_pass():
    said = parse_canonical(FILE)
    said["trust"]["type"] = receipt.TYPE
    with pytest.raises(Found, match="calls itself 'troth.receipt.v1'"):
        verify(canonical_document(said), ASKED)


def test_a_checkpoint_is_no_signature_of_it():
    said = parse_canonical(FILE)
    said["signature"] = log().note()
    with pytest.raises(Found, match="something else"):
        verify(canonical_document(said), ASKED)


def test_another_signature_beside_its_own_is_found():
    said = parse_canonical(FILE)
    other = sign_note(b"o" * 32, "other", signed_text("troth.trust.v1", said["trust"]))
    said["signature"] += other.rpartition("\n\n")[2]
    with pytest.raises(Found, match="another signature"):
        verify(canonical_document(said), ASKED)


def test_another_key_is_found_with_the_right_one_at_hand():
    made = log()
    made.seed = b"z" * 32
    forged = encode(document(made, [claim_at(made, 1)], policy(made)), made.seed)
    assert verify(forged, ASKED).proved == 1  # believed, without a key
    with pytest.raises(Found, match="another key"):
        verify(forged, with_(ASKED, key=Log().key))


@pytest.mark.parametrize(("asked", "match"), [
    (with_(ASKED, at=NOW + timedelta(days=8)), "expired"),
    (with_(ASKED, at=NOW - timedelta(minutes=6)), "from the future"),
    (with_(ASKED, programme="shops"), "not of shops"),
    (with_(ASKED, host="shops.example"), "not of shops.example"),
])  # fmt: skip
def test_of_another_time_programme_or_host_it_is_bad(asked, match):
    with pytest.raises(Found, match=match):
        verify(FILE, asked)


def test_one_of_a_demo_may_be_ahead_and_no_other_clock_is_known():
    made = log()
    ahead = encode(document(made, [claim_at(made, 1)], policy(made), clock="moved"), made.seed)
    assert verify(ahead, with_(ASKED, at=NOW - timedelta(days=3))).trust.clock == "moved"
    with pytest.raises(Found, match="expired"):
        verify(ahead, with_(ASKED, at=NOW + timedelta(days=8)))
    refused(document(made, [claim_at(made, 1)], policy(made), clock="stopped"), "its clock")


def test_what_is_asked_wrongly_is_not_judged():
    with pytest.raises(CannotVerify, match="--key"):
        verify(FILE, with_(ASKED, key="nonsense+x"))
    with pytest.raises(CannotVerify, match="no checkpoint"):
        verify(FILE, with_(ASKED, since=[("kept", [])]))


def test_a_checkpoint_that_contradicts_it_is_found():
    made = log()
    same, other = made.note(), sign(SEED, NAME, 4, bytes(32), NOW)
    assert verify(FILE, with_(ASKED, since=[("kept", [same])])).compared == 1
    smaller = made.note(2, NOW - timedelta(days=1))
    assert verify(FILE, with_(ASKED, since=[("kept", [smaller])])).compared == 0
    longer = sign(SEED, NAME, 9, bytes(32), NOW - timedelta(days=1))
    for note in (other, longer):
        with pytest.raises(Found, match="rolled back"):
            verify(FILE, with_(ASKED, since=[("kept", [note])]))


# ---- signed by the ledger's own key, and not so


def lie(change, match):
    """Each as somebody with the key could sign it."""
    made = log()
    told = claims(made)
    trust = document(made, told, policy(made))
    refused(change(made, trust, told), match)


def first(claims, other):
    return [msgspec.structs.replace(claims[0], **other), *claims[1:]]


@pytest.mark.parametrize(("other", "match"), [
    ({"state": "fails"}, "claimed though it does not hold"),
    ({"state": "fails", "shown": "said"}, "was told that it holds"),
    ({"told": None}, "no entry of the"),
    ({"evidence": "c" * 64}, "not what the ledger was told"),
    ({"state": "holds", "shown": "said"}, "claimed though"),
    ({"state": "great"}, "no meaning"),
    ({"checked_at": microseconds(NOW) + 1}, "after the document was issued"),
    ({"since": microseconds(NOW) + 1}, "after the document was issued"),
    ({"checked_at": None}, "never looked at"),
    ({"scope": "programme"}, "another programme"),
    ({"id": "SUP-9"}, "another promise"),
    ({"shown": "withdrawn"}, "told though it is withdrawn"),
    ({"sentence": "It is better."}, "hashes of the sentences"),
])  # fmt: skip
def test_a_promise_that_is_not_so_is_found(other, match):
    lie(lambda made, trust, told: msgspec.structs.replace(trust, claims=first(told, other)), match)


def test_an_old_entry_of_another_state_proves_nothing():
    """Reviewers' fourth: any old entry must not do for a promise that fails now."""
    made = Log()
    made.told("SUP-1", "fails")
    refused(document(made, [claim_at(made, 0)]), "was told that it fails")


def test_a_stale_promise_rests_on_a_telling_that_it_held():
    made = Log()
    verify(encode(document(made, [claim(made, state="stale")]), SEED), ASKED)
    refused(document(made, [claim(made, state="stale", told=None, evidence=None)]), "no entry of the ledger")


def test_a_promise_without_a_control_was_not_looked_at():
    made = log()
    none = {"state": "no control yet", "evidence": None, "told": None}
    bare = claim_at(made, 1, how=None, checked_at=None, since=None, **none)
    verify(encode(document(made, [bare]), SEED), ASKED)
    refused(document(made, [claim_at(made, 1, **none)]), "has no control")


@pytest.mark.parametrize(("index", "match"), [(1, "something else"), (0, "hash")])
def test_a_policy_that_nobody_approved_is_found(index, match):
    made = log()
    level = Policy("operator", 3, "a" * 64, microseconds(NOW), made.entry(index))
    if index == 0:
        level = msgspec.structs.replace(level, entry=msgspec.structs.replace(level.entry, leaf_hash="d" * 64))
    refused(document(made, [], [level]), match)


def test_an_entry_elsewhere_or_beyond_the_checkpoint_is_found():
    made = log()
    for index in (2, 9, -1):
        entry = msgspec.structs.replace(made.entry(1), index=index)
        refused(document(made, [claim_at(made, 1, told=entry)]), "SUP-1")


def test_the_checkpoint_is_what_is_said_of_it():
    made = log()
    trust = document(made, [])
    refused(msgspec.structs.replace(trust, ledger=msgspec.structs.replace(trust.ledger, size=5)), "size or root")
    late = msgspec.structs.replace(trust.ledger, checkpoint=made.note(at=NOW + timedelta(seconds=1)))
    refused(msgspec.structs.replace(trust, ledger=late), "after it was issued")


def test_what_ends_before_it_begins_and_what_is_named_twice_is_found():
    made = log()
    trust = document(made, claims(made))
    refused(msgspec.structs.replace(trust, valid_until=trust.issued_at), "before it begins")
    refused(document(made, [claim_at(made, 1), claim_at(made, 1)]), "twice")
    refused(document(made, [], manifest=Manifest([*trust.manifest.files] * 2, {})), "twice")
    refused(document(made, [], manifest=Manifest([], {"SUP-1": sha("x")})), "sentences")


@pytest.mark.parametrize(("value", "match"), [(2**52, "from the future"), (-(2**52), "signed after")])
def test_numbers_that_no_time_has_are_found(value, match):
    refused(document(log(), [], issued_at=value, valid_until=value + 1), match)


def test_a_policy_of_another_programme_or_one_that_is_there_twice_is_found():
    made = log()
    (level,) = policy(made)
    refused(document(made, [], [level, level]), "not that of its programme")
    other = msgspec.structs.replace(level, level="programme:shops")
    refused(document(made, [], [other]), "not that of its programme")


def test_another_seed_signs_nothing():
    with pytest.raises(WrongKey):
        encode(good(), b"w" * 32)


def test_what_is_too_large_or_no_json_is_found():
    for data in (b"", b"{}", b"\xff", base64.b64encode(FILE), b" " * (2**23 + 1)):
        with pytest.raises(Found):
            verify(data, ASKED)
