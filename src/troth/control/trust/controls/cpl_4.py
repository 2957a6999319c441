"""Control of CPL-4: CASL: consent is verified, the sender named, and an unsubscription done in time: at once."""

from typing import Any

import msgspec

from troth.control.trust import consenting, fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED, refused
from troth.rules import facts as f
from troth.rules.checks import consent_held
from troth.rules.consent import NEEDED

_CHECKS = (
    "kind IN (1, 2, 3)",
    "kind = 3 OR detail_ct IS NOT NULL",
    "kind <> 3 OR expires_at IS NULL",
    "expires_at > at",
    "basis <> 'confirmation' OR kind <> 1 OR category_id IS NOT NULL",
)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    consenting.stands(findings, look, "consent_v1", "consent_stands_v1")
    findings.take(fences.checks(look.schema, "consent", *_CHECKS))
    findings.need(rehearsal.position(consent_held.check) >= 0, "the gate's chain does not look at consent")
    refused(findings, look, {"opt-out-delete": DENIED})
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    consenting.counted(findings, look, programme, "sent-on-consent")
    consenting.counted(findings, look, programme, "opt-outs")
    told_rows.as_told(findings, look, programme, "consents told", "opt-ins told")
    if not consenting.said(findings, look, programme):
        findings.missing.append("no message was sent in the last 90 days")
    return findings.done()


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    category = rehearsal.good(policy, look.now).category
    assert category is not None
    needs = msgspec.structs.replace(category, lawful_basis=NEEDED)

    def consent(state: str) -> dict[str, Any]:
        return {"category": needs, "consent": f.Consent(state, "implied", "inquiry", look.now)}

    cases = {
        "consent-missing": consent("none"),
        "consent-expired": consent("expired"),
        "consent-withdrawn": consent("withdrawn"),
        "store-unavailable": {"category": needs, "consent": None},
    }
    findings.take(rehearsal.rehearse(policy, look.now, cases))


CONTROL = Control(
    "CPL-4",
    "cpl_4",
    HOUR,
    "Messages of categories that are sent on consent are compared with the consent ledger as it was when they went "
    "out; the ledger takes no consent without its wording, none from a confirmation page without its purpose, and no "
    "implied consent without its end; each opt-out that was told was carried out within a minute; each message names "
    "its approved sender and postal address; and the "
    "gate's own rule is shown consent that is missing, run out, taken back or unknown.",
    check,
)
