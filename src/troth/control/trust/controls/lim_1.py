"""Control of LIM-1: each client may send so much in an hour and a day, by its plan, and no more."""

from troth.control.trust import limits, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.rules.checks import rate_tenant_day, rate_tenant_hour
from troth.rules.profile import load_profile


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    limits.stands(
        findings,
        look,
        {one.CHECK: one.check for one in (rate_tenant_hour, rate_tenant_day)},
        ("client-over", "client-raised"),
    )
    for tenant in look.of_programme(programme):
        places = {("tenant", "hour"): "rate-limited", ("tenant", "day"): "daily-limit-reached"}
        findings.take(limits.spent(look, tenant, places))
        _tier(findings, look, programme, tenant)
    if not limits.counted(findings, look, "client-counters", programme, "counters of clients are above what may be"):
        findings.missing.append("nothing was counted yet")
    told_rows.as_told(findings, look, programme, "clients", "clients counted")
    return findings.done()


def _tier(findings: Findings, look: Look, programme: Programme, tenant: Tenant) -> None:
    """Where there are plans, the client's own number is its plan's, or less."""
    policy = look.policy(tenant)
    plan = load_profile(programme.profile).plans.get(tenant.plan)
    if policy is None or plan is None:
        return
    for name, number in plan.get("limits", {}).items():
        findings.need(getattr(policy.limits, name) <= number, f"{tenant.id} may send more than its plan: {name}")


CONTROL = Control(
    "LIM-1",
    "lim_1",
    HOUR,
    "The database takes no counter of a client above its cap (tried each time); no cap is above what its programme "
    "ever promised; every message of the last days was counted; and the gate's rules refuse when shown a full one.",
    check,
)
