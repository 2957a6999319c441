"""INF-9: a restore drill in time and within the objectives; each state is reached by the clock and by what people bring."""

import json
from datetime import timedelta

import pytest
from tests.control.trust.breaks_calendar import drill
from tests.control.trust.world import open_session

from troth.rules.restore_drill import LONGEST, Drill, beyond, measured, read

GOOD = Drill(12, 34, verified=True)


def move(world, days):
    """The duty that makes partitions goes on meanwhile."""
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(days=days))
    world.sql("SELECT make_partitions_v1()")


def test_a_drill_within_the_objectives_holds_until_the_next_is_due(world):
    found = world.check("INF-9")["INF-9"]
    assert found.state == "holds", found
    (part,) = found.parts
    assert (part.evidence["seen"]["lost_minutes"], part.evidence["seen"]["took_minutes"]) == (12, 34)
    move(world, 88)
    assert world.state("INF-9") == "holds", world.why("INF-9")
    move(world, 4)
    assert world.state("INF-9") == "fails"
    assert "no newer one has been accepted" in world.why("INF-9")
    drill(world, open_session)
    assert world.state("INF-9") == "holds", world.why("INF-9")


def test_what_was_held_long_ago_is_stale(world):
    world.check("INF-9")
    move(world, 1)
    assert str(world.stored("INF-9")["INF-9"].state) == "stale"


def test_before_the_first_is_due_there_is_no_data_and_its_day(world):
    world.quiet("DELETE FROM evidence")
    for table in ("ledger_leaf", "ledger_pending"):
        world.quiet(f"DELETE FROM {table} WHERE kind LIKE 'trust:evidence:%'")
    assert world.state("INF-9") == "no data yet"
    assert "the first is due by" in world.why("INF-9")
    move(world, 93)
    assert world.state("INF-9") == "fails"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Drill(240, 34, verified=True), "it lost 240 minutes of data, and less than 240 is promised"),
        (Drill(12, 121, verified=True), "it took 121 minutes, and less than 120 is promised"),
        (Drill(12, 34, verified=False), "did not prove whole"),
    ],
)
def test_the_newest_drill_counts_even_where_an_older_one_was_better(world, bad, said):
    drill(world, open_session, bad, days=0)
    assert world.state("INF-9") == "fails"
    assert said in world.why("INF-9")


@pytest.mark.parametrize("content", [b"All went well.\n", b'{"restore_drill": 1, "lost_minutes": "12"}'])
def test_a_drill_without_figures_shows_nothing(world, content):
    drill(world, open_session, days=0, content=content)
    assert world.state("INF-9") == "fails"
    assert "has no figures" in world.why("INF-9")


def test_begun_minutes_count_whole():
    assert measured(timedelta(seconds=61), timedelta(0), verified=True) == Drill(2, 0, verified=True)
    assert measured(timedelta(seconds=-5), timedelta(days=900), verified=False).lost_minutes == 0


def test_what_is_written_is_what_is_read():
    assert read(json.dumps(GOOD.document()).encode()) == GOOD
    assert beyond(GOOD, 13, 35) == ()
    assert len(beyond(GOOD, 12, 34)) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"[" * 60_000, b"x" * (LONGEST + 1), b'{"restore_drill": 2}',
     b'{"restore_drill": 1, "lost_minutes": true, "took_minutes": 1}',
     b'{"restore_drill": 1, "lost_minutes": 1, "took_minutes": -1}'],
)  # fmt: skip
def test_what_is_no_record_is_refused(content):
    with pytest.raises(ValueError, match=r"no record|no whole number"):
        read(content)
