"""Control of VDP-1: a report of a weakness is answered and judged in time; nobody is named without consent."""

from troth.control.trust import desks, fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import EMPTY, NOTHING

_FIELDS = {"acknowledge": "disclosure_acknowledged", "assess": "disclosure_assessed", "update": "disclosure_updated"}
_CREDIT = ("disclosure_consent_v1", "disclosure_consented_v1", "disclosure_publish_v1", "disclosure_thanks_v1")


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    desks.stands(findings, look, *_CREDIT)
    findings.take(fences.tables(look.schema, "disclosure_credit"))
    answer = look.attempt("unnamed", programme.code, query=desks.ATTEMPT)
    findings.need(answer in (EMPTY, NOTHING), f"thanks without consent met {answer}, not {EMPTY}")
    desks.measure(findings, look, programme, "disclosure", _FIELDS)
    if not findings.seen.get("assess_over"):
        findings.missing.append(f"no report of a weakness was judged in 90 days; {findings.seen['cases']} came")
    return findings.done()


CONTROL = Control(
    "VDP-1",
    "vdp_1",
    HOUR,
    "Each report of a weakness of the last 90 days has the clocks that the profile promises, no longer than promised "
    "in business time; those that are over are counted, and each one that was missed is a failure, as is a letter put "
    "aside that nobody did by then; and a name without "
    "its bearer's consent is tried to be written each time.",
    check,
)
