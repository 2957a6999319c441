"""The tree grows as RFC 9162 says a tree of its leaves is, and goes on from its stored nodes as if never interrupted."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.naive import leaves, root

from troth.ledger.leaf import leaf_hash
from troth.ledger.tree import EMPTY_ROOT, Tree, fold, frontier, merkle_root, split

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "merkle-tlog" / "merkle-testdata"
# the leaves of RFC 6962's reference trees, and the roots of their first 1 to 8
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_known_roots_of_the_reference_trees():
    hashes = [leaf_hash(bytes.fromhex(each)) for each in INPUTS]
    assert [merkle_root(hashes[:size]).hex() for size in range(1, 9)] == ROOTS
    assert merkle_root([]) == EMPTY_ROOT == Tree().root()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_corpus_knows_the_same_trees():
    file = CORPUS / "rfc6962_tree_vectors.json"
    if not file.exists():
        pytest.skip("these vectors are not here")
    text = json.dumps(json.loads(file.read_text())).lower()
    known = {root.hex() in text or _base64(root) in text for root in map(bytes.fromhex, ROOTS)}
    assert known == {True}


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode().lower()


@settings(deadline=None)
@given(st.integers(0, 70))
def test_a_growing_tree_has_the_root_of_its_leaves_at_every_size(size):
    hashes, tree = leaves(size), Tree()
    for count, hashed in enumerate(hashes):
        assert tree.size == count
        assert tree.root() == root(hashes[:count]) == merkle_root(hashes[:count])
        tree.append(hashed)
    assert tree.root() == root(hashes)


@settings(deadline=None)
@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_resumed_from_its_frontier_goes_on_as_if_it_had_never_stopped(size, more):
    hashes, tree = leaves(size + more), Tree()
    nodes = [(0, index, hashed) for index, hashed in enumerate(hashes[:size])]
    for hashed in hashes[:size]:
        nodes += tree.append(hashed)
    again = Tree.resume(size, nodes)
    for hashed in hashes[size:]:
        assert again.append(hashed) == tree.append(hashed)
    assert (again.size, again.root()) == (tree.size, tree.root())


@settings(deadline=None)
@given(st.integers(0, 140))
def test_every_complete_subtree_is_completed_once_by_its_last_leaf(size):
    hashes, tree, seen = leaves(size), Tree(), {}
    for index, hashed in enumerate(hashes):
        for level, number, node in tree.append(hashed):
            assert (number + 1) << level == index + 1
            assert node == root(hashes[number << level : (number + 1) << level])
            seen[level, number] = node
    assert len(seen) == sum(size >> level for level in range(1, size.bit_length()))
    assert fold([seen.get(place) or hashes[place[1]] for place in frontier(size)]) == root(hashes)


def test_a_tree_is_not_resumed_without_each_node_of_its_frontier():
    with pytest.raises(ValueError, match="node 0 of level 1 is needed"):
        Tree.resume(3, [(0, 2, bytes(32))])
    with pytest.raises(ValueError, match="fewer than 0"):
        list(frontier(-1))


def test_a_hash_has_32_bytes():
    with pytest.raises(ValueError, match="32 bytes"):
        Tree().append(b"short")
    with pytest.raises(ValueError, match="whole number of hashes"):
        split(bytes(33))
    assert split(bytes(64)) == [bytes(32)] * 2
