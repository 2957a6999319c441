"""The gate's decision: deterministic, monotone, closed where it knows nothing."""

import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.checks.test_checks import CASES
from tests.rules.world import GOOD, but

from troth.rules.chain import CHAIN, decide, decide_email
from troth.rules.decision import Outcome, accept, combine, hold, plain_field, refuse, seconds_until
from troth.rules.facts import Domain, Email, Facts, Recipient, Suppression

LISTED = Suppression(True, "hard_bounce", "dsn", own=True)


def some_facts(draw: st.DrawFn) -> Facts:
    """A message with any number of troubles, drawn from the checks' own cases."""
    facts = GOOD
    for index in draw(st.lists(st.integers(0, len(CASES) - 1), max_size=3)):
        try:
            facts = but(facts, **CASES[index][1])
        except TypeError:  # that part is already unknown
            continue
    used = draw(st.integers(0, 1_100))
    return but(facts, rates=tuple(replace(rate, used=used) for rate in facts.rates))


anything = st.composite(some_facts)()


def tightened(facts: Facts, **limits: int) -> Facts:
    if facts.policy is None:
        return facts
    floor = {name: min(cap, getattr(facts.policy.limits, name)) for name, cap in limits.items()}
    return but(
        facts, policy=dataclasses.replace(facts.policy, limits=dataclasses.replace(facts.policy.limits, **floor))
    )


def part(name: str, **change: object) -> Callable[[Facts], Facts]:
    return lambda facts: facts if getattr(facts, name) is None else but(facts, **{name: change})


WORSE = [
    part("tenant", state="suspended"),
    part("tenant", paused="operator"),
    part("key", live="revoked"),
    part("key", categories=frozenset()),
    part("key", sending_allowed=False),
    part("category", approved=False),
    part("category", retired=True),
    part("category", raw_content_allowed=False),
    part("template", approved=False),
    part("template", digest_matches=None),
    part("domain", ready=False, lookup_failed=False),
    part("domain", problems=("spf",)),
    part("recipient", status="pending"),
    part("recipient", status="erased"),
    part("category", lawful_basis=""),
    part("category", named=False),
    part("tenant", addressed=False),
    part("consent", state="withdrawn"),
    part("consent", state="none"),
    lambda facts: but(facts, suppression=LISTED if facts.suppression is not None else None),
    lambda facts: but(facts, opted_out=True if facts.opted_out is not None else None),
    lambda facts: but(facts, rates=tuple(replace(rate, used=rate.used + 400) for rate in facts.rates)),
    lambda facts: but(facts, rates=facts.rates[1:]),
    lambda facts: but(
        facts, email={"recipient_count": facts.email.recipient_count and facts.email.recipient_count + 30}
    ),
    lambda facts: but(facts, email={"total_bytes": facts.email.total_bytes * 3_000}),
    lambda facts: tightened(facts, tenant_hour=600, recipient_template_day=3),
    *(
        (lambda facts, name=name: but(facts, **{name: None}))
        for name in (
            "tenant",
            "key",
            "category",
            "domain",
            "recipient",
            "suppression",
            "opted_out",
            "policy",
            "consent",
        )
    ),
]


def test_the_good_message_is_accepted_by_every_check() -> None:
    decision = decide(GOOD)
    assert decision.outcome is Outcome.ACCEPT
    assert len(decision.verdicts) == len(CHAIN)
    assert decision.deciding.code == "ok"


@given(anything, st.sampled_from(WORSE))
def test_a_worse_fact_never_turns_a_refusal_into_anything_else(facts: Facts, worsen: Callable[[Facts], Facts]) -> None:
    before, after = decide(facts).outcome, decide(worsen(facts)).outcome
    assert after >= before


@given(anything)
def test_deciding_is_deterministic_and_can_be_stored(facts: Facts) -> None:
    assert decide(facts) == decide(facts)
    document = decide(facts).to_document()
    assert json.loads(json.dumps(document)) == document


@given(st.sampled_from([name for name in Facts.__struct_fields__ if name not in ("now", "email", "content_problems")]))
def test_a_missing_fact_never_accepts(name: str) -> None:
    missing = () if name == "rates" else None
    assert decide(but(GOOD, **{name: missing})).outcome is Outcome.REFUSE


def test_a_refusal_ends_the_chain() -> None:
    decision = decide(but(GOOD, tenant={"state": "closed"}, suppression=LISTED))
    assert [verdict.check for verdict in decision.verdicts] == ["tenant_active"]
    assert decision.outcome is Outcome.REFUSE
    assert decision.deciding.code == "tenant-inactive"


@pytest.mark.parametrize("status", ["unknown", "pending", "expired", "erased"])
@pytest.mark.parametrize("refusing", [{}, {"template": None}, {"key": {"live": "revoked"}}])
def test_a_refusal_tells_nothing_of_the_list(status: str, refusing: dict[str, object]) -> None:
    stranger = but(GOOD, recipient={"status": status}, **refusing)
    assert decide(stranger).outcome is Outcome.REFUSE
    for own in (True, False):
        listed = but(stranger, suppression=Suppression(True, "complaint", "fbl", own=own))
        assert decide(listed) == decide(stranger)
    assert decide(but(stranger, opted_out=True)) == decide(stranger)


def test_a_refusal_after_suppression_looks_once() -> None:
    decision = decide(but(GOOD, rates=(), suppression=LISTED))
    assert [verdict.check for verdict in decision.verdicts].count("not_suppressed") == 1


def test_suppression_wins_over_a_hold_and_is_no_refusal() -> None:
    held = but(GOOD, tenant={"paused": "anomaly"})
    assert decide(held).outcome is Outcome.HOLD
    assert decide(but(held, suppression=LISTED)).outcome is Outcome.SUPPRESS
    assert decide(but(held, suppression=LISTED)).deciding.check == "not_suppressed"


def test_one_refusal_refuses_the_email_and_suppression_does_not() -> None:
    good, listed = decide(GOOD), decide(but(GOOD, suppression=LISTED))
    bad = decide(but(GOOD, recipient={"status": "pending"}))
    assert decide_email([good, listed]).refusal is None
    assert not decide_email([good, listed]).refused
    assert decide_email([good, bad, listed]).refusal == bad.deciding
    assert decide_email([good, bad]).refused
    with pytest.raises(ValueError, match="without a recipient"):
        decide_email([])


def test_a_decision_needs_a_verdict() -> None:
    with pytest.raises(ValueError, match="No check"):
        combine([])


def test_the_document_says_every_rule_and_what_it_saw() -> None:
    decision = combine(
        [accept("a", "Fine.", {"list": ("x",)}), hold("b", "h", "Wait."), refuse("c", "r", "No.", at="to")]
    )
    assert decision.to_document() == {
        "outcome": "refuse",
        "code": "r",
        "verdicts": [
            {"check": "a", "outcome": "accept", "code": "ok", "sentence": "Fine.", "saw": {"list": ["x"]}},
            {"check": "b", "outcome": "hold", "code": "h", "sentence": "Wait.", "saw": {}},
            {"check": "c", "outcome": "refuse", "code": "r", "sentence": "No.", "saw": {}, "field": "to"},
        ],
    }


@pytest.mark.parametrize("name", [None, "to", "to[0]", "template.variables.rows[12].due-date", "_x"])
def test_a_field_name_of_a_schema_is_repeated(name: str | None) -> None:
    assert plain_field(name) == name


@pytest.mark.parametrize("name", ["", "a@b", "variables.Nöel", "a b", "a..b", "1", "x" * 65, "a." * 100 + "a", "to\n"])
def test_any_other_field_name_is_not(name: str) -> None:
    assert plain_field(name) == "?"


def test_naive_times_are_refused_at_construction() -> None:
    naive = GOOD.now.replace(tzinfo=None)
    for build in (
        lambda: but(GOOD, now=naive),
        lambda: Email(None, 1, 1, raw=False, scheduled_at=naive),
        lambda: Domain("a.example", True, (), naive),
        lambda: Recipient("verified", verified_at=naive),
    ):
        with pytest.raises(ValueError, match="time zone"):
            build()


def test_seconds_are_rounded_up_and_never_none() -> None:
    from datetime import timedelta

    assert seconds_until(GOOD.now + timedelta(milliseconds=1500), GOOD.now) == 2
    assert seconds_until(GOOD.now - timedelta(hours=1), GOOD.now) == 1
