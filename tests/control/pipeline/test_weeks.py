"""Partitions leave no hole between weeks, in whatever time zone the server was set up."""

import re
from datetime import timedelta

import pytest
from tests.support.firm import make_operator


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("day", ["2027-03-08", "2027-03-20", "2027-10-23", "2026-12-20"])
def test_every_moment_of_the_coming_weeks_has_its_partition(database, zone, day):
    operator = make_operator(database)
    operator.admin.execute("UPDATE installation SET clock_offset = %s::timestamptz - clock_timestamp()", (day,))
    flow = database.open("troth_flow")
    flow.execute("SELECT set_config('timezone', %s, false)", (zone,))
    for _ in range(3):  # as the duties do, a week on each time
        flow.execute("SELECT make_partitions_v1()")
        operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '7 days'")
    bounds = operator.admin.execute(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relname LIKE 'event\\_2%'"
        " AND relkind = 'r'"
    ).fetchall()
    ranges = sorted(re.findall(r"'([0-9a-f-]{36})'", bound) for (bound,) in bounds)
    start = operator.admin.execute("SELECT uuid7_floor(%s::timestamptz)::text", (day,)).fetchone()[0]
    ahead = [r for r in ranges if r[1] > start]
    assert len(ahead) >= 5
    for (_, end), (begin, _) in zip(ahead, ahead[1:], strict=False):
        assert end == begin
    milliseconds = {int(b.replace("-", "")[:12], 16) - int(a.replace("-", "")[:12], 16) for a, b in ahead}
    assert milliseconds == {int(timedelta(days=7).total_seconds() * 1000)}


def test_what_was_stamped_just_before_the_first_week_has_its_partition(database):
    """An installation of Monday's first minute, and a clock that is put back by hours."""
    operator = make_operator(database)
    bounds = "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
    begin = operator.admin.execute("SELECT uuid7_floor(date_trunc('week', now_v1(), 'UTC'))::text").fetchone()[0]
    until = [
        bound for (bound,) in operator.admin.execute(bounds).fetchall() if bound and bound.endswith(f"TO ('{begin}')")
    ]
    assert len(until) == operator.admin.execute("SELECT count(*) FROM pg_partitioned_table").fetchone()[0]
