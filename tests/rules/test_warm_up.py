"""Warm-up: a route sends what its day's number says, nothing before its first day, and all it likes after the last."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules import warm_up

CAPS = st.lists(st.integers(1, 1_000), min_size=1, max_size=90).map(sorted)
STARTS = st.dates(date(2024, 1, 1), date(2036, 12, 31))


@given(STARTS, CAPS)
def test_each_day_has_its_number_across_leap_days_and_the_ends_of_months(starts, caps):
    days = [starts + timedelta(days=n) for n in range(-1, len(caps) + 1)]
    assert [warm_up.cap(starts, caps, day) for day in days] == [0, *caps, None]


@pytest.mark.parametrize(
    ("caps", "says"),
    [
        ([], "1 to 90 days"),
        ([1] * 91, "1 to 90 days"),
        ([0, 5], "Each day has from 1"),
        ([10**7 + 1], "Each day has from 1"),
        ([50, 40], "never falls"),
    ],
)
def test_a_schedule_that_warms_nothing_up_is_refused_in_words(caps, says):
    assert says in (warm_up.problem(caps) or "")


def test_a_schedule_that_rises_or_stays_is_fine():
    assert warm_up.problem([50, 50, 100]) is None
