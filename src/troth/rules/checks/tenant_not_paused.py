"""Gate check: nobody has paused the tenant's sending.

A person's pause refuses. An anomaly's does what the policy says: hold or refuse new mail, or let it through slowed (the
hourly limits shrink, see rates).
Way out: the pause's release, by two people.
"""

from troth.rules.decision import Saw, Verdict, accept, hold, refuse, unknown
from troth.rules.facts import Facts
from troth.rules.policy import Policy

CHECK = "tenant_not_paused"
CODES = ("tenant-paused", "anomaly-review", "anomaly-stop", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.tenant is None or facts.policy is None:
        return unknown(CHECK, "whether sending is paused")
    if facts.tenant.paused is None:
        return accept(CHECK, "Sending is not paused.")
    if facts.tenant.paused == "anomaly":
        return _anomaly(facts.policy)
    sentence = (
        "Sending of this account, or of this category, is paused. It goes on when two people have released it; "
        "ask the operator."
    )
    return refuse(CHECK, "tenant-paused", sentence, {"paused": facts.tenant.paused})


def _anomaly(policy: Policy) -> Verdict:
    saw: Saw = {"paused": "anomaly", "action": policy.anomaly.action, "new_mail": policy.anomaly.new_mail}
    why = "The watch found this account's volume, bounces or complaints unusual"
    if policy.anomaly.action == "slow":
        return accept(CHECK, f"{why}: hourly limits are at {policy.anomaly.slow_percent} %.", saw)
    if policy.anomaly.new_mail == "hold":
        return hold(CHECK, "anomaly-review", f"{why}: new mail is held until a person has looked.", saw)
    sentence = f"{why}: new mail is refused until a person has looked. Ask the operator."
    return refuse(CHECK, "anomaly-stop", sentence, saw)
