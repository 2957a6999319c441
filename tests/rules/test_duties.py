"""Duties: whenever something was done last, it falls due in business time, never later than promised, and always again."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.control.people.permissions import OPERATOR_ROLES
from troth.control.trust import catalogue
from troth.rules import duties, evidence_kinds
from troth.rules.business_time import Calendar, closing
from troth.rules.cases import calendar
from troth.rules.duties import DUTIES
from troth.rules.profile import PROFILES, load_profile

ZONES = ("UTC", "Europe/London", "America/Los_Angeles", "Pacific/Auckland", "Pacific/Kiritimati")
calendars = st.builds(Calendar, st.sampled_from(ZONES), st.sampled_from(("", "GB-ENG", "DE-BY", "US", "AE")))
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
DAY = timedelta(days=1)


def with_days(duty, policy, n):
    section, name = duty.field
    return dataclasses.replace(policy, **{section: dataclasses.replace(getattr(policy, section), **{name: n})})


@settings(deadline=None)
@given(st.sampled_from(DUTIES), st.sampled_from(PROFILES), st.none() | days, days, calendars)
def test_it_is_never_later_than_promised(duty, profile, done, begun, calendar):
    policy = load_profile(profile).policy
    last = duties.promised(duty, policy, done, begun)
    found = duties.due(duty, policy, done, begun, calendar)
    assert last == (done or begun) + timedelta(days=duty.every_days(policy))
    assert (done or begun) < found <= last + DAY  # a zone ahead of UTC may be in its next day, before closing time
    at = duties.due_at(duties.ends(last), duties.ends((done or begun) - DAY), calendar)
    assert at <= duties.ends(last)
    assert closing(found, calendar) in (None, at)


@settings(deadline=None)
@given(moments, st.integers(1, 366 * 24), calendars)
def test_it_falls_due_when_business_closes(after, hours, calendar):
    last = after + timedelta(hours=hours)
    found = duties.due_at(last, after, calendar)
    assert after < found <= last
    day = found.astimezone(calendar.tz).date()
    between = [closing(day + n * DAY, calendar) for n in range(1, (last.astimezone(calendar.tz).date() - day).days + 1)]
    assert not [at for at in between if at is not None and at <= last]  # it is the last closing time there is
    if found != last:
        assert found == closing(day, calendar)


@settings(deadline=None)
@given(st.sampled_from(DUTIES), days, st.integers(1, 366), st.integers(1, 366), calendars)
def test_doing_it_more_often_is_never_later(duty, done, one, other, calendar):
    policy = load_profile("property").policy
    sooner, later = (duties.due(duty, with_days(duty, policy, n), done, done, calendar) for n in sorted((one, other)))
    assert sooner <= later


@settings(deadline=None)
@given(moments, st.integers(-400 * 24, 400 * 24), st.integers(28, 366))
def test_people_are_told_in_good_time_and_once_a_week_when_it_is_late(at, hours, every):
    now = at + timedelta(hours=hours)
    told, state = duties.reminder(at, now, every), duties.state(at, now, every)
    assert told.startswith("late") == (state == "overdue") == (now >= at)
    assert bool(told) == (state in ("overdue", "soon"))
    if state == "overdue":
        assert told == f"late {(now - at).days // 7 + 1}"
    if state == "soon":
        assert told == ("3 days" if at - now <= 3 * DAY else "14 days")


def test_what_is_done_every_week_is_not_told_of_on_the_day_after():
    at = datetime(2026, 11, 30, 17, tzinfo=UTC)
    told = [duties.reminder(at, at - n * DAY, 7) for n in range(7, -1, -1)]
    assert told == ["", "", "", "", "3 days", "3 days", "3 days", "late 1"]
    assert duties.reminder(at, at - DAY, 2) == ""
    assert [duties.state(at, at - n * DAY, 7) for n in (4, 3)] == ["later", "soon"]


def test_christmas_is_no_day_to_be_due_on():
    policy = load_profile("property").policy
    duty = duties.BY_CODE["complaint-review"]
    where = calendar(policy)
    assert duties.promised(duty, policy, date(2026, 11, 26), date(2026, 1, 1)) == date(2026, 12, 27)  # a Sunday
    assert duties.due(duty, policy, date(2026, 11, 26), date(2026, 1, 1), where) == date(2026, 12, 24)
    at = duties.due_at(duties.ends(date(2026, 12, 27)), duties.ends(date(2026, 11, 25)), where)
    assert at == datetime(2026, 12, 24, 17, tzinfo=UTC)


def test_what_has_nothing_to_be_about_waits():
    assert duties.state(None, datetime(2026, 1, 1, tzinfo=UTC), 7) == "waits"


def test_the_soonest_policy_counts_for_the_house():
    policy = load_profile("property").policy
    duty = duties.BY_CODE["penetration-test"]
    assert duties.every_days(duty, [policy, with_days(duty, policy, 90)]) == 90


@pytest.mark.parametrize("duty", DUTIES, ids=lambda duty: duty.code)
def test_a_duty_is_a_promise_of_the_catalogue(duty):
    claim = catalogue.claim(duty.claim)
    assert claim is not None
    assert duty.owner == claim.owner
    assert duty.owner in OPERATOR_ROLES
    assert duty.house == (claim.scope == "installation")
    assert all(claim.promised_by(profile) for profile in duty.profiles)
    assert all(1 <= duty.every_days(load_profile(profile).policy) <= 366 for profile in PROFILES)
    if duty.evidence_kind:
        assert duty.evidence_kind in evidence_kinds.BY_CLAIM[duty.claim].kinds
        assert duty.field[0] == "schedule"
        assert f"claim={duty.claim}" in duty.record


@pytest.mark.parametrize("profile", PROFILES)
def test_whoever_promises_a_schedule_has_its_duties(profile):
    scheduled = {"ACC-7", "EML-4", "FBL-3", "CPL-5", "APP-6", "APP-1", "INF-9", "INC-6", "CPL-7", "VDP-3"}
    promised = {each.id for each in catalogue.claims() if each.promised_by(profile)} & scheduled
    assert {each.claim for each in duties.of_profile(profile)} == promised
    assert all(duties.of_claim(claim, profile) for claim in promised)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_calendar_asks_for_the_evidence_that_the_claims_rest_on(profile):
    asked = {(duty.claim, duty.evidence_kind) for duty in duties.of_profile(profile) if duty.evidence_kind}
    claims = {each.claim for each in DUTIES if each.evidence_kind}
    promised = [claim for claim in claims if catalogue.claim(claim).promised_by(profile)]
    assert asked == {(claim, kind) for claim in promised for kind in evidence_kinds.BY_CLAIM[claim].of([profile])}
    fields = {duty.evidence_kind: duty.field[1] for duty in DUTIES if duty.evidence_kind}
    assert fields == {kind: evidence_kinds.BY_CODE[kind].schedule for kind in fields}
