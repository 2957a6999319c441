"""The words of the pages: times with their offset, lengths of time, shares, and charts that stay in their box."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.web import chart
from troth.control.web.numbers import HOUR, Hours, ratio, stats
from troth.control.web.templatetags import look
from troth.rules.states import Kind, State

AT = datetime(2026, 3, 29, 0, 59, 7, 42_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "form", "text"),
    [
        ("UTC", "minute", "29 Mar 2026, 00:59 UTC"),
        ("Europe/London", "second", "29 Mar 2026, 00:59:07 UTC"),
        ("America/St_Johns", "minute", "28 Mar 2026, 22:29 UTC-2:30"),
        ("Asia/Kolkata", "millisecond", "29 Mar 2026, 06:29:07.042 UTC+5:30"),
        ("Pacific/Kiritimati", "day", "29 Mar 2026"),
    ],
)
def test_times_in_a_persons_zone(zone, form, text):
    context = {"actor": SimpleNamespace(zone=ZoneInfo(zone))}
    assert look.when(context, AT, form) == f'<time datetime="2026-03-29T00:59:07.042000+00:00">{text}</time>'
    assert look.when({}, None) == "never"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.61, "0.6 s"), (59.4, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (25_920, "7 h 12 min"), (90_000, "1 d 1 h")]
)  # fmt: skip
def test_lengths_of_time(seconds, text):
    assert look.span(timedelta(seconds=seconds)).replace("\N{NO-BREAK SPACE}", " ") == text
    assert look.span(None) == "none"


@pytest.mark.parametrize(
    ("value", "text"), [(0.9921, "99.21"), (0.0112, "1.12"), (0.00031, "0.031"), (0, "0"), (1, "100")]
)
def test_shares(value, text):
    assert look.percent(value) == text


@pytest.mark.parametrize(
    ("name", "text"), [("Ines Falk", "IF"), ("Pennywick", "P"), ("Alder & Wren Lettings", "AL"), ("", ""), ("Ø", "Ø")]
)
def test_initials(name, text):
    assert look.initials(name) == text


def test_every_state_of_a_message_has_its_shape():
    assert not [
        state for state in State if look.tone(state.name.lower()) == "none" and state.name.lower() not in look._STATES
    ]


def test_what_is_shown_is_escaped():
    assert "<b>" not in look.state("held", "<b>")


@given(st.lists(st.integers(0, 10**7), min_size=24 * 8, max_size=24 * 8))
def test_a_chart_stays_in_its_box_and_its_table_says_the_same(counts):
    hour = datetime(2026, 11, 22, 4, tzinfo=UTC)
    found = Hours({(hour - n * HOUR, Kind.ACCEPTED): count for n, count in enumerate(counts)})
    made = chart.volume(found, hour)
    for path in (made.line, made.average, made.band):
        numbers = [float(word) for word in re.findall(r"[\d.]+(?:e[-+]?\d+)?", path)]
        assert all(0 <= x <= chart.WIDTH for x in numbers[::2])
        assert all(0 <= y <= chart.HEIGHT for y in numbers[1::2])
    assert made.total == sum(counts[:24]) == sum(row.accepted for row in made.rows)
    assert made.marks[0] >= max(counts[:24])
    assert made.marks[-1] == 0


def test_nothing_counted_is_none_and_not_nought():
    assert ratio(0, 0) is None
    empty = stats(Hours({}), AT)
    assert {stat.value for stat in empty} == {None}
    assert {chart.spark(stat.days) for stat in empty} == {""}
    assert chart.volume(Hours({}), AT.replace(minute=0, second=0, microsecond=0)).total == 0
