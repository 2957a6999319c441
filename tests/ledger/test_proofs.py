"""Proofs are those of RFC 9162's text; a true one verifies, and none that differs from it in anything does."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.naive import leaves, path, proof, root

from troth.ledger.proofs import (
    BadProof,
    assemble,
    consistency_ranges,
    inclusion_ranges,
    plan,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from troth.ledger.tree import EMPTY_ROOT, Tree

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "merkle-tlog" / "merkle-testdata"


def octets(text):
    return base64.b64decode(text or "")


def verified(kind, case):
    """Verifies a case of the corpus; its kind is its folder."""
    steps = [octets(each) for each in case["proof"] or []]
    match kind:
        case "inclusion":
            args = case["leafIdx"], case["treeSize"], octets(case["leafHash"]), steps, octets(case["root"])
            verify_inclusion(*args)
        case "subtreeinclusion":
            args = case["leafIdx"], case["start"], case["end"], octets(case["leafHash"]), steps, octets(case["root"])
            verify_subtree_inclusion(*args)
        case "consistency":
            args = case["size1"], case["size2"], steps, octets(case["root1"]), octets(case["root2"])
            verify_consistency(*args)
        case "subtreeconsistency":
            args = case["start"], case["end"], case["size"], steps, octets(case["root1"]), octets(case["root2"])
            verify_subtree_consistency(*args)


@pytest.mark.parametrize("kind", ["inclusion", "subtreeinclusion", "consistency", "subtreeconsistency"])
def test_every_case_of_the_corpus_is_judged_as_it_says(kind):
    files = sorted((CORPUS / kind).rglob("*.json"))
    if not files:
        pytest.skip("the corpora are not beside this tree")
    wrong = []
    for file in files:
        case = json.loads(file.read_text())
        try:
            verified(kind, case)
            good = True
        except BadProof:
            good = False
        if good is bool(case.get("wantErr")):
            wrong.append((str(file), case["desc"]))
    assert wrong == []


def grown(size):
    hashes, tree = leaves(size), Tree()
    nodes = {(0, index): hashed for index, hashed in enumerate(hashes)}
    for hashed in hashes:
        nodes |= {(level, index): made for level, index, made in tree.append(hashed)}
    return hashes, nodes


trees = st.integers(1, 90).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


@settings(deadline=None)
@given(trees)
def test_an_inclusion_proof_is_the_texts_and_verifies(tree):
    size, index = tree
    hashes, nodes = grown(size)
    made = assemble(plan(inclusion_ranges(index, 0, size)), nodes)
    assert made == path(index, hashes)
    verify_inclusion(index, size, hashes[index], made, root(hashes))


@settings(deadline=None)
@given(trees)
def test_a_consistency_proof_is_the_texts_and_verifies(tree):
    size, less = tree
    hashes, nodes = grown(size)
    made = assemble(plan(consistency_ranges(0, less + 1, size)), nodes)
    assert made == proof(less + 1, hashes)
    verify_consistency(less + 1, size, made, root(hashes[: less + 1]), root(hashes))


@st.composite
def subtrees(draw):
    """(start, end, size): any subtree of any tree of up to 100 leaves."""
    size = draw(st.integers(1, 70))
    length = draw(st.integers(1, size))
    step = 1 << (length - 1).bit_length()
    start = step * draw(st.integers(0, (size - length) // step))
    return start, start + length, size


@settings(deadline=None)
@given(subtrees(), st.data())
def test_a_subtrees_proofs_verify(subtree, data):
    start, end, size = subtree
    hashes, nodes = grown(size)
    index = data.draw(st.integers(start, end - 1))
    inside = assemble(plan(inclusion_ranges(index, start, end)), nodes)
    assert inside == path(index - start, hashes[start:end])
    verify_subtree_inclusion(index, start, end, hashes[index], inside, root(hashes[start:end]))
    across = assemble(plan(consistency_ranges(start, end, size)), nodes)
    verify_subtree_consistency(start, end, size, across, root(hashes[start:end]), root(hashes))


@settings(deadline=None)
@given(subtrees(), st.data())
def test_a_proof_that_differs_in_anything_is_refused(subtree, data):
    start, end, size = subtree
    hashes, nodes = grown(size)
    steps = assemble(plan(consistency_ranges(start, end, size)), nodes)
    args = {
        "start": start,
        "end": end,
        "size": size,
        "proof": steps,
        "subtree": root(hashes[start:end]),
        "root": root(hashes),
    }
    what = data.draw(st.sampled_from(["longer", "subtree", "root", *(["shorter", "step"] if steps else [])]))
    match what:
        case "longer":
            args["proof"] = [*steps, bytes(32)]
        case "shorter":
            args["proof"] = steps[:-1]
        case "step":
            at = data.draw(st.integers(0, len(steps) - 1))
            args["proof"] = [*steps[:at], bytes(32), *steps[at + 1 :]]
        case _:
            args[what] = bytes(32)
    with pytest.raises(BadProof):
        verify_subtree_consistency(**args)


def test_what_cannot_be_proved_is_refused_in_words():
    for ask, words in [
        (lambda: inclusion_ranges(3, 0, 3), "not one of"),
        (lambda: inclusion_ranges(1, 1, 3), "not a subtree"),
        (lambda: consistency_ranges(0, 4, 3), "nothing to prove"),
        (lambda: consistency_ranges(2, 2, 3), "nothing to prove"),
        (lambda: verify_consistency(0, 3, [], EMPTY_ROOT, bytes(32)), "cannot be shown to extend"),
        (lambda: verify_inclusion(3, 3, bytes(32), [], bytes(32)), "not one of"),
        (lambda: verify_inclusion(0, 1, b"x", [], b"x"), "32 bytes"),
        (lambda: verify_subtree_consistency(-1, 1, 3, [], b"", b""), "not a range"),
        (lambda: verify_subtree_consistency(0, 4, 3, [], b"", b""), "does not lie in a tree"),
        (lambda: verify_subtree_consistency(2, 2, 3, [], bytes(32), b""), "empty subtree"),
    ]:
        with pytest.raises(BadProof, match=words):
            ask()


def test_a_proof_is_not_made_of_nodes_that_are_not_there():
    with pytest.raises(KeyError):
        assemble(plan(inclusion_ranges(0, 0, 2)), {})
