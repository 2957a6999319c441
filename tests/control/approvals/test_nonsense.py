"""Policies that make no sense are refused in words, before anybody is asked to approve them, and change nothing."""

import json

import pytest

from troth.control.approvals.changes import Proposal, propose
from troth.control.audit.refusals import Invalid
from troth.rules.profile import load_profile

_COUNT = "INSERT INTO rate_counter VALUES (%s, %s, %s, {start}, %s, 1000000)"
_HOUR = "date_trunc('hour', now_v1(), 'UTC')"
_DAY = "date_trunc('day', now_v1() AT TIME ZONE 'Europe/London') AT TIME ZONE 'Europe/London'"


@pytest.fixture
def page(database):
    """A connection as a page's."""
    return database.open("troth_control")


def refused(page, firm, kind, code, artefact, *, tenant=True, subject=None):
    """What is said of it; nothing is proposed."""
    before = firm.operator.admin.execute("SELECT count(*) FROM change").fetchone()
    proposal = Proposal(kind, code, artefact, "for the test", firm.tenant if tenant else None, subject)
    with pytest.raises(Invalid) as found:
        propose(page, firm.operator.sessions[0], proposal)
    assert firm.operator.admin.execute("SELECT count(*) FROM change").fetchone() == before
    return {each.field: each.hint for each in found.value.problems}


def spend(firm, scope, used, subject=None, start=None):
    start = start or (_DAY if scope in (2, 5) else _HOUR)
    firm.operator.database.fill(_COUNT.format(start=start), firm.tenant, scope, subject or firm.tenant, used)


NONSENSE = [
    ({"bounce": {"soft_window_minutes": 0}}, "bounce.soft_window_minutes", "must be from 1 to 20160, not 0"),
    ({"bounce": {"soft_window_minutes": -5}}, "bounce.soft_window_minutes", "not -5"),
    ({"bounce": {"soft_retry_minutes": [60, 360], "soft_window_minutes": 300}}, "bounce.soft_retry_minutes", "end within"),
    ({"bounce": {"soft_retry_minutes": [0, 1, 2]}}, "bounce.soft_retry_minutes", "must be from 1"),
    ({"limits": {"tenant_day": -1}}, "limits.tenant_day", "must be from 0"),
    ({"limits": {"tenant_day": 10**40}}, "limits.tenant_day", "must be from 0 to 100000000"),
    ({"limits": {"tenant_day": "many"}}, "limits.tenant_day", "must be an integer"),
    ({"limits": {"tenant_week": 5}}, "limits.tenant_week", "is not a field"),
    ({"delivery": {"lifetime_minutes": 0}}, "delivery.lifetime_minutes", "not 0"),
    ({"recipients": {"pathways": []}}, "recipients.pathways", "nobody could be mailed"),
    ({"quiet": {"hours": [f"{hour:02}" for hour in range(24)]}}, "quiet.hours", "must leave an hour"),
]  # fmt: skip


@pytest.mark.parametrize("level", ["client", "operator", "promise"])
def test_what_makes_no_sense_is_refused_at_every_level(page, firm, level):
    for document, field, says in NONSENSE:
        if level == "promise":
            whole = json.loads(json.dumps(load_profile("property").document))
            for section, body in document.items():
                whole[section] = whole[section] | body
            found = refused(page, firm, "policy", "programme:p-firm", whole, tenant=False)
        else:
            code = "tenant" if level == "client" else "operator"
            found = refused(page, firm, "policy", code, document, tenant=level == "client")
        assert says in found[f"policy.{field}"], (field, found)


@pytest.mark.parametrize(
    ("name", "scope", "who"),
    [("tenant_hour", 1, None), ("tenant_day", 2, None), ("key_hour", 3, "key"), ("template_hour", 4, "template"),
     ("recipient_template_day", 5, "category")],
)  # fmt: skip
@pytest.mark.parametrize("level", ["client", "operator"])
def test_a_limit_below_what_is_spent_is_refused_with_both_numbers(page, firm, level, name, scope, who):
    spend(firm, scope, 1240, getattr(firm, who) if who else None)
    code = "tenant" if level == "client" else "operator"
    found = refused(page, firm, "policy", code, {"limits": {name: 1239}}, tenant=level == "client")
    said = found[f"policy.limits.{name}"]
    assert "A limit of 1,239 lies below what is spent already: " in said
    assert "Firm firm has sent 1,240 messages" in said
    assert "Give 1,240 or more" in said
    proposal = Proposal("policy", code, {"limits": {name: 1240}}, "fits", firm.tenant if level == "client" else None)
    assert propose(page, firm.operator.sessions[0], proposal)


def test_what_was_spent_before_or_is_not_lowered_stands_in_nobodys_way(page, firm):
    spend(firm, 1, 900, start=f"{_HOUR} - interval '1 hour'")
    spend(firm, 2, 900, start=f"{_DAY} - interval '1 day'")
    spend(firm, 1, 900, subject=firm.key)  # a test key's, which counts apart
    propose(page, firm.operator.sessions[0],
            Proposal("policy", "tenant", {"limits": {"tenant_hour": 10, "tenant_day": 10}}, "x", firm.tenant))  # fmt: skip


def test_the_promise_itself_is_not_lowered_below_what_a_client_has_spent(page, firm):
    spend(firm, 2, 77)
    promise = json.loads(json.dumps(load_profile("property").document))
    promise["limits"] = {name: min(value, 76) for name, value in promise["limits"].items()}
    found = refused(page, firm, "policy", "programme:p-firm", promise, tenant=False)
    assert "76" in found["policy.limits.tenant_day"]


def test_a_categorys_and_a_keys_own_limits_are_held_against_their_own_counters(page, firm):
    operator = firm.operator
    spend(firm, 4, 50, firm.template)
    spend(firm, 3, 50, firm.key)
    rent = json.loads(operator.admin.execute(
        "SELECT artefact FROM snapshot WHERE id = %s", (operator.snapshot(firm.category),)).fetchone()[0])  # fmt: skip
    lower = rent | {"policy": {"limits": {"template_hour": 49}}}
    assert (
        "50 messages of one template" in refused(page, firm, "category", "rent", lower)["policy.limits.template_hour"]
    )
    key = json.loads(operator.admin.execute(
        "SELECT artefact FROM snapshot WHERE id = %s", (operator.snapshot(firm.key),)).fetchone()[0])  # fmt: skip
    tight = key | {"policy": {"limits": {"key_hour": 49}}}
    found = refused(page, firm, "api-key", "key", tight, subject=firm.key)
    assert "an API key of Firm firm has sent 50 messages" in found["policy.limits.key_hour"]
    # another category's templates, and another key, have spent nothing
    other = rent | {"policy": {"limits": {"template_hour": 49}}}
    assert propose(page, operator.sessions[0], Proposal("category", "other", other, "x", firm.tenant))
    fresh = key | {"policy": {"limits": {"key_hour": 49}}, "hash": "ab" * 32}
    assert propose(page, operator.sessions[0], Proposal("api-key", "fresh", fresh, "x", firm.tenant))


def test_a_smaller_plan_waits_until_what_is_spent_fits_it(page, database):
    from tests.support.firm import make_firm, make_operator

    firm = make_firm(make_operator(database), "shop", "retail")
    plans = load_profile("retail").plans
    small = min(plans, key=lambda name: plans[name].get("limits", {}).get("tenant_hour", 10**9))
    artefact = json.loads(firm.operator.admin.execute(
        "SELECT artefact FROM snapshot WHERE kind = 'tenant' AND subject = %s", (firm.tenant,)).fetchone()[0])  # fmt: skip
    spend(firm, 1, plans[small]["limits"]["tenant_hour"] + 1)
    found = refused(page, firm, "tenant", "shop", artefact | {"plan": small}, tenant=False, subject=firm.tenant)
    assert "lies below what is spent" in found["plan"]
