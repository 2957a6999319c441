"""Columns in the server's binary form say the same as psycopg's own lists, empty ones and nulls included."""

import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from troth.store import arrays

NOW = datetime.now(UTC)
COLUMNS = {
    "uuid": (arrays.Uuids, [uuid4(), None, uuid4()]),
    "bytea": (arrays.Byteas, [b"", None, os.urandom(300), b"\xff\xff\xff\xff"]),
    "text": (arrays.Texts, ["", None, "Grüße \\ \" ' {}", "x" * 5_000]),
    "boolean": (arrays.Booleans, [True, None, False]),
    "smallint": (arrays.Smallints, [0, -1, None, 32_767, -32_768]),
    "integer": (arrays.Integers, [0, -1, None, 2**31 - 1, -(2**31)]),
    "bigint": (arrays.Bigints, [0, -1, None, 2**63 - 1, -(2**63)]),
    "timestamptz": (arrays.Times, [NOW, None, datetime(1999, 12, 31, tzinfo=UTC), NOW + timedelta(microseconds=1)]),
}


@pytest.mark.parametrize("name", COLUMNS)
async def test_what_is_sent_comes_back(database, name):
    kind, values = COLUMNS[name]
    async with await database.connect("arrays") as connection:
        for some in (values, values[:1], [None], []):
            row = await (await connection.execute("SELECT %b", (kind(some),), binary=True)).fetchone()
            assert row[0] == some
            seen = await connection.execute(
                f"SELECT %b = %b::{name}[], array_length(%b, 1)", (kind(some), some, kind(some))
            )
            assert await seen.fetchone() == (True, len(some) or None)


def test_what_does_not_fit_is_refused():
    with pytest.raises(OverflowError):
        arrays.Smallints([32_768])
    with pytest.raises(TypeError):
        arrays.Times([datetime(2026, 1, 1)])
    with pytest.raises(NotImplementedError):
        arrays.Array([1])


def test_items_become_columns():
    class Item:
        def __init__(self, a, b):
            self.a, self.b = a, b

    found = arrays.packed([Item(1, "x"), Item(2, None)], arrays.shape(a=arrays.Integers, b=arrays.Texts))
    assert found["a"].octets == arrays.Integers([1, 2]).octets
    assert found["b"].octets == arrays.Texts(["x", None]).octets
