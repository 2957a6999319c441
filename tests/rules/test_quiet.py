"""Quiet hours: whatever zone and day, nothing quiet is called awake, and a night that begins also ends."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.world import GOOD, but, policy

from troth.rules import quiet
from troth.rules.checks.quiet_hours import check
from troth.rules.decision import Outcome
from troth.rules.policy import HOURS, PolicyInvalid, resolve, to_document, validate

NIGHT = ("00", "01", "02", "03", "04", "05", "06", "07", "21", "22", "23")
ZONES = sorted(available_timezones() - {"localtime"})
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
SOME_HOURS = st.sets(st.sampled_from(HOURS), min_size=1, max_size=23).map(lambda s: tuple(sorted(s)))


def is_quiet(at: datetime, zone: str, hours: tuple[str, ...]) -> bool:
    return f"{at.astimezone(ZoneInfo(zone)).hour:02}" in hours


@given(MOMENTS, st.sampled_from(ZONES), SOME_HOURS)
def test_a_message_goes_when_its_recipient_is_awake_and_not_a_quarter_of_an_hour_later(at, zone, hours):
    until = quiet.ends(at, zone, hours)
    assert (until is not None) == is_quiet(at, zone, hours)
    if until is not None:
        assert at < until
        assert not is_quiet(until, zone, hours)
        assert is_quiet(until - timedelta(seconds=1), zone, hours)


@given(MOMENTS, st.sampled_from(ZONES), SOME_HOURS)
def test_nothing_before_its_beginning_is_quiet(at, zone, hours):
    begins = quiet.begins(at, zone, hours)
    assert begins is not None
    assert begins >= at
    assert is_quiet(begins, zone, hours)
    if begins > at:
        assert not is_quiet(begins - timedelta(seconds=1), zone, hours)
        assert not is_quiet(at, zone, hours)


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        # Berlin springs from 02:00 to 03:00 on 29 March 2026: the night is an hour shorter, and still ends at 08:00
        ("2026-03-28T22:00+00:00", "Europe/Berlin", "2026-03-29T06:00+00:00"),
        ("2026-03-27T22:00+00:00", "Europe/Berlin", "2026-03-28T07:00+00:00"),
        # and falls back on 25 October: an hour longer
        ("2026-10-24T22:00+00:00", "Europe/Berlin", "2026-10-25T07:00+00:00"),
        # Lord Howe Island moves by half an hour
        ("2026-04-04T12:00+00:00", "Australia/Lord_Howe", "2026-04-04T21:30+00:00"),
        # a quarter of an hour off the hour
        ("2026-06-01T18:00+00:00", "Asia/Kathmandu", "2026-06-02T02:15+00:00"),
        # leap day and the ends of month and year
        ("2028-02-28T23:30+00:00", "UTC", "2028-02-29T08:00+00:00"),
        ("2028-02-29T23:30+00:00", "UTC", "2028-03-01T08:00+00:00"),
        ("2026-12-31T23:30+00:00", "UTC", "2027-01-01T08:00+00:00"),
        # Samoa had no 30 December 2011
        ("2011-12-30T09:00+00:00", "Pacific/Apia", "2011-12-30T18:00+00:00"),
    ],
)
def test_the_nights_that_are_not_like_others(at, zone, until):
    assert quiet.ends(datetime.fromisoformat(at), zone, NIGHT) == datetime.fromisoformat(until)


def test_an_hour_that_a_clock_change_skips_is_never_quiet_and_one_that_it_repeats_is_quiet_twice():
    assert quiet.ends(datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", ("02",)) is None
    assert quiet.ends(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin", ("02",)) == datetime(
        2026, 10, 25, 2, 0, tzinfo=UTC
    )


def test_without_hours_no_moment_is_quiet():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert quiet.ends(now, "UTC", ()) is None
    assert quiet.begins(now, "UTC", ()) is None


def test_a_naive_moment_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        quiet.ends(datetime(2026, 1, 1), "UTC", NIGHT)  # noqa: DTZ001 - the point of the test


def test_the_recipients_zone_counts_and_the_clients_where_it_is_unknown():
    assert quiet.zone_of("Asia/Tokyo", "Europe/Berlin") == "Asia/Tokyo"
    assert quiet.zone_of(None, "Europe/Berlin") == "Europe/Berlin"
    assert quiet.zone_of("Mars/Olympus", "Europe/Berlin") == "Europe/Berlin"
    assert quiet.zone_of("../etc/passwd", "Europe/Berlin") == "Europe/Berlin"


def test_hours_read_as_stretches_of_the_clock():
    assert quiet.spans(NIGHT) == [("21", "08")]
    assert quiet.spans(("12", "13", "23")) == [("12", "14"), ("23", "00")]
    assert quiet.spans(()) == []
    assert quiet.spans(HOURS) == [("00", "24")]


def test_a_message_is_held_until_the_morning_where_its_recipient_is():
    night = policy(quiet__hours=list(NIGHT))  # GOOD's now is 12:30 UTC: 21:30 in Tokyo, and day in Berlin
    in_tokyo = check(but(GOOD, policy=night, recipient={"timezone": "Asia/Tokyo"}))
    assert (in_tokyo.outcome, in_tokyo.until) == (Outcome.HOLD, datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    assert in_tokyo.saw["clock"] == "recipient"
    assert check(but(GOOD, policy=night, tenant={"timezone": "Europe/Berlin"})).outcome is Outcome.ACCEPT
    assert check(but(GOOD, policy=night, tenant={"timezone": "Asia/Tokyo"})).saw["clock"] == "client"


def test_a_category_without_quiet_hours_sends_its_codes_at_night():
    assert check(but(GOOD, recipient={"timezone": "Asia/Tokyo"})).outcome is Outcome.ACCEPT


def test_a_scheduled_message_is_judged_by_its_own_time():
    night = policy(quiet__hours=list(NIGHT))
    at_night = but(GOOD, policy=night, email={"scheduled_at": datetime(2026, 11, 22, 23, 0, tzinfo=UTC)})
    assert check(at_night).until == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_day_without_an_hour_for_mail_is_refused_in_words():
    assert validate({"quiet": {"hours": list(HOURS)}})[0].hint == "must leave an hour of the day in which mail may go"
    half = to_document(GOOD.policy) | {"quiet": {"hours": list(HOURS[:12])}}
    with pytest.raises(PolicyInvalid, match="leave an hour"):
        resolve([("promise", half), ("category", {"quiet": {"hours": list(HOURS)[:]}})])
    with pytest.raises(PolicyInvalid, match="leave an hour"):
        resolve([("promise", to_document(GOOD.policy)), ("tenant", {"quiet": {"hours": list(HOURS)}})])
