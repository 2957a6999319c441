"""Control of CMP-2: a pattern of complaints suspends the account that sends until it has been looked into."""

from typing import LiteralString

from troth.control.trust import complaints
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme, Tenant
from troth.control.trust.measures import DENIED
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.policy import Policy
from troth.rules.states import State

_PATTERNS: LiteralString = "SELECT * FROM complaint_patterns_v1(%s, %s, %s, %s)"
_UNREADY = "55000"  # object not in prerequisite state


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    complaints.stands(
        findings,
        look,
        "complaint_pattern_v1",
        "complaint_patterns_v1",
        "complaints_looked_into",
        "pause_v1",
        "apply_release",
    )
    complaints.attempted(findings, look, {"let-go": _UNREADY, "change-complaint": DENIED, "change-delete": DENIED})
    findings.need(MARK_OUTCOME[MarkVerdict.PAUSED].target is State.HELD, "the mark does not stop what is paused")
    complaints.counted(
        findings, look, programme, {"sent while stopped": "clients sent mail while they were stopped for complaints"}
    )
    patterns = 0
    for tenant, policy in complaints.clients(look, programme):
        patterns += _client(findings, look, programme, tenant, policy)
    findings.seen["complaints_in_patterns"] = patterns
    return findings.done()


def _client(findings: Findings, look: Look, programme: Programme, tenant: Tenant, policy: Policy | None) -> int:
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return 0
    promised, rules = complaints.promise(programme).cases, policy.cases
    findings.need(rules.complaint_suspends, f"the policy of {tenant.id} stops nobody for complaints")
    findings.need(
        rules.complaint_pattern <= promised.complaint_pattern
        and rules.complaint_pattern_hours >= promised.complaint_pattern_hours,
        f"the policy of {tenant.id} sees a pattern later than promised",
    )
    given = (tenant.id, promised.complaint_pattern, promised.complaint_pattern_hours, look.now - LOG)
    with look.of(tenant.id) as connection:
        row = connection.execute(_PATTERNS, given).fetchone()
    found, unstopped, example = row or (0, 0, None)
    findings.need(
        not unstopped, f"{unstopped} of {found} complaints made a pattern that stopped nobody, such as {example}"
    )
    return int(found)


CONTROL = Control(
    "CMP-2",
    "cmp_2",
    HOUR,
    "The policies in force are compared with the promise's numbers; every moment of the last 90 days in which a "
    "client's complaints made a pattern is looked for again, and must have stopped its delivery; nothing was sent "
    "while it was stopped; and letting a client go whose incident is not resolved is tried, and must be refused.",
    check,
)
