"""Variables: a schema is data, and what does not fit it is told field by field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.samples import largest, smallest
from troth.mail.schema import MAX_BYTES, check_schema
from troth.mail.variables import check

SCHEMA = {
    "name": {"type": "string", "max_length": 20},
    "kind": {"type": "string", "enum": ["rent", "deposit"]},
    "note": {"type": "string", "required": False, "description": "for people"},
    "link": {"type": "url", "required": False},
    "due": {"type": "date", "required": False},
    "at": {"type": "datetime", "required": False},
    "count": {"type": "integer", "required": False},
    "stars": {"type": "integer", "enum": [1, 2, 3], "required": False},
    "total": {"type": "number", "required": False},
    "paid": {"type": "boolean", "required": False},
    "lines": {"type": "list", "max_items": 3, "required": False, "items": {"type": "object", "properties": {"n": {"type": "string"}, "p": {"type": "number", "required": False}}}},
    "tags": {"type": "list", "required": False, "items": {"type": "string"}},
}  # fmt: skip
GOOD = {"name": "Jo", "kind": "rent"}


def faults(variables, schema=SCHEMA):
    found = check(variables, schema)
    assert all(one.hint.endswith((".", ";")) or one.hint for one in found)
    return [(one.field, one.code) for one in found]


def test_schema_is_good():
    assert check_schema(SCHEMA) == []
    assert check_schema({}) == []


@pytest.mark.parametrize(
    ("schema", "field", "code"),
    [
        (None, "schema", "not_object"),
        ([], "schema", "not_object"),
        ({1: {"type": "string"}}, "1", "name"),
        ({"_x": {"type": "string"}}, "'_x'", "name"),
        ({"a b": {"type": "string"}}, "'a b'", "name"),
        ({"loop": {"type": "string"}}, "'loop'", "name"),
        ({"range": {"type": "string"}}, "'range'", "name"),
        ({"x": "string"}, "x", "type"),
        ({"x": {}}, "x", "type"),
        ({"x": {"type": "text"}}, "x", "type"),
        ({"x": {"type": ["string"]}}, "x", "type"),
        ({"x": {"type": "string", "pattern": "("}}, "x", "unknown_key"),
        ({"x": {"type": "integer", "max_length": 3}}, "x", "unknown_key"),
        ({"x": {"type": "string", "required": 1}}, "x", "required"),
        ({"x": {"type": "string", "max_length": 0}}, "x", "max_length"),
        ({"x": {"type": "string", "max_length": 20_001}}, "x", "max_length"),
        ({"x": {"type": "string", "max_length": True}}, "x", "max_length"),
        ({"x": {"type": "list", "items": {"type": "string"}, "max_items": "3"}}, "x", "max_items"),
        ({"x": {"type": "string", "enum": []}}, "x", "enum"),
        ({"x": {"type": "string", "enum": "ab"}}, "x", "enum"),
        ({"x": {"type": "integer", "enum": [1, True]}}, "x", "enum"),
        ({"x": {"type": "list"}}, "x.items", "type"),
        ({"x": {"type": "list", "items": {"type": "list", "items": {}}}}, "x.items.items", "type"),
        ({"x": {"type": "object"}}, "x", "properties"),
        ({"x": {"type": "object", "properties": {"b c": {"type": "string"}}}}, "x", "name"),
        ({"x": {"type": "object", "properties": [1]}}, "x", "not_object"),
    ],
)
def test_bad_schemas(schema, field, code):
    assert (field, code) in [(one.field, one.code) for one in check_schema(schema)]


def test_deep_and_wide_schemas():
    deep = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "list", "items": deep}
    assert [one.code for one in check_schema({"x": deep})] == ["too_deep"]
    deep = {"type": "string"}
    for _ in range(6):
        deep = {"type": "object", "properties": {"x": deep}}
    assert [one.code for one in check_schema({"x": deep})] == ["too_deep"]
    assert [one.code for one in check_schema({f"x{n}": {"type": "string"} for n in range(201)})] == ["too_many"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"name": ""}, []),
        ({"name": 7}, [("name", "type")]),
        ({"name": None}, [("name", "type")]),
        ({"name": "x" * 21}, [("name", "too_long")]),
        ({"name": "a\r\nb"}, [("name", "control")]),
        ({"name": "a\nb\tc"}, []),
        ({"name": "a\0"}, [("name", "control")]),
        ({"name": "\ud800"}, [("name", "control")]),
        ({"name": "\x85"}, [("name", "control")]),
        ({"kind": "other"}, [("kind", "enum")]),
        ({"extra": 1}, [("extra", "unknown")]),
        ({"__class__": 1}, [("__class__", "unknown")]),
        ({"note": "x"}, []),
        ({"link": "https://a.example/x?y=1#z"}, []),
        ({"link": 1}, [("link", "type")]),
        ({"link": "javascript:alert(1)"}, [("link", "value")]),
        ({"link": 'https://a"b'}, [("link", "value")]),
        ({"link": "https://a b"}, [("link", "value")]),
        ({"due": "2026-02-28"}, []),
        ({"due": "2026-02-30"}, [("due", "type")]),
        ({"due": "20260228"}, [("due", "type")]),
        ({"due": 20260228}, [("due", "type")]),
        ({"at": "2026-02-28T10:00:00+01:00"}, []),
        ({"at": "2026-02-28T10:00:00"}, [("at", "type")]),
        ({"at": "x"}, [("at", "type")]),
        ({"count": 3}, []),
        ({"count": True}, [("count", "type")]),
        ({"count": 1.0}, [("count", "type")]),
        ({"count": 2**53}, [("count", "value")]),
        ({"stars": 2}, []),
        ({"stars": 4}, [("stars", "enum")]),
        ({"total": 1}, []),
        ({"total": -1.5}, []),
        ({"total": 0.0}, []),
        ({"total": 1e300}, [("total", "value")]),
        ({"total": 1e-300}, [("total", "value")]),
        ({"total": float("nan")}, [("total", "value")]),
        ({"total": float("inf")}, [("total", "value")]),
        ({"total": "1"}, [("total", "type")]),
        ({"total": False}, [("total", "type")]),
        ({"paid": True}, []),
        ({"paid": 1}, [("paid", "type")]),
        ({"lines": [{"n": "a"}, {"n": "b", "p": 1}]}, []),
        ({"lines": {}}, [("lines", "type")]),
        ({"lines": [{"n": "a"}] * 4}, [("lines", "too_many")]),
        (
            {"lines": [{"n": "a"}, {"p": "x", "q": 1}]},
            [("lines[1].q", "unknown"), ("lines[1].n", "missing"), ("lines[1].p", "type")],
        ),
        ({"lines": ["a"]}, [("lines[0]", "type")]),
        ({"tags": ["a", 1]}, [("tags[1]", "type")]),
    ],
)
def test_values(change, expected):
    assert faults(GOOD | change) == expected


def test_missing_and_no_object():
    assert faults({}) == [("name", "missing"), ("kind", "missing")]
    assert faults([]) == [("variables", "type")]
    assert faults(None) == [("variables", "type")]


def test_the_whole_is_capped():
    schema = {"lines": {"type": "list", "max_items": 500, "items": {"type": "string"}}}
    assert faults({"lines": ["x" * 1000] * 70}, schema) == [("variables", "too_large")]
    assert check({"lines": ["x" * 10]}, schema, max_bytes=10) != []


def test_a_hostile_list_gets_a_short_answer():
    schema = {"lines": {"type": "list", "max_items": 500, "items": {"type": "string"}}}
    assert len(faults({"lines": [1] * 500}, schema)) == 50
    assert len(faults({f"x{n}": 1 for n in range(1000)}, schema)) == 50
    objects = {
        "lines": {
            "type": "list",
            "max_items": 500,
            "items": {"type": "object", "properties": {"a": {"type": "string"}}},
        }
    }
    assert len(faults({"lines": [{"b": 1}] * 500}, objects)) == 50


def test_extremes_fit_the_schema():
    small, large = smallest(SCHEMA), largest(SCHEMA)
    assert small == {"name": "", "kind": "rent"}
    assert check(small, SCHEMA) == check(large, SCHEMA) == []
    assert large["name"] == "'" * 20
    assert large["kind"] == "deposit"
    assert len(large["lines"]) == 3
    everything = {name: {**one, "required": True} for name, one in SCHEMA.items()}
    everything["inner"] = {"type": "object", "properties": {"x": {"type": "url"}}}
    assert check(smallest(everything), everything) == check(largest(everything), everything) == []


SCALAR = st.sampled_from(
    [{"type": kind} for kind in ("string", "url", "date", "datetime", "integer", "number", "boolean")]
)
ANY = st.recursive(
    SCALAR,
    lambda inner: (
        st.builds(lambda items, most: {"type": "list", "items": items, "max_items": most}, inner, st.integers(1, 500))
        | st.builds(lambda a, b: {"type": "object", "properties": {"a": a, "b": b}}, inner, inner)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from("uvwxyz"), ANY, max_size=4))
def test_extremes_of_any_schema(schema):
    if check_schema(schema):
        return
    assert check(smallest(schema), schema) == []
    large = largest(schema)
    size = len(json.dumps(large, separators=(",", ":")))
    if size <= MAX_BYTES:
        assert check(large, schema) == []
