"""The rules of cases: which steps there are, which clocks a policy starts, and the strictest of several programmes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules import cases
from troth.rules.business_time import Calendar
from troth.rules.cases import Clock
from troth.rules.profile import PROFILES, load_profile

AT = datetime(2026, 4, 1, 10, tzinfo=UTC)  # a Wednesday, eleven o'clock in London, before Easter
POLICIES = {name: load_profile(name).policy for name in PROFILES}


def hours(found: tuple[Clock, ...]) -> dict[str, float]:
    return {each.name: (each.due_at - AT) / timedelta(hours=1) for each in found}


@pytest.mark.parametrize(
    ("profile", "expected"),
    [("property", {"review": 4}), ("construction", {"review": 24}), ("retail", {"told": 1, "review": 24})],
)
def test_a_complaint_has_the_clocks_that_its_profile_promises(profile, expected):
    assert hours(cases.clocks("incident", "complaint", POLICIES[profile], AT)) == expected
    assert "told" not in hours(cases.clocks("incident", "domain", POLICIES[profile], AT))


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("property", {"acknowledge": 24, "resolve": 9 * 24}),  # five business days, over Easter
        ("construction", {"acknowledge": 4, "resolve": 24}),
        ("retail", {"acknowledge": 24, "resolve": 24}),
    ],
)
def test_a_report_of_abuse_has_them(profile, expected):
    assert hours(cases.clocks("abuse", "letter", POLICIES[profile], AT)) == expected


@pytest.mark.parametrize("profile", PROFILES)
def test_a_report_of_a_vulnerability_has_them(profile):
    policy = POLICIES[profile]
    found = hours(cases.clocks("disclosure", "letter", policy, AT))
    assert (found["acknowledge"], found["assess"]) == (48, 9 * 24)
    assert ("update" in found) == (profile == "construction"), "regular updates are construction's promise"
    assert [hours(cases.patch_clock(each, policy, AT)) for each in cases.SEVERITIES] == [
        {}, {}, {"patch": 14 * 24}, {"patch": 72}]  # fmt: skip
    assert bool(cases.update_clock(policy, AT)) == (profile == "construction")


def test_what_is_reopened_is_not_acknowledged_or_told_again():
    assert set(hours(cases.reopened("disclosure", "letter", POLICIES["property"], AT))) == {"assess"}
    assert set(hours(cases.reopened("incident", "complaint", POLICIES["retail"], AT))) == {"review"}


def test_of_several_programmes_the_earliest_counts():
    found = cases.strictest(cases.clocks("abuse", "letter", each, AT) for each in POLICIES.values())
    assert hours(found) == {"acknowledge": 4, "resolve": 24}
    assert cases.strictest([]) == ()


def test_business_time_is_the_programmes():
    policy = POLICIES["property"]
    assert cases.calendar(policy) == Calendar("Europe/London", "GB-ENG", 540, 1020)
    tokyo = replace(policy, cases=replace(policy.cases, zone="Asia/Tokyo", country="JP", hours="10:00-18:30"))
    assert cases.calendar(tokyo) == Calendar("Asia/Tokyo", "JP", 600, 1110)


def test_what_a_policy_says_of_a_clock():
    policy = POLICIES["retail"]
    assert cases.promised("incident", "told", policy) == "1 h"
    assert cases.promised("disclosure", "patch", policy, "critical") == "72 h"
    assert cases.promised("disclosure", "patch", policy, "low") == ""
    assert cases.promised("abuse", "update", policy) == ""


@given(st.sampled_from(cases.KINDS), st.lists(st.sampled_from([each.name for each in cases.STEPS]), max_size=12))
def test_whatever_is_done_a_case_is_in_a_state_with_a_way_on(kind, names):
    state = "open"
    for name in names:
        state = cases.next_state(kind, state, name) or state
        assert state in cases.STATES
        assert name not in cases.steps(kind, state) or cases.next_state(kind, state, name)
        assert set(cases.steps(kind, state)) - {"seen", "note", "assign", "severity"}, "nothing is a dead end"


@pytest.mark.parametrize("kind", cases.KINDS)
def test_every_clock_of_a_kind_is_met_by_a_step_of_it(kind):
    met = {clock for each in cases.STEPS if kind in each.kinds for clock in each.meets}
    assert set(cases.CLOCKS[kind]) - {"patch"} <= met, "a patch is met by what comes of it"
    assert cases.meets("resolve") == {"review", "resolve", "assess"}


def test_a_closed_case_is_reopened_and_not_edited():
    for kind in cases.KINDS:
        assert cases.steps(kind, "closed") == ("seen", "reopen")
