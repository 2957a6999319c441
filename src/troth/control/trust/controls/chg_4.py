"""Control of CHG-4: a manual override of sending needs a second authorised person."""

from troth.control.trust import fences, governance, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    """What overrides the sending by hand: letting held mail or a stop go, and writing to a suppressed address."""
    findings = Findings()
    governance.four_eyes(findings, look, programme, "release", "override")
    findings.take(fences.tables(look.schema, "pause", "release_order", "suppression_override"))
    findings.take(fences.functions(look.schema, "apply_release", "apply_override"))
    told_rows.as_told(findings, look, programme, "overrides", "releases", "pauses told")
    return findings.done()


CONTROL = Control(
    "CHG-4",
    "chg_4",
    HOUR,
    "A release and an override are proposed for the attempt: one person alone, in five ways, must not bring either "
    "about; every one that happened is compared with its proposal, its approvals and the ledger.",
    check,
)
