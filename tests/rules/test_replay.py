"""Replaying: any facts, kept and tried on any policy, give what the chain itself gives; nothing personal is kept."""

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.test_chain import some_facts
from tests.rules.world import GOOD, NOW, POLICY, SECRET_ADDRESS, but, policy, problem

from troth.rules.chain import decide
from troth.rules.facts import Attachment, Facts, Rate
from troth.rules.kept import COUNTERS, Count, Kept, Volume, bundle, keep, print_of, read, shape_of, unbundle
from troth.rules.policy import Policy
from troth.rules.profile import PROFILES, load_profile
from troth.rules.rates import LIMITS, limit_for, slowed
from troth.rules.recount import SLOT, Counters, Watch
from troth.rules.replay import Result, State, decide_sort, over, paused_of, recorded, replay, sort_of, unusual
from troth.rules.replay import limits as limits_of

SECOND = int(NOW.timestamp())
POLICIES = [POLICY, *(load_profile(name).policy for name in PROFILES)]


@st.composite
def policies(draw: st.DrawFn) -> Policy | None:
    """One of the profiles, with numbers near those of the facts."""
    base = draw(st.sampled_from([None, *POLICIES]))
    if base is None:
        return None
    content = dataclasses.replace(
        base.content,
        raw=draw(st.booleans()),
        variable_bytes=draw(st.sampled_from([0, 199, 200, 40_000])),
        message_bytes=draw(st.sampled_from([1_024, 3_999, 4_000, 10**7])),
        max_recipients=draw(st.sampled_from([1, 2, 50])),
        attachment_count=draw(st.integers(0, 3)),
        attachment_bytes=draw(st.sampled_from([0, 100, 10**6])),
        schedule_days=draw(st.integers(0, 2)),
    )
    found: Policy = dataclasses.replace(
        base,
        content=content,
        limits=dataclasses.replace(
            base.limits, **{n: draw(st.integers(0, 1_200)) for n in ("key_hour", "tenant_hour", "tenant_day")}
        ),
        anomaly=dataclasses.replace(
            base.anomaly,
            action=draw(st.sampled_from(["slow", "stop-new", "stop-delivery"])),
            new_mail=draw(st.sampled_from(["hold", "refuse"])),
        ),
        recipients=dataclasses.replace(
            base.recipients,
            pathways=draw(st.sampled_from([(), base.recipients.pathways])),
            overrides=draw(st.booleans()),
        ),
        quiet=dataclasses.replace(base.quiet, hours=draw(st.sampled_from([(), ("12",), ("13", "14"), ("02",)]))),
        domain=dataclasses.replace(base.domain, grace_minutes=draw(st.sampled_from([0, 4, 5, 6, 120]))),
    )
    return found


@st.composite
def messages(draw: st.DrawFn) -> Facts:
    """Any facts of the chain's own tests, with numbers on both sides of every limit."""
    found: Facts = draw(st.composite(some_facts)())
    near = st.integers(-2_000_000, 2_000_000)
    age = st.one_of(st.none(), near.map(lambda n: NOW - timedelta(minutes=5, microseconds=n)))
    ahead = st.one_of(
        st.none(), st.integers(-3, 3).flatmap(lambda d: near.map(lambda n: NOW + timedelta(days=d, microseconds=n)))
    )
    email = {
        "recipient_count": draw(st.integers(0, 3)),
        "total_bytes": draw(st.sampled_from([3_999, 4_000, 4_001, 10**7])),
        "variable_bytes": draw(st.sampled_from([0, 199, 200, 201])),
        "scheduled_at": draw(ahead),
        "attachments": draw(
            st.lists(st.sampled_from([Attachment(60, "text/csv"), Attachment(1, "x/y")]), max_size=3).map(tuple)
        ),
    }
    found = but(found, email=email)
    if found.domain is not None:
        found = but(found, domain={"checked_at": draw(age), "last_good_at": draw(age)})
    if found.suppression is not None:
        found = but(found, suppression={"override": draw(st.booleans())})
    if found.volume is not None:
        some = st.integers(0, 1_500)
        volume = {"recent": draw(some), "previous": draw(st.lists(some, max_size=7).map(tuple)), "reviewed": draw(some)}
        found = but(found, volume=volume)
    if found.recipient is not None:
        found = but(found, recipient={"timezone": draw(st.sampled_from([None, "Asia/Kathmandu", "America/New_York"]))})
    return found


def under(facts: Facts, rule: Policy | None) -> Facts:
    """The facts as the gate has them under a policy: each counter with that policy's own limit."""
    slow = facts.tenant is not None and rule is not None and slowed(facts.tenant.paused, rule)
    rates = tuple(
        replace(rate, limit=limit_for(rule, rate.scope, rate.window, slow=slow) if rule else rate.limit)
        for rate in facts.rates
    )
    ruled: Facts = but(facts, rates=rates, policy=rule)
    return ruled


def told(facts: Facts) -> Result:
    decision = decide(facts)
    return Result(int(decision.outcome), decision.deciding.code, decision.deciding.check)


@given(messages(), policies(), policies())
def test_any_facts_kept_under_one_policy_are_decided_under_another_as_the_chain_decides_them(
    facts: Facts, then: Policy | None, other: Policy | None
) -> None:
    facts = under(facts, then)
    kept = read(keep(facts, decide(facts)))
    assert recorded(kept) == told(facts)
    assert replay(kept, SECOND, then) == told(facts)
    assert replay(kept, SECOND, other) == told(under(facts, other))


def test_every_counter_that_a_policy_rules_can_be_kept() -> None:
    assert set(COUNTERS) == set(LIMITS)
    strange = but(rates=(*GOOD.rates, Rate("moon", "m", "hour", 1, 0, 1, NOW)))
    assert replay(read(keep(strange, decide(strange))), SECOND, POLICY) == told(GOOD)


def test_a_fact_that_is_new_is_kept_or_left_out_on_purpose() -> None:
    """Whoever adds a fact adds it to rules/kept.py and rules/replay.py, or says here that no policy looks at it."""
    known = {
        "Facts": "now tenant key category template domain email recipient suppression opted_out rates policy"
        " content_problems consent volume",
        "Tenant": "id state paused timezone addressed",
        "Key": "id live categories sending_allowed test",
        "Category": "code name snapshot_id version approved sender_addr sender_domain retired legal_class"
        " raw_content_allowed lawful_basis named",
        "Template": "code snapshot_id version approved digest_matches variable_problems",
        "Domain": "name ready problems checked_at last_good_at lookup_failed",
        "Email": "from_asked recipient_count total_bytes raw attachments variable_bytes scheduled_at problems",
        "Recipient": "status address_problem pathway verified_at field timezone",
        "Volume": "recent previous reviewed asking watched",
        "Consent": "state kind basis until",
        "Suppression": "listed reason source own override",
    }
    import troth.rules.facts as module

    for name, fields in known.items():
        assert sorted(getattr(module, name).__struct_fields__) == sorted(fields.split()), name


def test_nothing_of_the_person_and_no_address_is_kept() -> None:
    facts = but(
        recipient={"field": SECRET_ADDRESS, "address_problem": problem(SECRET_ADDRESS, SECRET_ADDRESS, SECRET_ADDRESS)},
        email={"from_asked": SECRET_ADDRESS, "problems": (problem(SECRET_ADDRESS, "x", SECRET_ADDRESS),)},
        rates=tuple(replace(rate, subject=SECRET_ADDRESS) for rate in GOOD.rates),
    )
    kept = keep(facts, decide(facts))
    for word in (SECRET_ADDRESS, "recipient.example", "hijaaz"):
        assert word.encode() not in kept


def test_a_message_takes_little_more_than_three_hundred_bytes() -> None:
    real = but(
        tenant={"id": "018f3c2a-0000-7000-8000-000000000000"},
        key={"id": "018f3c2a-0000-7000-8000-000000000001"},
    )
    assert len(keep(real, decide(real))) < 320


def test_what_keep_did_not_write_is_not_read() -> None:
    with pytest.raises(msgspec.DecodeError):
        read(b"\x90")
    assert unbundle(bundle([[b"a", b"b"], [b"c"]])) == [[b"a", b"b"], [b"c"]]


def kept(facts: Facts) -> Kept:
    return read(keep(facts, decide(facts)))


def test_a_sort_is_shared_by_messages_that_a_policy_does_not_tell_apart() -> None:
    small, later = kept(but(email={"total_bytes": 3_000})), kept(but(email={"scheduled_at": NOW + timedelta(hours=3)}))
    assert sort_of(kept(GOOD), SECOND, POLICY) == sort_of(small, SECOND, POLICY)
    assert sort_of(kept(GOOD), SECOND, policy(content__message_bytes=3_500)) != sort_of(small, SECOND, POLICY)
    assert sort_of(later, SECOND, POLICY) == sort_of(kept(but(email={"scheduled_at": NOW})), SECOND, POLICY)


def test_without_a_policy_nothing_has_room_and_nothing_passes() -> None:
    assert over(kept(GOOD).counts, limits_of(None, slow=False)) == 0
    assert replay(kept(GOOD), SECOND, None).code == "store-unavailable"
    assert paused_of(shape_of(kept(but(tenant=None)).shape)) is None


HOUR = NOW.replace(minute=0) + timedelta(hours=1)


def run(rule: Policy, then: Policy, asks: list[int]) -> list[Result]:
    """One client's emails in turn, first past a gate under `then` that keeps real counters, then replayed."""
    used, kept = 0, []
    for n, amount in enumerate(asks):
        now = NOW + timedelta(seconds=n)
        counters = {("tenant", "hour"): used}
        rates = tuple(
            Rate(s, "t", w, limit_for(then, s, w), counters.get((s, w), 0), amount if (s, w) in counters else 0, HOUR)
            for s, w in COUNTERS
        )
        facts = but(now=now, rates=rates, policy=then)
        decision = decide(facts)
        kept.append((read(keep(facts, decision)), int(now.timestamp())))
        used += amount if decision.outcome == 0 else 0
    return _replayed(rule, kept)


def _replayed(rule: Policy, kept: list[Any]) -> list[Result]:
    own, caps, found = Counters(), limits_of(rule, slow=False), []
    for one, second in kept:
        counts = own.found(one.counts, second)
        result = decide_sort(sort_of(one, second, rule), rule, State(over(counts, caps)))
        own.settle([one.counts], second, then=recorded(one).outcome < 3, now=result.outcome < 3)
        found.append(result)
    return found


@given(st.lists(st.integers(1, 4), max_size=30), st.integers(0, 25), st.integers(0, 25))
def test_own_counters_are_those_that_a_gate_under_this_policy_would_have_had(
    asks: list[int], limit: int, limit_then: int
) -> None:
    """Replayed under another limit, the answers are those of a gate that had that limit all along."""
    rule, then = policy(limits__tenant_hour=limit), policy(limits__tenant_hour=limit_then)
    assert run(rule, then, asks) == run(rule, rule, asks)


def test_counters_without_a_difference_are_what_the_gate_found() -> None:
    own, count = Counters(), Count(0, print_of("t"), 3, 1, 60)
    own.settle([(count,)], 0, then=True, now=True)
    assert own.found((count,), 0) == (count,)
    own.settle([(count,)], 0, then=False, now=True)
    assert own.found((count,), 0)[0].used == 4
    assert own.found((count,), 3_600)[0].used == 3


def volume(recent: int, *previous: int, reviewed: int = 0) -> Volume:
    return Volume(recent, previous, reviewed, 1)


def test_what_is_kept_back_is_missing_from_the_volume_for_a_day_and_then_from_the_mean() -> None:
    watch, found = Watch(), volume(100, 50, 50)
    assert watch.found(found, 0) is found
    watch.settle(30, 10 * SLOT, then=True, now=True)
    watch.settle(30, 10 * SLOT, then=True, now=False)
    watch.settle(10, 10 * SLOT + 1, then=False, now=True)
    watch.settle(5, 12 * SLOT, then=False, now=True)
    assert watch.found(found, 12 * SLOT) == volume(85, 50, 50)
    assert watch.found(found, 12 * SLOT + 86_400) == volume(100, 35, 50)
    assert watch.found(found, 12 * SLOT + 2 * 86_400) == volume(100, 50, 35)
    assert watch.found(None, 0) is None


def test_its_own_pause_lasts_until_the_review_is_due_and_what_was_let_pass_is_no_anomaly_for_a_day() -> None:
    rule = policy(anomaly__floor=10, anomaly__first_week_floor=10, anomaly__review_minutes=30)
    watch = Watch()
    assert not watch.paused(volume(9), 0, rule)
    assert not watch.paused(volume(10), 5, rule)  # the one that begins it is judged by the volume itself
    assert unusual(watch.let_pass(volume(10), 5), rule)
    assert watch.paused(volume(10), 6, rule)
    assert watch.paused(None, 1_804, rule)
    assert not watch.paused(volume(11), 1_805, rule)
    assert not unusual(watch.let_pass(volume(11), 1_805), rule)
    assert unusual(watch.let_pass(volume(11), 1_805 + 86_400), rule)
    assert not watch.paused(None, 90_000, rule)
    assert not unusual(None, rule)
