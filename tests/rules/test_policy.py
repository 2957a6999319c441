"""Policies: every level only stricter, every wrong document told so in words."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.world import POLICY

from troth.rules.business_time import BUSINESS_DAYS, BUSINESS_HOURS, MINUTES, Span
from troth.rules.policy import (
    FIELDS,
    LEVELS,
    SECTIONS,
    Field,
    Policy,
    PolicyError,
    PolicyInvalid,
    PolicyLoosened,
    from_document,
    looser_fields,
    policy_markdown,
    resolve,
    strictest,
    to_document,
    validate,
    value_of,
)
from troth.rules.profile import PROFILES, load_profile, parse_profile
from troth.rules.strictness import (
    NONE,
    Allowed,
    AtLeast,
    AtMost,
    Figure,
    LockedNumber,
    Named,
    Ordered,
    Required,
    Switch,
    Waits,
    Within,
    thaw,
)

PROMISE = to_document(POLICY)


def values(field: Field) -> st.SearchStrategy[object]:
    """Any valid document value of a field."""
    match field.strictness:
        case AtMost(low, high) | AtLeast(low, high) | LockedNumber(low, high) | Figure(low, high):
            return st.integers(low, high) | st.sampled_from([low, high])
        case Switch():
            return st.booleans()
        case Ordered(words):
            return st.sampled_from(words)
        case Allowed(None):
            return st.sets(st.sampled_from(["text/plain", "image/png", "a/b"])).map(sorted)
        case Allowed(choices) | Required(choices):
            return st.sets(st.sampled_from(choices[:12])).map(sorted)  # of the hours half: some must be left for mail
        case Waits(low, high, count):
            return st.lists(st.integers(low, min(high, 60)), min_size=count, max_size=count).map(sorted)
        case Within(optional):
            written = st.builds(Span, st.integers(1, 250), st.sampled_from([MINUTES, BUSINESS_HOURS, BUSINESS_DAYS]))
            return written.map(str) | st.sampled_from([NONE] if optional else ["1 h"])
        case Named():
            return st.just(
                {"zone": "Asia/Tokyo", "country": "DE-BY", "hours": "08:00-24:00", "region": "sa-east-1"}[field.name]
            )
    raise AssertionError(field)


@st.composite
def partial(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    doc: dict[str, dict[str, object]] = {}
    for field in draw(st.lists(st.sampled_from(FIELDS), max_size=4, unique_by=lambda f: f.path)):
        doc.setdefault(field.section, {})[field.name] = draw(values(field))
    return doc


@st.composite
def complete(draw: st.DrawFn) -> Policy:
    """Some forty fields of a promise are others; to draw all of them takes longer than a busy machine has."""
    doc: dict[str, dict[str, object]] = {section: dict(PROMISE[section]) for section in SECTIONS}
    for field in draw(st.lists(st.sampled_from(FIELDS), max_size=40, unique_by=lambda f: f.path)):
        doc[field.section][field.name] = draw(values(field))
    doc["bounce"]["soft_window_minutes"] = 20_160
    return from_document(doc)


@given(complete(), st.lists(partial(), max_size=5))
def test_resolving_never_yields_looser_than_any_level(promise: Policy, docs: list[dict]) -> None:
    below = [level for level in LEVELS[1:] if level != "plan"]
    levels = [("promise", to_document(promise)), *zip(below, docs, strict=False)]
    try:
        resolved = resolve(levels)
    except (PolicyLoosened, PolicyInvalid):
        return
    assert looser_fields(promise, resolved) == ()
    for _, doc in levels:
        for field in FIELDS:
            if field.name in doc.get(field.section, {}):
                asked = doc[field.section][field.name]
                frozen = tuple(asked) if isinstance(asked, list) else asked
                assert not field.strictness.looser(frozen, value_of(resolved, field.path))


@settings(suppress_health_check=[HealthCheck.too_slow])  # whole policies: eighty draws each, on a busy machine
@given(complete(), complete())
def test_a_level_passes_exactly_when_no_field_is_looser_and_no_fact_another(above: Policy, below: Policy) -> None:
    facts = [each.path for each in FIELDS if isinstance(each.strictness, Named | Figure)]
    looser = {*looser_fields(above, below), *(f for f in facts if value_of(above, f) != value_of(below, f))}
    if not looser:
        assert resolve([("promise", to_document(above)), ("tenant", to_document(below))]) == below
        return
    with pytest.raises(PolicyLoosened) as caught:
        resolve([("promise", to_document(above)), ("tenant", to_document(below))])
    assert caught.value.level == "tenant"
    assert caught.value.field in looser
    assert caught.value.theirs == thaw(value_of(above, caught.value.field))
    assert caught.value.ours == thaw(value_of(below, caught.value.field))
    assert "may only" in str(caught.value)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(complete(), min_size=1, max_size=3))
def test_the_strictest_is_looser_than_none_and_one_of_theirs(policies: list[Policy]) -> None:
    knobs = strictest(policies)
    for field in FIELDS:
        if field.section != "installation":
            continue
        met = getattr(knobs, field.name)
        theirs = [value_of(policy, field.path) for policy in policies]
        assert not any(field.strictness.looser(value, met) for value in theirs)
        assert met in theirs
    assert strictest(reversed(policies)) == knobs


@given(st.sampled_from([f for f in FIELDS if "Locked" not in type(f.strictness).__name__]), st.data())
def test_meeting_is_the_loosest_that_is_looser_than_neither(field: Field, data: st.DataObject) -> None:
    one, other, third = (tuple(v) if isinstance(v, list) else v for v in (data.draw(values(field)) for _ in range(3)))
    rule = field.strictness
    met = rule.meet(one, other)
    assert not rule.looser(one, met)
    assert not rule.looser(other, met)
    if not rule.looser(one, third) and not rule.looser(other, third):
        assert not rule.looser(met, third)


def test_a_locked_value_meets_only_itself() -> None:
    assert LockedNumber(1, 9).meet(2, 2) == 2
    with pytest.raises(ValueError, match="locked"):
        LockedNumber(1, 9).meet(1, 2)


@given(complete())
def test_a_document_round_trips_and_is_plain(policy: Policy) -> None:
    doc = to_document(policy)
    assert from_document(json.loads(json.dumps(doc))) == policy
    assert json.dumps(doc).isascii()
    assert "." not in "".join(str(value) for body in doc.values() for value in body.values() if isinstance(value, int))
    assert validate(doc, complete=True) == []


@pytest.mark.parametrize(
    ("doc", "field", "code"),
    [
        ([], "", "bad-type"),
        ({"limit": {}}, "limit", "unknown-field"),
        ({7: {}}, "7", "unknown-field"),
        ({"limits": 3}, "limits", "bad-type"),
        ({"limits": {"tenant_minute": 3}}, "limits.tenant_minute", "unknown-field"),
        ({"limits": {"tenant_hour": 0.5}}, "limits.tenant_hour", "bad-value"),
        ({"limits": {"tenant_hour": True}}, "limits.tenant_hour", "bad-value"),
        ({"limits": {"tenant_hour": -1}}, "limits.tenant_hour", "bad-value"),
        ({"content": {"max_recipients": 51}}, "content.max_recipients", "bad-value"),
        ({"content": {"raw": 1}}, "content.raw", "bad-value"),
        ({"content": {"attachment_types": "text/plain"}}, "content.attachment_types", "bad-value"),
        ({"content": {"attachment_types": ["b/b", "a/a"]}}, "content.attachment_types", "bad-value"),
        ({"content": {"attachment_types": ["a/é"]}}, "content.attachment_types", "bad-value"),
        ({"content": {"attachment_types": [7]}}, "content.attachment_types", "bad-value"),
        ({"recipients": {"pathways": ["bought-list"]}}, "recipients.pathways", "bad-value"),
        ({"delivery": {"uncertain": "forget"}}, "delivery.uncertain", "bad-value"),
        ({"delivery": {"uncertain": ["hold"]}}, "delivery.uncertain", "bad-value"),
        ({"domain": {"dkim_bits": 1024}}, "domain.dkim_bits", "bad-value"),
        ({"bounce": {"soft_retry_minutes": []}}, "bounce.soft_retry_minutes", "bad-value"),
        ({"bounce": {"soft_retry_minutes": [1, 2, 3, 4]}}, "bounce.soft_retry_minutes", "bad-value"),
        ({"bounce": {"soft_retry_minutes": [3, 1]}}, "bounce.soft_retry_minutes", "bad-value"),
        ({"bounce": {"soft_retry_minutes": [0]}}, "bounce.soft_retry_minutes", "bad-value"),
        (
            {"bounce": {"soft_retry_minutes": [60, 60], "soft_window_minutes": 100}},
            "bounce.soft_retry_minutes",
            "inconsistent",
        ),
    ],
)
def test_a_wrong_document_is_told_where(doc: object, field: str, code: str) -> None:
    assert [(problem.field, problem.code) for problem in validate(doc)] == [(field, code)]
    assert all(problem.hint for problem in validate(doc))


def test_a_wrong_level_is_named() -> None:
    with pytest.raises(PolicyInvalid, match=r"tenant policy: limits\.tenant_hour must be an integer") as caught:
        resolve([("promise", PROMISE), ("tenant", {"limits": {"tenant_hour": "5"}})])
    assert (caught.value.level, caught.value.problems[0].field) == ("tenant", "limits.tenant_hour")


def test_a_promise_is_complete() -> None:
    missing = validate({}, complete=True)
    assert {problem.code for problem in missing} == {"missing-field"}
    assert len(missing) == len(FIELDS)
    with pytest.raises(PolicyInvalid):
        resolve([("promise", {})])


def test_a_promise_approved_before_a_section_existed_is_read_as_the_strictest_profile() -> None:
    earlier = {name: body for name, body in PROMISE.items() if name not in ("governance", "access", "records")}
    read = resolve([("promise", earlier)])
    profiles = [load_profile(name).policy for name in PROFILES]
    for field in FIELDS:
        if field.section not in earlier:
            theirs = [value_of(profile, field.path) for profile in profiles]
            assert not any(field.strictness.looser(value, value_of(read, field.path)) for value in theirs)
            assert value_of(read, field.path) in theirs
    assert {p.field.partition(".")[0] for p in validate(earlier, complete=True)} == {"governance", "access", "records"}
    with pytest.raises(PolicyInvalid, match=r"access\.sessions is missing"):
        resolve([("promise", {**earlier, "access": {"idle_minutes": 5}})])


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["tenant"],
        ["promise", "tenant", "operator"],
        ["promise", "promise"],
        ["promise", "friend"],
        ["operator", "promise"],
    ],
)
def test_levels_have_an_order(names: list[str]) -> None:
    with pytest.raises(PolicyError, match="always first"):
        resolve([(name, PROMISE) for name in names])


def test_there_are_no_knobs_without_a_programme() -> None:
    with pytest.raises(PolicyError, match="no programme"):
        strictest([])


def test_the_profiles_keep_the_claims_numbers() -> None:
    profile = {name: load_profile(name).policy for name in PROFILES}
    assert {n: p.bounce.soft_retry_minutes for n, p in profile.items()} == {
        "property": (60, 360, 2160),
        "construction": (30, 180, 1080),
        "retail": (60, 360, 2160),
    }
    assert [profile[n].bounce.soft_window_minutes // 60 for n in PROFILES] == [48, 24, 48]
    assert [profile[n].anomaly.percent for n in PROFILES] == [150, 200, 200]
    assert [profile[n].anomaly.action for n in PROFILES] == ["stop-new", "stop-delivery", "slow"]
    assert profile["construction"].anomaly.review_minutes == 30
    assert [profile[n].access.review_days for n in PROFILES] == [366, 92, 92]
    assert [profile[n].records.change_days for n in PROFILES] == [365, 3650, 730]
    for policy in profile.values():
        assert (policy.governance.approvers, policy.access.idle_minutes, policy.access.key_days) == (1, 30, 90)
        assert (policy.access.unused_days, policy.access.leaver_hours, policy.access.sessions) == (90, 24, 5)
        assert (policy.records.access_days, policy.records.request_days, policy.records.grant_days) == (365, 90, 365)
        assert policy.bounce.hard_suppresses
        assert policy.domain.required == ("dkim", "dmarc-reject", "spf")
        assert (policy.domain.dkim_bits, policy.domain.grace_minutes) == (2048, 120)
        assert policy.content.max_recipients == 50
        assert policy.delivery.lifetime_minutes >= policy.bounce.soft_window_minutes
    assert load_profile("retail").plans["free"] == {"limits": {"tenant_hour": 100}}
    assert strictest(profile.values()).batch_emails == 500


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(PolicyError, match=r"no profile '\.\./secrets'"):
        load_profile("../secrets")


def test_a_plan_that_loosens_its_promise_does_not_load() -> None:
    lines = [
        f"[policy.{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in body.items())
        for section, body in PROMISE.items()
    ]
    source = 'title = "x"\n' + "".join(lines)
    assert parse_profile("x", source).plans == {}
    with pytest.raises(PolicyLoosened):
        parse_profile("x", source + "[plans.gold.limits]\ntenant_hour = 99999\n")


def test_a_plan_stays_below_a_tenants_own_policy_and_never_loosens_the_operators() -> None:
    retail = load_profile("retail")
    base = [("promise", retail.document), ("operator", {"limits": {"tenant_hour": 700}})]
    plus, free = (("plan", retail.plans[name]) for name in ("plus", "free"))
    assert resolve([*base, plus]).limits.tenant_hour == 700  # the operator's, as the plan has 5000
    assert resolve([*base, free]).limits.tenant_hour == 100
    assert resolve([*base, free, ("tenant", {"limits": {"tenant_hour": 20}})]).limits.tenant_hour == 20
    with pytest.raises(PolicyLoosened, match="to 101 where a level above has 100"):
        resolve([*base, free, ("tenant", {"limits": {"tenant_hour": 101}})])


def test_every_field_is_documented() -> None:
    page = policy_markdown()
    assert all(f"`{field.path}` | {field.meaning}" in page and field.strictness.words in page for field in FIELDS)


@pytest.mark.parametrize(
    ("rule", "loose", "strict"),
    [
        (AtMost(0, 9), 9, 1),
        (AtLeast(0, 9), 1, 9),
        (Switch(strict=True), False, True),
        (Switch(strict=False), True, False),
        (Ordered(("redeliver", "hold")), "redeliver", "hold"),
        (Allowed(), ("a/a", "b/b"), ("a/a",)),
        (Required(("a", "b")), ("a",), ("a", "b")),
    ],
)
def test_what_stricter_means(rule, loose, strict) -> None:
    assert rule.looser(strict, loose)
    assert not rule.looser(loose, strict)
    assert not rule.looser(strict, strict)
    assert rule.meet(loose, strict) == rule.meet(strict, loose) == strict


def test_the_page_of_policies_lists_every_field_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert policy_markdown() in page, "write docs/policies.md anew from policy_markdown()"


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("complaint_review", 240, "a length in words"),
        ("complaint_review", "4 weeks", "must be a length"),
        ("complaint_review", "240 min", "must be written as 4 h"),
        ("complaint_review", "none", "no leaving it out"),
        ("zone", "Mars/Olympus", "a time zone"),
        ("zone", None, "must be a text"),
        ("country", "Germany", "a country"),
        ("hours", "17:00-09:00", "business hours"),
    ],
)
def test_a_wrong_length_or_fact_is_said_so(field: str, value: object, hint: str) -> None:
    (found,) = validate({"cases": {field: value}})
    assert (found.field, found.code) == (f"cases.{field}", "bad-value")
    assert hint in found.hint


def test_spans_get_shorter_and_no_level_below_the_promise_names_another_zone() -> None:
    promise = to_document(load_profile("construction").policy)
    shorter = [("promise", promise), ("tenant", {"cases": {"complaint_review": "4 h", "complaint_told": "1 h"}})]
    assert resolve(shorter).cases.complaint_told == "1 h", "where nothing was promised, anything is stricter"
    with pytest.raises(PolicyLoosened, match="may only shorten"):
        resolve([("promise", promise), ("operator", {"cases": {"complaint_review": "2 business days"}})])
    resolve([("promise", promise), ("operator", {"cases": {"zone": promise["cases"]["zone"]}})])
    for field, value in (("zone", "Asia/Tokyo"), ("country", ""), ("hours", "08:00-18:00")):
        with pytest.raises(PolicyLoosened, match="the programme's promise says it"):
            resolve([("promise", promise), ("tenant", {"cases": {field: value}})])


def test_a_programme_names_its_own_zone_under_the_same_profile() -> None:
    promise = to_document(load_profile("retail").policy)
    promise["cases"] |= {"zone": "Asia/Tokyo", "country": "JP"}
    assert looser_fields(load_profile("retail").policy, from_document(promise)) == ()
