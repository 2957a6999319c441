"""Ordinary values fit the schema that they are made from."""

from troth.mail.samples import typical
from troth.mail.schema import check_schema
from troth.mail.variables import check


def test_ordinary_values_fit_their_schema():
    schema = {
        "name": {"type": "string", "max_length": 5},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "lines": {"type": "list", "max_items": 1, "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "link": {"type": "url"}, "day": {"type": "date"}, "at": {"type": "datetime"}, "paid": {"type": "boolean"},
        "sum": {"type": "number"},
    }  # fmt: skip
    assert not check_schema(schema)
    assert typical(schema)["name"] == "name"
    assert len(typical(schema)["lines"]) == 1
    assert not check(typical(schema), schema)
