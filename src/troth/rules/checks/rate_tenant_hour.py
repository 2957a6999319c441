"""Gate check: a tenant's messages an hour.

Way out: wait for the window's end, send fewer, or have the limit raised by an approved policy, up to the level above.
"""

from troth.rules.decision import Verdict
from troth.rules.facts import Facts
from troth.rules.rates import judge

CHECK = "rate_tenant_hour"
CODES = ("rate-limited", "store-unavailable")


def check(facts: Facts) -> Verdict:
    return judge(facts, CHECK, "rate-limited", "tenant", "hour")
