"""Gate check: with this request, the tenant's last 24 hours are no anomaly (rules/anomaly.py).

The last message that is none passes; the next is held or refused, as the policy says, or slows the tenant. What a pause
in force means is said by tenant_not_paused.
Way out: a review by two people, who let the held mail go or refuse it.
"""

from troth.rules.anomaly import judge
from troth.rules.decision import Saw, Verdict, accept, hold, refuse, unknown
from troth.rules.facts import Facts

CHECK = "volume_usual"
CODES = ("anomaly-review", "anomaly-stop", "store-unavailable")


def check(facts: Facts) -> Verdict:
    volume, policy = facts.volume, facts.policy
    if volume is None or policy is None or facts.tenant is None:
        return unknown(CHECK, "how much was sent in the last days")
    if not volume.watched:
        return accept(CHECK, "Mail of this kind is not counted as the account's volume.")
    found = judge(volume.recent + volume.asking, volume.previous, policy, volume.reviewed)
    paused = facts.tenant.paused == "anomaly"
    saw: Saw = {
        "recent": volume.recent,
        "asking": volume.asking,
        "week": sum(volume.previous),
        "days": len(volume.previous),
        "reviewed": volume.reviewed,
        "raised": found.action is not None and not paused,
    }
    if found.action is None or found.action == "slow" or paused:
        return accept(CHECK, found.sentence, saw)
    if policy.anomaly.new_mail == "hold":
        return hold(CHECK, "anomaly-review", f"{found.sentence} It is held until a person has looked.", saw)
    return refuse(CHECK, "anomaly-stop", f"{found.sentence} Ask the operator: a person must look first.", saw)
