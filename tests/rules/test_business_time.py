"""Business time: weekends, holidays, zones and clock changes, and a date that is never later than a lawyer reads it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules.business_time import (
    BUSINESS_DAYS,
    BUSINESS_HOURS,
    MINUTES,
    Calendar,
    DayOff,
    Span,
    country_problem,
    days_off,
    due,
    hours_problem,
    parse_hours,
    parse_span,
    zone_problem,
)

LONDON = Calendar("Europe/London", "GB-ENG")
CALENDARS = [
    LONDON,
    Calendar("America/New_York", "US"),
    Calendar("Asia/Tokyo", "JP"),
    Calendar("Asia/Jerusalem", "IL"),
    Calendar("Europe/Berlin", "DE-BY", 0, 1440),
    Calendar("Australia/Lord_Howe", "AU-NSW", 60, 180),
    Calendar("Pacific/Apia", ""),
    Calendar("UTC"),
]
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))
calendars = st.sampled_from(CALENDARS)


def at(text: str, zone: str = "Europe/London") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        # open: the same time of day
        ("2026-04-01T11:00", "1 business day", "2026-04-02T11:00"),
        # over Easter: Good Friday and Easter Monday are holidays
        ("2026-04-02T11:00", "1 business day", "2026-04-07T11:00"),
        ("2026-04-02T15:00", "4 business hours", "2026-04-07T11:00"),
        ("2026-04-02T13:00", "4 business hours", "2026-04-02T17:00"),
        # closed: to the end of the day, from the next opening on
        ("2026-04-01T07:00", "1 business day", "2026-04-01T17:00"),
        ("2026-04-01T20:00", "1 business day", "2026-04-02T17:00"),
        ("2026-04-02T20:00", "1 business day", "2026-04-07T17:00"),
        ("2026-04-04T12:00", "1 business day", "2026-04-07T17:00"),
        ("2026-04-04T12:00", "4 business hours", "2026-04-07T13:00"),
        # Boxing Day on a Saturday is observed on the Monday
        ("2026-12-24T18:00", "1 business day", "2026-12-29T17:00"),
        # five of them, over the change to summer time and Easter
        ("2026-03-27T11:00", "5 business days", "2026-04-07T11:00"),
        ("2026-03-28T11:00", "5 business days", "2026-04-07T17:00"),
        # the clock knows neither
        ("2026-04-02T15:00", "24 h", "2026-04-03T15:00"),
        ("2026-03-28T15:00", "24 h", "2026-03-29T16:00"),
        ("2026-03-28T15:00", "14 d", "2026-04-11T16:00"),
    ],
)
def test_when_a_promise_ends(start, span, end):
    assert due(at(start), parse_span(span), LONDON) == at(end)


def test_the_exact_opening_is_open_and_the_exact_closing_is_closed():
    assert due(at("2026-04-01T09:00"), parse_span("1 business day"), LONDON) == at("2026-04-02T09:00")
    assert due(at("2026-04-01T17:00"), parse_span("1 business day"), LONDON) == at("2026-04-02T17:00")
    assert due(at("2026-04-01T17:00"), parse_span("1 business hour"), LONDON) == at("2026-04-02T10:00")


def test_the_weekend_is_the_countrys_own():
    israel, friday = Calendar("Asia/Jerusalem", "IL"), at("2026-05-29T10:00", "Asia/Jerusalem")
    assert due(friday, parse_span("1 business day"), israel) == at("2026-05-31T17:00", "Asia/Jerusalem")
    assert due(friday, parse_span("1 business day"), Calendar("Asia/Jerusalem")) == at(
        "2026-06-01T10:00", "Asia/Jerusalem"
    )


def test_a_part_of_a_country_has_holidays_of_its_own():
    corpus_christi = at("2026-06-03T10:00", "Europe/Berlin")
    spans = [
        due(corpus_christi, parse_span("1 business day"), Calendar("Europe/Berlin", c)) for c in ("DE-BY", "DE-BE")
    ]
    assert [each.astimezone(ZoneInfo("Europe/Berlin")).day for each in spans] == [5, 4]


def test_a_day_that_a_zone_skipped_is_no_day():
    apia = Calendar("Pacific/Apia")  # 30 December 2011, a Friday, never was there
    assert due(at("2011-12-29T10:00", "Pacific/Apia"), parse_span("3 business days"), apia) > at(
        "2012-01-02T09:00", "Pacific/Apia"
    )


def test_business_hours_in_which_the_clock_changes():
    night = Calendar("Europe/London", "", 0, 180)  # midnight to three, on weekdays; the change is on a Sunday
    assert due(at("2026-03-27T01:00"), parse_span("3 business hours"), night) == at("2026-03-30T01:00")
    brazil = Calendar("America/Sao_Paulo", "", 0, 120)  # midnight did not exist on 4 November 2018, a Sunday
    assert due(at("2018-11-02T01:30", "America/Sao_Paulo"), parse_span("1 business day"), brazil) == at(
        "2018-11-05T01:30", "America/Sao_Paulo"
    )


@given(moments, st.integers(1, 30), calendars)
def test_business_days_end_no_later_than_the_nth_business_day_after(start, count, calendar):
    """The reading of a contract: the day of arrival is not counted, and the last day ends with its last hour."""
    zone = ZoneInfo(calendar.zone)
    end = due(start, Span(count, BUSINESS_DAYS), calendar)
    day, left = start.astimezone(zone).date(), count
    while left:
        day += timedelta(days=1)
        left -= not days_off(noon(day, zone), noon(day, zone), calendar)
    assert start < end <= noon(day, zone) + timedelta(days=1)
    assert (end - timedelta(microseconds=1)).astimezone(zone).date() <= day, "24:00 is the end of the day"


def noon(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone)


@given(moments, st.integers(1, 40), calendars, st.sampled_from([BUSINESS_HOURS, BUSINESS_DAYS]))
def test_a_promise_in_business_time_ends_in_business_time(start, count, calendar, unit):
    end = due(start, Span(count, unit), calendar).astimezone(ZoneInfo(calendar.zone))
    assert not days_off(end - timedelta(seconds=1), end - timedelta(seconds=1), calendar)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=9)), st.integers(1, 20), calendars,
       st.sampled_from([MINUTES, BUSINESS_HOURS, BUSINESS_DAYS]))  # fmt: skip
def test_what_comes_later_is_never_due_earlier(start, after, count, calendar, unit):
    span = Span(count, unit)
    assert due(start, span, calendar) <= due(start + after, span, calendar)


@given(moments, st.integers(1, 19), calendars, st.sampled_from([MINUTES, BUSINESS_HOURS, BUSINESS_DAYS]))
def test_a_longer_span_ends_later(start, count, calendar, unit):
    assert due(start, Span(count, unit), calendar) < due(start, Span(count + 1, unit), calendar)


@given(moments, st.integers(1, 40), calendars)
def test_business_hours_leave_out_what_is_closed_and_nothing_else(start, count, calendar):
    """Counted by minutes that pass, as a person would with a stopwatch."""
    zone, passed = ZoneInfo(calendar.zone), 0
    end, moment = due(start, Span(count, BUSINESS_HOURS), calendar), start.replace(second=0, microsecond=0)
    step = timedelta(minutes=30)
    moment -= timedelta(minutes=moment.minute % 30)
    if start != moment:
        return  # the half hours of the grid alone: the rest is the property above
    while moment < end:
        local = moment.astimezone(zone)
        open_now = calendar.opens <= local.hour * 60 + local.minute < calendar.closes
        passed += open_now and not days_off(moment, moment, calendar)
        moment += step
    assert passed == count * 2


@given(st.integers(1, 250), st.sampled_from([MINUTES, BUSINESS_HOURS, BUSINESS_DAYS]))
def test_a_span_is_read_as_it_is_written(count, unit):
    assert parse_span(str(Span(count, unit))) == Span(count, unit)


@given(
    moments,
    st.integers(1, 25),
    st.sampled_from(CALENDARS[:2] + CALENDARS[-1:]),
    st.sampled_from([BUSINESS_HOURS, BUSINESS_DAYS]),
)
def test_the_longest_of_a_span_is_hardly_ever_passed(start, count, calendar, unit):
    """Two public holidays are counted; England's spring has four. Christmas with New Year is not looked at."""
    if start.month == 12 or (start + timedelta(days=60)).month < start.month:
        return
    span = Span(count, unit)
    assert due(start, span, calendar) - start <= timedelta(minutes=span.longest, days=4)


@pytest.mark.parametrize(
    ("text", "span"), [("4 h", 240), ("30min", 30), ("14 d", 20_160), (" 2  Days ", 2_880), ("1 H", 60)]
)
def test_lengths_of_the_clock_are_read(text, span):
    assert parse_span(text) == Span(span, MINUTES)


@pytest.mark.parametrize("text", ["", "4", "h", "4 weeks", "-1 h", "0 h", "1.5 h", "1 business week", "9999 business days",
                                  "999999 d", "1000000 h", "4 h 30 min", "none"])  # fmt: skip
def test_what_is_no_length_is_said_so(text):
    with pytest.raises(ValueError, match=r"must be"):
        parse_span(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9-17",
        "09:00-09:00",
        "09:00-09:01",
        "09:00-14:59",
        "17:00-09:00",
        "09:60-17:00",
        "00:00-24:01",
        "25:00-26:00",
    ],
)
def test_what_are_no_business_hours_is_said_so(text):
    with pytest.raises(ValueError, match="must be business hours"):
        parse_hours(text)
    assert hours_problem(text)


def test_hours_zones_and_countries_that_are_some():
    assert parse_hours("00:00-24:00") == (0, 1440)
    assert parse_hours("09:00-15:00") == (540, 900)
    assert [hours_problem("09:00-17:30"), zone_problem("Europe/London"), country_problem("")] == [None] * 3
    assert [country_problem(each) for each in ("DE", "DE-BY", "GB-ENG", "US")] == [None] * 4
    assert all(country_problem(each) for each in ("de", "DEU", "DE-", "DE-XX", "XX", "-", "GB_ENG"))
    assert all(zone_problem(each) for each in ("", "London", "Europe", "../../etc/passwd", "Mars/Olympus", "a\0b"))


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="needs its zone"):
        due(datetime(2026, 1, 1), Span(1, MINUTES), LONDON)


def test_days_off_say_why():
    found = days_off(at("2026-04-02T11:00"), at("2026-04-07T11:00"), LONDON)
    assert found[0] == DayOff(date(2026, 4, 3), "Good Friday")
    assert [each.why for each in found[1:3]] == ["weekend", "weekend"]
    assert found[3].why == "Easter Monday"


def test_spans_are_compared_by_what_they_may_take():
    order = ["4 h", "24 h", "72 h", "4 business hours", "1 business day", "5 business days", "14 d"]
    longest = [parse_span(each).longest for each in order]
    assert longest == sorted(longest)
    assert parse_span("8 business hours").longest == parse_span("1 business day").longest
