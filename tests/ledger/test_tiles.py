"""Tiles lie where C2SP tlog-tiles says, and a log that others published reads here as it was signed."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.naive import leaves, root

from troth.ledger.checkpoint import parse_body
from troth.ledger.leaf import leaf_hash
from troth.ledger.note import open_note, parse_vkey
from troth.ledger.tiles import (
    BadBundle,
    Tile,
    TileRows,
    bundles,
    decode_bundle,
    encode_bundle,
    levels,
    number_path,
    tiles,
)
from troth.ledger.tree import Tree, merkle_root

TESSERA = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "merkle-tlog" / "tessera-log"
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
PARTIAL = re.compile(r"000(?:\.p/(\d+))?$")


def test_a_tiles_path_is_the_standards():
    assert Tile(0, 1234067, 256).path == "tile/0/x001/x234/067"
    assert Tile(1, 5, 3).path == "tile/1/005.p/3"
    assert Tile(-1, 1000, 256).path == "tile/entries/x001/000"
    assert number_path(0) == "000"
    assert number_path(999) == "999"


def test_which_tiles_a_log_has():
    assert [t.path for t in bundles(513)] == ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"]
    assert [t.path for t in tiles(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [t.path for t in tiles(70_000)][-2:] == ["tile/1/001.p/17", "tile/2/000.p/1"]
    assert list(tiles(0)) == list(bundles(0)) == list(levels(0)) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1100))
def test_the_rows_of_a_growing_log_are_its_tiles(size):
    hashes, tree, rows = leaves(size), Tree(), TileRows()
    made = dict(each for hashed in hashes for each in rows.take(hashed, tree.append(hashed)))
    made |= dict(rows.rest())
    assert set(made) == set(tiles(size))
    for tile, data in made.items():
        step = 256**tile.level
        first = tile.number * 256
        want = [root(hashes[n * step : (n + 1) * step]) for n in range(first, first + tile.width)]
        assert data == b"".join(want)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_a_bundle_is_read_back_and_only_whole(entries):
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    for bad, width in [(data[:-1], len(entries)), (data + b"\0", len(entries)), (data, len(entries) + 1)]:
        with pytest.raises(BadBundle):
            decode_bundle(bad, width)


def test_an_entry_too_long_for_a_bundle_is_refused():
    assert decode_bundle(encode_bundle([bytes(65535)]), 1) == [bytes(65535)]
    with pytest.raises(BadBundle, match="longer than the 65535"):
        encode_bundle([bytes(65536)])


def test_a_log_of_tessera_reads_as_it_was_signed():
    found = sorted(path for path in TESSERA.rglob("*") if path.is_file())
    if not found:
        pytest.skip("this log is not here")
    widths = {path: int(match[1] or 256) for path in found if (match := PARTIAL.search(path.as_posix()))}
    entries = max((p for p in widths if "entries" in p.parts), key=lambda path: widths[path])
    hashes = [leaf_hash(each) for each in decode_bundle(entries.read_bytes(), widths[entries])]
    for path in (
        p for p in widths if "entries" not in p.parts and p.relative_to(TESSERA).as_posix().find("tile/0/") >= 0
    ):
        assert path.read_bytes() == b"".join(hashes[: widths[path]])
    signed = [path for path in found if path.name.startswith("checkpoint")]
    assert signed
    for path in signed:
        body = parse_body(open_note(path.read_bytes(), parse_vkey(TESSERA_KEY)))
        assert body.root == merkle_root(hashes[: body.size])
