"""Gate check: the tenant's account is open.

Way out: the operator reopens the account.
"""

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "tenant_active"
CODES = ("tenant-inactive", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.tenant is None:
        return unknown(CHECK, "this account")
    if facts.tenant.state == "active":
        return accept(CHECK, "The account is active.", {"tenant": facts.tenant.id})
    sentence = "This account is not active, so it cannot send. Ask the operator to open it."
    return refuse(CHECK, "tenant-inactive", sentence, {"tenant": facts.tenant.id, "state": facts.tenant.state})
