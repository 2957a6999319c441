"""Control of ACC-7: access reviews on a schedule."""

from troth.control.trust import access, fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, weigh

_QUARTER = 92  # days


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "review", "review_item", "review_decision"))
    findings.take(fences.functions(look.schema, "access_duty_v1", "review_duty", "review_begin", "review_lapse",
                                   "review_decide_v1", "review_decision_guard"))  # fmt: skip
    for days in access.least(look, programme, "review_days"):
        findings.need(days <= _QUARTER, f"a policy has a review every {days} days, not every quarter")
    access.tried(findings, look, {"decision-own": DENIED, "decision-delete": DENIED})
    there = access.facts(look, "reviewed", programme)
    reviews = weigh(findings, look, there, "reviews", "clients (or the staff) are overdue for a review")
    weigh(
        findings,
        look,
        access.facts(look, "decided", programme),
        "decisions",
        "reviewed people or keys are not as it was decided",
    )
    if not reviews:
        findings.missing.append("the first quarter is not over: no review was due, and none was begun")
    return findings.done()


CONTROL = Control(
    "ACC-7",
    "acc_7",
    HOUR,
    "Each client's and the staff's last review is compared with the date; each person and key in a closed one with "
    "what was decided, by somebody else, and with whether they still have access; deciding about oneself is tried.",
    check,
)
