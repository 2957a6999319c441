"""Control of LIM-2: each template may be sent so often, and to one recipient so often in a day, and no more."""

from troth.control.trust import limits, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.rules.checks import rate_recipient, rate_template


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    limits.stands(
        findings, look, {one.CHECK: one.check for one in (rate_template, rate_recipient)}, ("recipient-over",)
    )
    for tenant in look.of_programme(programme):
        places = {("template", "hour"): "rate-limited", ("recipient", "day"): "recipient-limit-reached"}
        findings.take(limits.spent(look, tenant, places))
    if not limits.counted(
        findings, look, "template-counters", programme, "counters of templates are above what may be"
    ):
        findings.missing.append("nothing was counted yet")
    told_rows.as_told(findings, look, programme, "templates counted")
    limits.counted(findings, look, "recipients-flooded", programme, "recipients got more of a template in a day")
    return findings.done()


CONTROL = Control(
    "LIM-2",
    "lim_2",
    HOUR,
    "The database takes no counter of a template or a recipient above its cap (tried each time); the messages of the "
    "last 90 days are counted by recipient, template and day; and the gate's rules refuse when shown a full one.",
    check,
)
