"""The list against its feed, part by part: every entry is in one part, and what is missing is found in its turn."""

import hashlib

import pytest

from troth.control.trust import suppressions

MANY = 1000


@pytest.fixture
def listed(operator):
    indexes = [hashlib.sha256(str(n).encode()).digest() for n in range(MANY)]
    operator.admin.execute(
        "SELECT suppress_v1(%s, array_fill(1::smallint, ARRAY[%s]), array_fill('t'::text, ARRAY[%s]),"
        " array_fill(NULL::uuid, ARRAY[%s]), array_fill(NULL::bytea, ARRAY[%s]))", (indexes, MANY, MANY, MANY, MANY)
    )  # fmt: skip
    return operator.admin


def looked(admin, most):
    parts = admin.execute("SELECT parts FROM suppression_part_v1(0, %s)", (most,)).fetchone()[0]
    return [
        admin.execute("SELECT * FROM suppression_part_v1(%s, %s)", (turn, most)).fetchone() for turn in range(parts)
    ]


def quietly(admin, statement):
    admin.execute("SET session_replication_role = replica")
    admin.execute(statement)
    admin.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize(("most", "parts"), [(MANY, 1), (500, 2), (100, 16), (1, 1024)])
def test_every_entry_is_in_one_part(listed, most, parts):
    found = looked(listed, most)
    assert [row[:2] for row in found] == [(n, parts) for n in range(parts)]
    assert sum(row[2] for row in found) == sum(row[3] for row in found) == MANY
    assert {(row[4], row[5]) for row in found} == {(0, MANY)}


@pytest.mark.parametrize("table", ["suppression", "suppression_feed"])
def test_what_is_missing_is_found_in_its_turn(listed, table):
    quietly(
        listed,
        f"DELETE FROM {table} WHERE blind_index = (SELECT blind_index FROM suppression_feed ORDER BY id LIMIT 1)",
    )
    for most, parts in ((MANY, 1), (100, 16)):
        wrong = [row for row in looked(listed, most) if row[4]]
        assert len(wrong) == 1, parts


def test_a_new_entry_that_is_missing_is_found_in_every_turn(listed):
    quietly(
        listed,
        "DELETE FROM suppression WHERE blind_index = (SELECT blind_index FROM suppression_feed ORDER BY id DESC LIMIT 1)",
    )
    assert all(row[4] for row in looked(listed, 100))


@pytest.mark.slow
def test_a_long_list_is_held_to_what_its_parts_had(world, monkeypatch):
    """Gone from the list and from its feed alike: the part's own earlier count tells."""
    monkeypatch.setattr(suppressions, "MOST", 2)
    hour = "UPDATE installation SET clock_offset = clock_offset + interval '1 hour'"
    parts = world.sql("SELECT parts FROM suppression_part_v1(0, 2)")[0][0]
    assert parts > 1
    for _ in range(parts):
        assert world.state("SUP-3") == "holds", world.why("SUP-3")
        world.sql(hour)
    gone = "(SELECT blind_index FROM suppression ORDER BY 1 LIMIT 1)"
    world.quiet(f"DELETE FROM suppression_feed WHERE blind_index IN {gone}")
    world.quiet(f"DELETE FROM suppression WHERE blind_index IN {gone}")
    found = []
    for _ in range(parts):
        found.append(world.state("SUP-3"))
        world.sql(hour)
    assert "fails" in found
