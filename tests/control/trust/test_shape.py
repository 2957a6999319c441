"""The shape that every fence compares with is a new database's, and no word of a condition is lost in the comparison."""

import os
from pathlib import Path

import pytest

from troth.control.audit import scope
from troth.control.trust import shape

_FILE = Path(shape.__file__).with_name("shape.txt")


def test_the_file_is_a_new_database(database):
    with scope.connect(database.conninfo("troth_control"), "shape") as connection:
        there = shape.live(connection)
    text = "".join(f"{line}\n" for line in sorted(line for lines in there.values() for line in lines))
    if os.environ.get("WRITE_SHAPE"):
        _FILE.write_text(text, encoding="utf-8")
        shape.shipped.cache_clear()
    assert text.splitlines() == _FILE.read_text(encoding="utf-8").splitlines(), "run scripts/gen_shape.py"
    assert [wrong for name in there for wrong in shape.differences(there, name)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CHECK ((basis <> 'confirmation'::text))", "CHECK ((basis <> 'CONFIRMATION'::text))"),
        ("CHECK ((address <> ''::text))", "CHECK ((address <> ' '::text))"),
        ("CHECK (((a AND b) OR c))", "CHECK ((a AND (b OR c)))"),
        ("CHECK ((state <> '(a)'::text))", "CHECK ((state <> 'a'::text))"),
        ("column a.until timestamp with time zone NOT NULL", "column a.until timestamp with time zone"),
        ("column a.until date", "column a.until date DEFAULT 'infinity'::date"),
    ],
)
def test_what_differs_in_meaning_differs(one, other):
    assert shape.plain(one) != shape.plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CHECK (((x)::text = ANY ((ARRAY['a'::character varying])::text[])))",
         "CHECK (((x)::text = ANY (ARRAY[('a'::character varying)::text])))"),
        ("CHECK ((n >= 0))", "CHECK ((n >= (0)::numeric))"),
    ],
)  # fmt: skip
def test_a_dump_and_its_restore_differ_in_casts_alone(one, other):
    assert shape.plain(one) == shape.plain(other)
