"""When a failed delivery is tried again: more and more seldom, for a day, never sooner than the receiver asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.webhooks.schedule import DAY, DELAYS, JITTER, LONGEST_WAIT, Again, GiveUp, next_try, retry_after

START = datetime(2026, 11, 22, tzinfo=UTC)
CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.lists(CHANCE, min_size=40, max_size=40))
def test_a_day_of_failures_is_eleven_tries_and_the_last_is_near_its_end(chances):
    now, tries = START, [START]
    for n, chance in enumerate(chances, 1):
        step = next_try(attempts=n, first_at=START, now=now, chance=chance)
        if isinstance(step, GiveUp):
            break
        assert step.at > now
        now = step.at
        tries.append(now)
    assert len(tries) == len(DELAYS) + 1
    assert timedelta(hours=20) < tries[-1] - START <= DAY
    assert all(
        later - sooner >= delay * (1 - JITTER) for sooner, later, delay in zip(tries, tries[1:], DELAYS, strict=False)
    )


def test_no_two_deliveries_come_back_in_step():
    times = {next_try(attempts=3, first_at=START, now=START, chance=n / 50) for n in range(50)}
    assert len(times) == 50


@given(
    CHANCE, st.integers(1, 60), st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), DAY * 2)
)
def test_a_wait_is_honoured_within_the_day(chance, attempts, wait, passed):
    now = START + passed
    step = next_try(attempts=attempts, first_at=START, now=now, chance=chance, wait=wait)
    if passed >= DAY or attempts > len(DELAYS):
        assert step == GiveUp()
    else:
        assert isinstance(step, Again)
        assert step.at <= START + DAY
        assert step.at >= min(now + wait, START + DAY)


def test_after_a_leap_of_the_clock_the_last_try_still_comes():
    assert isinstance(next_try(attempts=1, first_at=START, now=START + timedelta(hours=23), chance=0), Again)
    assert next_try(attempts=2, first_at=START, now=START + DAY, chance=0) == GiveUp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("0", None),
        ("000", None),
        ("999999999999999999999999", LONGEST_WAIT.total_seconds()),
        ("Sun, 22 Nov 2026 00:01:00 GMT", 60),
        ("Sun, 22 Nov 2099 00:01:00 GMT", LONGEST_WAIT.total_seconds()),
        ("Sat, 21 Nov 2026 23:59:00 GMT", None),
        ("Sunday, 22-Nov-26 00:01:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("١", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_both_its_forms(text, seconds):
    assert retry_after(text, START) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=40))
def test_any_retry_after_is_read(text):
    wait = retry_after(text, START)
    assert wait is None or timedelta(0) < wait <= LONGEST_WAIT
