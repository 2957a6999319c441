"""Taking part in the providers' programmes: enrolments with what the provider confirmed, and figures that still come."""

import pytest
from tests.control.trust.breaking import fences, function
from tests.control.trust.test_breaks import tried
from tests.support.firm import now

from troth.keys.ids import uuid7

# As feedback_loop_add_v1 writes it; the world's people are signed out by now.
_ADD = """
INSERT INTO feedback_loop (id, name, provider, domains, sender, silent_days, enrolled_on, evidence, added_at, added_by)
SELECT %s, 'yahoo', 'Yahoo CFL', ARRAY['fbl.yahoo.com'], 'fbl@yahoo.com', 30, '2026-01-05', %s, now_v1(), id FROM account LIMIT 1
"""
_SIGNATURE = "feedback_loop_add_v1(uuid, text, text, text[], text, text, integer, date, bytea, bytea)"
BREAKS = [
    *fences("FBL-1", "feedback_loop", "no_delete"),
    *function("FBL-1", "feedback_loop_add_v1", _SIGNATURE),
]


def yahoo(world, evidence=bytes(32)):
    world.sql(_ADD, uuid7(now()), evidence)


def reads(world, *sources):
    for source in sources:
        world.sql("INSERT INTO provider_read SELECT %s, t, t, '' FROM now_v1() AS t", source)


@pytest.fixture
def taking_part(world):
    reads(world, "gmail", "snds")
    yahoo(world)
    return world


def test_it_holds_where_both_are_read_and_the_loops_are_enrolled(taking_part):
    assert taking_part.state("FBL-1") == "holds", taking_part.why("FBL-1")


@pytest.mark.parametrize(
    ("sources", "evidence", "says"),
    [
        ((), bytes(32), "Gmail Postmaster Tools is not read yet"),
        (("gmail",), bytes(32), "Microsoft SNDS is not read yet"),
        (("gmail", "snds"), False, "no feedback loop that is promised is enrolled"),
        (("gmail", "snds"), None, "the provider's confirmation"),
    ],
)
def test_what_is_missing_is_said(world, sources, evidence, says):
    reads(world, *sources)
    if evidence is not False:
        yahoo(world, evidence)
    assert world.state("FBL-1") == "no data yet"
    assert says in world.why("FBL-1")


def test_figures_that_come_no_more_make_it_stale(taking_part):
    taking_part.sql("UPDATE installation SET clock_offset = clock_offset + interval '4 days'")
    assert taking_part.state("FBL-1") == "stale"
    assert "told nothing since" in taking_part.why("FBL-1")


@pytest.mark.slow
def test_each_break_is_seen_and_its_mending_too(taking_part):
    assert [said for case in BREAKS for said in tried(taking_part, case)] == []
