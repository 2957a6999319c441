"""Control of CMP-1: who complains is suppressed at once; an incident opens, and is reviewed in time."""

from datetime import timedelta
from typing import LiteralString

from troth.control.trust import complaints
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme, Tenant
from troth.control.trust.measures import BROKEN
from troth.rules import cases
from troth.rules.business_time import due, parse_span
from troth.rules.policy import Policy
from troth.rules.strictness import NONE

_CLOCKS: LiteralString = "SELECT * FROM complaint_clocks_v1(%s, %s)"
_MOMENT = timedelta(minutes=1)  # the case's opening and its clocks are two readings
_FIELDS = {"review": "complaint_review", "told": "complaint_told"}
_FACTS = {
    "told": "complaints are not both an event of their message and a record",
    "suppressed": "complaints did not suppress their recipient in the same moment",
    "cases": "complaints have no incident with a deadline and with what is known of the recipient",
    "reviews": "incidents of complaints were not reviewed in time",
    "findings": "incidents of complaints were resolved without a person's words",
    "client-success": "incidents of complaints were not told to client success in time",
}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    complaints.stands(
        findings, look, "complaint_clocks_v1", "case_open_v1", "case_note_v1", "case_step_v1", "case_start"
    )
    complaints.attempted(
        findings, look,
        {"complaint": complaints.DONE, "without-suppression": BROKEN, "without-event": BROKEN, "without-case": BROKEN},
    )  # fmt: skip
    complaints.unchanging(findings, look)
    complaints.counted(findings, look, programme, _FACTS)
    for tenant, policy in complaints.clients(look, programme):
        _deadlines(findings, look, programme, tenant, policy)
    return findings.done()


def _deadlines(findings: Findings, look: Look, programme: Programme, tenant: Tenant, policy: Policy | None) -> None:
    """Each clock was started with no more time than the profile promises, in the business time that is in force."""
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    promised = complaints.promise(programme)
    with look.of(tenant.id) as connection:
        clocks = connection.execute(_CLOCKS, (tenant.id, look.now - LOG)).fetchall()
    started: dict[str, set[str]] = {}
    for reference, name, opened, ends in clocks:
        started.setdefault(reference, set()).add(name)
        span: str = getattr(promised.cases, _FIELDS[name])
        if span != NONE:
            latest = due(opened, parse_span(span), cases.calendar(policy)) + _MOMENT
            findings.need(ends <= latest, f"the {name} of {reference} is due at {ends}, promised within {span}")
    wanted = {name for name, field in _FIELDS.items() if getattr(promised.cases, field) != NONE}
    for reference, there in started.items():
        findings.need(wanted <= there, f"{reference} has no clock of {', '.join(sorted(wanted - there))}")


CONTROL = Control(
    "CMP-1",
    "cmp_1",
    HOUR,
    "A whole complaint is carried out and undone, and one without its suppression, its event or its incident must be "
    "refused; each complaint of the last 90 days is its message's event, has suppressed its recipient in the same "
    "moment and has an incident, whose deadlines are compared with the promise and with the clock, and whose review a "
    "person wrote down. Which team reviewed it, and what the words say of the cause, is not measured.",
    check,
)
