"""Control of CHG-2: a sending-rule change needs a second authorised person."""

from troth.control.trust import governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    """Rules of sending are policies and categories; a key's scope and a domain are their own claims' business."""
    findings = Findings()
    if not governance.four_eyes(findings, look, programme, "policy", "category"):
        findings.missing.append("there is no policy and no category yet")
    for tenant in look.of_programme(programme) if programme else look.tenants:
        findings.need(look.policy(tenant) is not None, f"no policy of two people's is in force for {tenant.id}")
    return findings.done()


CONTROL = Control(
    "CHG-2",
    "chg_2",
    HOUR,
    "A policy and a category are proposed for the attempt: one person alone, in five ways, must not bring either "
    "into force; every version is compared with its proposal, its approvals and the ledger.",
    check,
)
