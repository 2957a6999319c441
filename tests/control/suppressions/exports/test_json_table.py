"""JSON of any shape that an export has is read as rows, in whichever pieces it comes, and in little memory."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.imports.importer import Unreadable
from troth.control.suppressions.exports import tables
from troth.control.suppressions.exports.json_table import JsonTable

_CELLS = st.text(st.characters(exclude_categories=["Cs"])).map(str.strip)
_ROWS = st.lists(st.fixed_dictionaries({"email": _CELLS, "reason": _CELLS}), min_size=1, max_size=8)


def pieces(octets, size):
    return iter([octets[n : n + size] for n in range(0, len(octets), size)])


def rows(octets, size=1 << 16):
    table = JsonTable(pieces(octets, size))
    return table.header, [line.cells for line in table]


@given(_ROWS, st.integers(1, 9), st.booleans(), st.integers(0, 3))
def test_each_shape_gives_the_same_rows_in_any_pieces(some, size, escaped, shape):
    text = json.dumps(some, ensure_ascii=escaped)
    if shape == 1:
        text = f'{{"items": {text}, "paging": {{"next": "x"}}, "total": 7}}'
    elif shape == 2:
        text = "\n".join(json.dumps(each, ensure_ascii=escaped) for each in some)
    elif shape == 3:
        text = json.dumps({"a": None, "Suppressions": some}, indent=2, ensure_ascii=escaped)
    header, got = rows(text.encode(), size)
    assert set(header) == {"email", "reason"}
    assert [dict(zip(header, each, strict=True)) for each in got] == some


@given(st.binary(max_size=200), st.integers(1, 50))
def test_anything_else_is_refused_in_a_sentence(octets, size):
    try:
        table = tables.opened(pieces(octets, size))
        for line in table:
            assert line.number >= 1
    except Unreadable as why:
        assert len(str(why)) > 20  # noqa: PT017 - either way is fine


@given(st.text('[]{}",:ae1 \n\\', max_size=60), st.integers(1, 9))
def test_broken_json_is_refused_or_read_and_never_loops(text, size):
    try:
        list(JsonTable(pieces(b"[" + text.encode(), size)))
    except Unreadable:
        pass


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"items": []}', '[{"email": "a@x.example"}', '[{"email": "a@x.example"} {"email": 1}]', "[1,2",
    '{"email": NaN}', '[{"email": "a", }]', '{"items": [{"email": "a"}]', '{"a" 1}', '{"a": 1; "b": 2}', "[" * 100_000,
    '[{"email": "' + "x" * 300_000 + '"}]', "nonsense", '[{"email": ' + "9" * 5000 + "}]",
])  # fmt: skip
def test_no_entries_or_no_json(text):
    with pytest.raises(Unreadable):
        list(JsonTable(pieces(text.encode(), 4096)))


def test_a_lines_number_is_its_entrys_since_many_may_stand_on_one_line():
    text = '{\n"items": [\n {"email": "a"},\n\n 7,\n {"email":\n "b"}]}\n\n[{"email": "c", "more": 1}]'
    table = JsonTable(pieces(text.encode(), 5))
    assert [(line.number, line.cells, bool(line.fault)) for line in table] == [
        (1, ("a", ""), False), (2, (), True), (3, ("b", ""), False), (4, ("c", "1"), False)]  # fmt: skip


def test_what_is_no_utf_8_says_so():
    with pytest.raises(Unreadable, match="no UTF-8"):
        list(JsonTable(pieces('[{"email": "é@x.example"}]'.encode("latin-1"), 8)))
    assert JsonTable(pieces('[{"email": "é"}]'.encode("utf-16"), 64)).encoding.startswith("UTF-16, JSON")


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["list", "around", "lines", "csv"])
def test_a_million_rows_in_little_memory(shape):
    """200,000 here: what is held does not depend on how many there are."""
    many = 200_000

    def parts():
        begin, between, end = {"list": ("[", ",", "]"), "around": ('{"items":[', ",\n", '],"paging":{}}'),
                               "lines": ("", "\n", ""), "csv": ("email,reason\n", "\n", "")}[shape]  # fmt: skip
        yield begin.encode()
        for n in range(0, many, 1000):
            each = [f"a{m}@x.example,BOUNCE" if shape == "csv" else f'{{"email":"a{m}@x.example","reason":"BOUNCE"}}'
                    for m in range(n, n + 1000)]  # fmt: skip
            yield ((between if n else "") + between.join(each)).encode()
        yield end.encode()

    tracemalloc.start()
    try:
        assert sum(1 for _ in tables.opened(parts())) == many
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
