"""Control of RCP-1: nobody is written to whose address was not verified in an accepted way."""

from typing import Any

import msgspec

from troth.control.trust import fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, count, refused, weigh
from troth.rules.checks import recipient_verified
from troth.rules.policy import PATHWAYS
from troth.rules.profile import load_profile

_FACT = "SELECT * FROM recipient_fact_v1(%s, %s)"
_WAYS = "pathway IN ('confirmation-link', 'employer-invitation', 'multi-step', 'vendor-agreement')"


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    promised = frozenset(load_profile(programme.profile).policy.recipients.pathways)
    findings.seen["accepted"] = sorted(promised)
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant, promised)
    count(findings, look, "verified", programme, "verified people have no proof of it")
    sent = look.counted("sent-pathway", _FACT, programme)
    if not weigh(findings, look, sent, "sent", "sent messages went to somebody not verified in an accepted way"):
        findings.missing.append("nothing was sent yet")
    told_rows.as_told(findings, look, programme, "links")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "person", "confirmation", "person_event"))
    findings.take(fences.checks(
        schema, "person", "status <> 2 OR (verified_at IS NOT NULL AND pathway IS NOT NULL)",
        "status <> 2 OR pathway <> 'vendor-agreement' OR agreement IS NOT NULL"))  # fmt: skip
    findings.take(fences.checks(
        schema, "confirmation", _WAYS, "(pathway = 'vendor-agreement') = (agreement IS NOT NULL)",
        "pathway <> 'multi-step' OR code_hash IS NOT NULL", "tries >= 0 AND tries <= 5"))  # fmt: skip
    findings.take(fences.functions(schema, "verify_person_v1", "person_changed", "recipient_fact_v1"))
    findings.need(rehearsal.position(recipient_verified.check) >= 0, "the gate's chain leaves out recipient_verified")
    refused(findings, look, {"person-unproven": BROKEN})


def _gate(findings: Findings, look: Look, tenant: Tenant, promised: frozenset[str]) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    accepted = frozenset(policy.recipients.pathways)
    findings.need(accepted <= promised, f"{tenant.id} accepts {', '.join(sorted(accepted - promised))}")
    person = rehearsal.good(policy, look.now).recipient
    if person is None or person.pathway is None:
        return  # who accepts no pathway is written to by nobody

    def case(**changes: Any) -> dict[str, Any]:
        return {"recipient": msgspec.structs.replace(person, **changes)}

    for word in ("pending", "unknown", "expired"):
        findings.take(rehearsal.rehearse(policy, look.now, {"recipient-unverified": case(status=word)}))
    for pathway in sorted({*PATHWAYS, "by-magic"} - accepted):
        findings.take(rehearsal.rehearse(policy, look.now, {"pathway-not-accepted": case(pathway=pathway)}))


CONTROL = Control(
    "RCP-1",
    "rcp_1",
    HOUR,
    "The ways that each client accepts are compared with those promised; the gate's rules are shown recipients of "
    "every other way; whoever is verified is compared with what proves it; and each message of the last 90 days must "
    "have gone to somebody verified in an accepted way.",
    check,
)
