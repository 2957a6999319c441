"""Retries: promised schedules, and nothing beyond the window or the lifetime."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.world import NOW, POLICY

from troth.rules.profile import PROFILES, load_profile
from troth.rules.retry import Bounced, Failed, FailureKind, Retry, Spent, Step, next_step
from troth.rules.states import State, apply

LATER = NOW + timedelta(days=30)


def step(kind: str = "mailbox", **given_: object) -> Step:
    facts = {
        "permanent": False,
        "address_bad": False,
        "policy": POLICY,
        "attempts_of_this_schedule": 1,
        "first_attempt_at": NOW,
        "now": NOW,
        "lifetime_ends_at": LATER,
        "message_id": "msg_1",
    }
    return next_step(kind, **(facts | given_))


@pytest.mark.parametrize("name", PROFILES)
def test_the_promised_soft_retries_then_spent(name: str) -> None:
    policy, now, waits = load_profile(name).policy, NOW, []
    for attempt in range(1, 4):
        answer = step(policy=policy, attempts_of_this_schedule=attempt, now=now)
        assert isinstance(answer, Retry)
        waits.append((answer.at - now) // timedelta(minutes=1))
        now = answer.at
    assert tuple(waits) == policy.bounce.soft_retry_minutes
    assert now - NOW <= timedelta(minutes=policy.bounce.soft_window_minutes)
    spent = step(policy=policy, attempts_of_this_schedule=4, now=now)
    assert spent == Spent("soft_spent", suppress=True)


def test_a_late_worker_stays_in_the_window() -> None:
    end = NOW + timedelta(hours=48)
    late = step(attempts_of_this_schedule=3, now=NOW + timedelta(hours=40))
    assert late == Retry(end)
    assert step(attempts_of_this_schedule=2, now=end) == Spent()


def test_only_an_address_that_is_bad_for_good_is_suppressed_at_once() -> None:
    assert step("address", permanent=True, address_bad=True) == Bounced(suppress=True, reason="hard")
    assert step("policy", permanent=True) == Bounced(suppress=False, reason="policy")
    assert isinstance(step("address", address_bad=True), Retry)


def test_a_full_mailbox_is_soft_whatever_the_reply() -> None:
    assert step("mailbox", permanent=True) == Retry(NOW + timedelta(hours=1))


def test_a_short_life_ends_without_a_word_against_the_address() -> None:
    assert step(lifetime_ends_at=NOW + timedelta(minutes=30)) == Failed("lifetime_over")
    assert step("connection", lifetime_ends_at=NOW + timedelta(seconds=30)) == Failed("lifetime_over")


def test_other_failures_back_off_and_are_spread() -> None:
    waits = [step("connection", attempts_of_this_schedule=n).at - NOW for n in range(1, 9)]
    assert timedelta(seconds=54) <= waits[0] <= timedelta(seconds=66)
    assert waits[:6] == sorted(waits[:6])
    assert max(waits) <= timedelta(seconds=3_960)
    assert step("connection") == step("connection")
    assert len({step("connection", message_id=f"msg_{n}").at for n in range(50)}) > 20
    assert step("of the future") == step("tls")


def test_a_schedule_starts_with_an_attempt_and_an_aware_time() -> None:
    with pytest.raises(ValueError, match="at least one"):
        step(attempts_of_this_schedule=0)
    with pytest.raises(ValueError, match="time zone"):
        step(now=NOW.replace(tzinfo=None))


@given(
    st.sampled_from([*FailureKind, "new"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(PROFILES),
    st.integers(1, 200),
    st.integers(0, 60 * 24 * 60),
    st.integers(0, 60 * 24 * 60),
    st.text(max_size=5),
)
def test_nothing_is_planned_beyond_the_window_or_the_lifetime(kind, permanent, bad, name, attempts, age, life, message):
    policy = load_profile(name).policy
    now, ends = NOW + timedelta(minutes=age), NOW + timedelta(minutes=life)
    answer = step(
        kind,
        permanent=permanent,
        address_bad=bad,
        policy=policy,
        attempts_of_this_schedule=attempts,
        now=now,
        lifetime_ends_at=ends,
        message_id=message,
    )
    apply(State.SENDING, answer.kind)
    if isinstance(answer, Retry):
        assert now < answer.at < ends
        if kind == "mailbox" or bad:
            assert answer.at <= NOW + timedelta(minutes=policy.bounce.soft_window_minutes)
            assert attempts <= 3
    if getattr(answer, "suppress", False):
        assert bad or kind == "mailbox"
