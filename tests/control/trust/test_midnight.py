"""EML-6 at midnight: what a day counted may be answered after it, and a day's first minutes hide nothing."""

import pytest

_EARLY = """
UPDATE event SET at = date_trunc('day', at, 'UTC') + interval '1 day 5 minutes' WHERE source_key LIKE 'attempt:%'
"""
_BEFORE = "UPDATE snapshot SET approved_at = approved_at - interval '3 days' WHERE kind = 'route'"
_NEXT = """
INSERT INTO route_day (route, day, cap, used, asked, granted) SELECT route, day + 1, 500, 0, 1, 0 FROM route_day
ON CONFLICT DO NOTHING
"""


@pytest.fixture
def ruled(world):
    """The schedule is older than every day on which something was sent."""
    world.quiet(_BEFORE)
    assert world.state("EML-6") == "holds", world.why("EML-6")
    return world


def test_what_was_counted_before_midnight_may_be_answered_after_it(ruled):
    ruled.quiet(_EARLY)
    ruled.quiet(_NEXT)
    assert ruled.state("EML-6") == "holds", ruled.why("EML-6")


def test_what_went_in_a_days_first_minutes_is_counted_too(ruled):
    ruled.quiet(_EARLY)
    ruled.quiet(_NEXT)
    ruled.quiet("UPDATE route_day SET used = 0")
    assert ruled.state("EML-6") == "fails"


def test_a_day_without_a_schedule_is_nobodys_to_count(world):
    """The route's first schedule came when mail had gone already."""
    world.quiet("UPDATE snapshot SET approved_at = now_v1() WHERE kind = 'route'")
    world.quiet("UPDATE route_day SET used = 0")
    assert world.state("EML-6") == "holds", world.why("EML-6")
