"""Control of CPL-3: CAN-SPAM: who sends it, a working opt-out, and a postal address in each message."""

from typing import Any

import msgspec

from troth.control.trust import by_mail, consenting, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.controls.eml_7 import stoppable
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED, count, refused


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    consenting.stands(findings, look)
    refused(findings, look, {"opt-out-delete": DENIED, "event-update": DENIED})
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    consenting.counted(findings, look, programme, "senders")
    consenting.counted(findings, look, programme, "opt-outs")
    count(findings, look, "sent-suppressed", programme, "sent messages went to somebody who had opted out")
    told_rows.as_told(findings, look, programme, "opt-ins told")
    stoppable(findings, look, programme)
    by_mail.answered(findings, look, programme)
    if not consenting.said(findings, look, programme):
        findings.missing.append("no message was sent in the last 90 days")
    return findings.done()


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    good = rehearsal.good(policy, look.now)
    assert good.tenant is not None
    assert good.category is not None
    nowhere: dict[str, Any] = {"tenant": msgspec.structs.replace(good.tenant, addressed=False)}
    nameless: dict[str, Any] = {"category": msgspec.structs.replace(good.category, named=False)}
    other: dict[str, Any] = {"email": msgspec.structs.replace(good.email, from_asked="someone@else.example")}
    for case in ({"sender-unidentified": nowhere}, {"sender-unidentified": nameless}, {"sender-mismatch": other}):
        findings.take(rehearsal.rehearse(policy, look.now, case))


CONTROL = Control(
    "CPL-3",
    "cpl_3",
    HOUR,
    "Each sent message that is looked at names its approved sender, carries under its content the client's name and "
    "postal address as two people approved them, and has a one-click opt-out under its signature; where it offers one "
    "by mail, too, the server that takes that mail gives signs of life; each opt-out that was told has its row, which "
    "cannot be removed (tried each time); nobody who opted out was written to; and the gate's own rule is shown a "
    "sender without an address.",
    check,
)
