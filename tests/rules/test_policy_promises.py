"""What only sentences say, and the soft bounces' schedule: shorter together, never fewer, never longer."""

from datetime import UTC, datetime, timedelta

import pytest

from troth.rules.earlier import of_profile
from troth.rules.policy import PolicyError, PolicyLoosened, from_document, looser_fields, resolve, to_document, validate
from troth.rules.profile import PROFILES, load_profile
from troth.rules.retry import FailureKind, Retry, Spent, next_step
from troth.rules.strictness import Waits

_PROMISED = ("response", "schedule", "targets", "hosting", "trust")


@pytest.mark.parametrize(
    ("bounce", "wrong"),
    [
        ({"soft_retry_minutes": [60]}, "shorten, each of as many"),
        ({"soft_retry_minutes": [60, 360, 2161]}, "shorten, each of as many"),
        ({"soft_window_minutes": 2881}, "may only lower"),
        ({"soft_window_minutes": 1440}, "must end within"),
        ({"soft_retry_minutes": [30, 180, 1231], "soft_window_minutes": 1440}, "must end within"),
    ],
)
def test_as_many_retries_as_were_promised_stay_and_none_later(bounce: dict[str, object], wrong: str) -> None:
    promise = to_document(load_profile("property").policy)
    with pytest.raises(PolicyError, match=wrong):
        resolve([("promise", promise), ("operator", {"bounce": bounce})])


def test_the_soft_window_and_its_waits_may_be_shorter_together() -> None:
    shorter = {"bounce": {"soft_retry_minutes": [30, 180, 1080], "soft_window_minutes": 1440}}
    for name in PROFILES:
        found = resolve([("promise", load_profile(name).document), ("operator", shorter)]).bounce
        assert (found.soft_retry_minutes, found.soft_window_minutes) == ((30, 180, 1080), 1440)


def test_waits_of_another_number_do_not_meet() -> None:
    assert Waits(1, 99, 3).meet((1, 5, 9), (2, 4, 9)) == (1, 4, 9)
    with pytest.raises(ValueError, match="fewer are not stricter"):
        Waits(1, 99, 3).meet((1, 5), (2, 4, 9))


def test_a_figure_is_the_promises_own() -> None:
    promise = to_document(load_profile("retail").policy)
    promise["targets"]["daily_volume"] = 12
    assert looser_fields(load_profile("retail").policy, from_document(promise)) == ()
    with pytest.raises(PolicyLoosened, match="the programme's promise says it"):
        resolve([("promise", promise), ("operator", {"targets": {"daily_volume": 11}})])


@pytest.mark.parametrize(("given", "fine"), [("eu-west-2", True), ("", True), ("Europe", False), ("eu-west-2 ", False)])
def test_a_region_is_named_as_its_host_names_it(given: str, fine: bool) -> None:  # noqa: FBT001 - a parameter
    assert (validate({"hosting": {"region": given}}) == []) is fine


def test_an_earlier_promise_says_what_its_profile_says() -> None:
    for name in PROFILES:
        document = load_profile(name).document
        older = {section: body for section, body in document.items() if section not in _PROMISED}
        assert of_profile(older, document) == document
        assert from_document(of_profile(older, document)) == load_profile(name).policy
        from_document(older)  # and without its profile it is read all the same
        days = {"paper_days": 1, "question_days": 1, "request_days": 1}
        own = {**document, "trust": {"failing": "withdraw", "fails_opens_incident": True, **days}}
        assert of_profile(own, document) == own
    assert of_profile(7, {}) == 7


def test_delivery_keeps_to_the_schedule_in_force():
    """The worker's rule reads the policy that it is given: shorter waits, and the end of the window with them."""
    shorter = {"bounce": {"soft_retry_minutes": [30, 180, 1080], "soft_window_minutes": 1440}}
    policy = resolve([("promise", load_profile("property").document), ("operator", shorter)])
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    steps = [
        next_step(
            FailureKind.MAILBOX, permanent=False, address_bad=False, policy=policy, attempts_of_this_schedule=number,
            first_attempt_at=now, now=now, lifetime_ends_at=now + timedelta(days=30), message_id="a",
        )
        for number in (1, 2, 3, 4)
    ]  # fmt: skip
    assert steps[:3] == [Retry(now + timedelta(minutes=wait)) for wait in (30, 180, 1080)]
    assert steps[3] == Spent()
