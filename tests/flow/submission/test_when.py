"""scheduled_at: ISO with a zone, and a small English."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.submission.problem import Problem
from troth.flow.submission.when import needs_now, parse_english, parse_iso

NOW = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)  # a Wednesday; 17:30 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("in 1 min", 1), ("In 2 Hours", 120), ("in an hour", 60), ("in a minute", 1), ("in 90 secs", 1.5),
        ("3 days from now", 4320), ("in 1 week", 10080), ("in 10min", 10), ("now", 0), ("  in   5  minutes ", 5),
    ],
)  # fmt: skip
def test_spans(text, minutes):
    assert parse_english(text, NOW, BERLIN) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow at 9am", "2026-11-26T08:00"),
        ("tomorrow", "2026-11-26T16:30"),
        ("tomorrow 9:30 pm", "2026-11-26T20:30"),
        ("today at noon", "2026-11-25T11:00"),
        ("at 23:15", "2026-11-25T22:15"),
        ("at midnight", "2026-11-24T23:00"),
        ("tomorrow at 12am", "2026-11-25T23:00"),
        ("tomorrow at 12pm", "2026-11-26T11:00"),
        ("Friday at 7:05am", "2026-11-27T06:05"),
        ("on friday at 18:00 utc", "2026-11-27T18:00"),
        ("next wednesday at 10 gmt", "2026-12-02T10:00"),
        ("monday", "2026-11-30T16:30"),
    ],
)
def test_days_and_clocks_are_the_firms_own(text, expected):
    assert parse_english(text, NOW, BERLIN) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "in", "in min", "in 5", "9", "9am", "tomorrow at 25:00", "tomorrow at 9:75", "tomorrow at 13pm",
        "in 99999 hours", "in ٣ min", "tomorrow at 0am", "x" * 65, "in 1 min\x00", "today at", "next at 9am",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_the_way_out(text):
    with pytest.raises(Problem) as caught:
        parse_english(text, NOW, BERLIN)
    assert (caught.value.slug, caught.value.field) == ("schedule-unreadable", "scheduled_at")
    assert "2026-12-01T09:00:00Z" in caught.value.sentence


@pytest.mark.parametrize("text", ["2026-12-01T09:00:00Z", "2026-12-01T10:00:00.000+01:00", " 2026-12-01 09:00+00:00"])
def test_iso_with_a_zone(text):
    assert not needs_now(text)
    assert parse_iso(text) == datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-12-01T09:00:00", "2026-12-01", "2026-13-01T00:00Z", "0001-01-01T00:00+14:00"])
def test_iso_without_a_zone_or_sense(text):
    with pytest.raises(Problem) as caught:
        parse_iso(text)
    assert caught.value.slug == "schedule-unreadable"


@given(st.text(max_size=80))
def test_any_text_is_a_time_or_a_problem(text):
    for read in (parse_iso, lambda t: parse_english(t, NOW, BERLIN)):
        try:
            found = read(text)
        except Problem as problem:
            found = problem
        assert getattr(found, "slug", None) == "schedule-unreadable" or found.tzinfo is not None
