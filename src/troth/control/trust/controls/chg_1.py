"""Control of CHG-1: a template change needs a second authorised person before it is live: subject, body, targeting."""

from troth.control.trust import governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import count


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    if not governance.four_eyes(findings, look, programme, "template"):
        findings.missing.append("there is no template yet")
    count(findings, look, "email-template", programme, "emails were of a template that was not approved")
    return findings.done()


CONTROL = Control(
    "CHG-1",
    "chg_1",
    HOUR,
    "With a template proposed for the attempt, its author, whoever wrote on its draft, and a second person who was "
    "shown other words try to approve it, and must be refused; every version is compared with its proposal, its "
    "approvals and the ledger.",
    check,
)
