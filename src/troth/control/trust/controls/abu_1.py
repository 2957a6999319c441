"""Control of ABU-1: a report of abuse is answered and settled in time."""

from troth.control.trust import desks
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_FIELDS = {"acknowledge": "abuse_acknowledged", "resolve": "abuse_resolved"}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    desks.stands(findings, look)
    desks.measure(findings, look, programme, "abuse", _FIELDS)
    settled = findings.seen.get("resolve_over", 0)
    if not settled:
        findings.missing.append(f"no report of abuse was settled in 90 days; {findings.seen['cases']} came")
    return findings.done()


CONTROL = Control(
    "ABU-1",
    "abu_1",
    HOUR,
    "Each report of abuse of the last 90 days has the clocks that the profile promises, no longer than promised in "
    "business time; those that are over are counted, and each one that was missed is a failure, as is a letter put "
    "aside that nobody did by then; the tables in which "
    "a clock is met once, by the database's own time, are as they were shipped.",
    check,
)
