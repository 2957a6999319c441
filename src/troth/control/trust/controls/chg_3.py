"""Control of CHG-3: an access grant needs a second authorised person."""

from troth.control.trust import governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    governance.four_eyes(findings, look, programme, "grant")
    accounts = governance.facts(look, "grants", programme)
    if not weigh(findings, look, accounts, "accounts", "accounts are not what an approved grant says"):
        findings.missing.append("there is nobody yet")
    return findings.done()


CONTROL = Control(
    "CHG-3",
    "chg_3",
    HOUR,
    "A grant is proposed for the attempt: one person alone, in five ways, must not bring it about; every account's "
    "role, client and person are compared with the grant that two people approved.",
    check,
)
