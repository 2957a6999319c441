"""What Gmail and Microsoft tell, and what may stand in its place: nothing is raised but what says what is wrong."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mail.test_relay_reading import JSON
from tests.support.providers import ACTIVITY

from troth.mail import postmaster_tools as tools
from troth.mail import snds
from troth.mail.snds import SndsError

VALUE = {"metric": "spam_rate", "date": {"year": 2026, "month": 11, "day": 20}, "value": {"doubleValue": 0.1}}


@given(st.dictionaries(st.sampled_from(["domains", "domainStats", "nextPageToken"]), JSON))
def test_whatever_google_says_is_read(document):
    assert isinstance(tools.values(document).more, str)
    assert isinstance(tools.domains(document).found, tuple)


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "of tomorrow"}, {"date": {}}, {"date": {"year": 2026, "month": 13, "day": 1}}, {"value": {}},
        {"value": {"doubleValue": 2}}, {"value": {"doubleValue": "x"}}, {"value": {"doubleValue": "NaN"}},
    ],
)  # fmt: skip
def test_a_value_that_is_none_is_left_out(change):
    assert tools.values({"domainStats": [VALUE]}).found == (tools.Value("spam_rate", date(2026, 11, 20), 0.1),)
    assert tools.values({"domainStats": [{**VALUE, **change}]}).found == ()


def test_what_is_asked():
    asked = tools.question(tools.METRICS, date(2026, 11, 1), date(2026, 11, 2), "t")
    assert asked["pageToken"] == "t"
    assert {
        "name": "spf_rate",
        "baseMetric": {"standardMetric": "AUTH_SUCCESS_RATE"},
        "filter": 'auth_type = "spf"',
    } in asked["metricDefinitions"]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_microsoft_says_is_read_or_told(octets):
    for read in (snds.activity, snds.status):
        try:
            found = read(octets)
        except SndsError:
            found = ()
        assert isinstance(found, tuple)


@pytest.mark.parametrize(
    "line",
    [
        ACTIVITY.split("\r\n")[0].replace("GREEN", "BLUE"), ACTIVITY.split("\r\n")[0].replace("< 0.1%", "some"),
        ACTIVITY.split("\r\n")[0].replace("192.0.2.10", "x"), ACTIVITY.split("\r\n")[0].replace("11/21/2026", "yesterday"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_left_out(line):
    assert len(snds.activity(f"{line}\r\n{ACTIVITY}".encode())) == 2
    with pytest.raises(SndsError):
        snds.activity(line.encode())
    with pytest.raises(SndsError):
        snds.status(b"192.0.2.1,x,Yes,why")
    assert snds.activity(b"") == ()
