"""The volume anomaly: the threshold of the promise, exactly, with its floor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.world import POLICY

from troth.rules.anomaly import ceiling, judge, weigh
from troth.rules.profile import PROFILES, load_profile

counts = st.lists(st.integers(0, 5_000), min_size=7, max_size=7)


@pytest.mark.parametrize(("name", "limit"), [("property", 1_500), ("construction", 2_000), ("retail", 2_000)])
def test_the_threshold_itself_passes_and_one_more_does_not(name: str, limit: int) -> None:
    policy = load_profile(name).policy
    assert judge(limit, [1_000] * 7, policy).action is None
    raised = judge(limit + 1, [1_000] * 7, policy)
    assert raised.action == policy.anomaly.action
    assert raised.review_minutes == policy.anomaly.review_minutes
    assert raised.ratio_permille == limit + 1
    assert "an anomaly" in raised.sentence
    assert "1,000.0" in raised.sentence


def test_a_small_client_has_a_floor_and_it_is_said() -> None:
    small = judge(200, [1] * 7, POLICY)
    assert small.action is None
    assert "above 200 messages" in small.sentence
    assert judge(201, [1] * 7, POLICY).action == "stop-new"


def test_the_first_week_has_its_own_floor_and_counts_missing_days_as_none() -> None:
    first = judge(1_000, [], POLICY)
    assert (first.action, first.first_week, first.ratio_permille, first.floor) == (None, True, None, 1_000)
    assert judge(1_001, [900], POLICY).action == "stop-new"
    assert judge(1_001, [0] * 7, POLICY).ratio_permille is None


def test_counts_are_seven_and_not_negative() -> None:
    with pytest.raises(ValueError, match="seven"):
        judge(1, [1] * 8, POLICY)
    with pytest.raises(ValueError, match="negative"):
        judge(1, [-1], POLICY)


@given(st.integers(0, 20_000), counts, st.sampled_from(PROFILES))
def test_more_mail_is_never_less_of_an_anomaly(recent: int, previous: list[int], name: str) -> None:
    policy = load_profile(name).policy
    if judge(recent, previous, policy).action:
        assert judge(recent + 1, previous, policy).action
        assert recent > policy.anomaly.floor
        assert recent * 100 > policy.anomaly.percent * sum(previous) / 7


def test_what_two_people_let_pass_stands_for_the_mean_if_it_is_more() -> None:
    assert judge(1_500, [100] * 7, POLICY, 1_000).action is None
    raised = judge(1_501, [100] * 7, POLICY, 1_000)
    assert raised.action == "stop-new"
    assert "let 1,000 pass" in raised.sentence
    assert judge(1_501, [1_001] * 7, POLICY, 10).action is None


@given(counts, st.integers(0, 5_000), st.sampled_from(PROFILES))
def test_the_ceiling_is_the_largest_volume_that_passes(previous: list[int], reviewed: int, name: str) -> None:
    policy = load_profile(name).policy
    for days in (previous, previous[:3]):
        most = ceiling(days, policy, reviewed)
        assert judge(most, days, policy, reviewed).action is None
        assert judge(most + 1, days, policy, reviewed).action == policy.anomaly.action


@pytest.mark.parametrize("cause", ["bounce", "complaint"])
def test_a_share_is_weighed_from_its_sample_on_and_the_threshold_passes(cause: str) -> None:
    rules = POLICY.anomaly
    permille, sample = (
        (rules.bounce_permille, rules.bounce_sample)
        if cause == "bounce"
        else (rules.complaint_permille, rules.complaint_sample)
    )
    many = max(sample, 1_000)
    assert weigh(cause, permille * many // 1_000, many, POLICY).action is None
    raised = weigh(cause, permille * many // 1_000 + 1, many, POLICY)
    assert raised.action == rules.action
    assert "an anomaly" in raised.sentence
    assert weigh(cause, sample - 1, sample - 1, POLICY).action is None
    with pytest.raises(ValueError, match="negative"):
        weigh(cause, -1, 5, POLICY)
