"""Cases: what a pattern of complaints is made of: the incidents of its client within the hours that the policy says."""

from datetime import timedelta
from uuid import UUID

from troth.control.incidents import acts, reading
from troth.control.incidents.reading import Case, Filters, Line
from troth.control.people.actor import Actor

CAUSE = "complaint-pattern"
_MOST = 200  # incidents that are looked at
_LAST = UUID(int=2**128 - 1)


def incidents(actor: Actor, case: Case) -> list[Line]:
    """The newest first; none of a case that is no pattern."""
    if case.cause != CAUSE:
        return []
    hours = max(policy.cases.complaint_pattern_hours for policy in acts.policies(actor, case))
    until = case.opened_at + timedelta(minutes=1)  # one transaction opens both
    found = reading.listed(actor, Filters(kind="incident", state="", before=(until, _LAST)), _MOST)
    since = case.opened_at - timedelta(hours=hours)
    return [each for each in found if each.cause == "complaint" and each.tenant == case.tenant
            and each.opened_at > since]  # fmt: skip
