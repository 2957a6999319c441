"""Control of CHG-5: suppression overrides and categories change under the same record."""

from troth.control.trust import governance, retention, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    if not governance.four_eyes(findings, look, programme, "category", "override"):
        findings.missing.append("there is no category yet")
    steps = governance.facts(look, "steps", programme)
    weigh(findings, look, steps, "steps", "changes lack a step's entry in the ledger")
    findings.take(retention.kept(look, programme, "CHG-5", "change_days"))
    told_rows.as_told(findings, look, programme, "overrides")
    return findings.done()


CONTROL = Control(
    "CHG-5",
    "chg_5",
    HOUR,
    "Each category and override is compared with its proposal, its reason, its approvals, and the digests of what "
    "was before and after that the ledger tells; one person's attempts at either must be refused; nothing deletes "
    "the record.",
    check,
)
