"""Control of RCP-4: verification status is checked again, against the suppression list, before each send."""

from typing import Any

import msgspec

from troth.control.trust import fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, count, refused
from troth.rules import facts as f
from troth.rules.checks import not_suppressed, recipient_verified
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.states import State

_FUNCTIONS = ("verify_person_v1", "account_person_v1", "erase_person_v1", "suppress_v1", "opt_out_v1")
_STOPS = {
    MarkVerdict.SUPPRESSED: State.SUPPRESSED,
    MarkVerdict.UNVERIFIED: State.HELD,
    MarkVerdict.ERASED: State.CANCELLED,
}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    if not count(findings, look, "verified", programme, "verified people have no proof of it"):
        findings.missing.append("nobody is verified yet")
    count(findings, look, "sent-unverified", programme, "sent messages went to somebody who was not verified")
    count(findings, look, "sent-suppressed", programme, "sent messages went to somebody who had been suppressed")
    told_rows.as_told(findings, look, programme, "links")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "person", "confirmation", "suppression", "opt_out", "spool"))
    findings.take(fences.checks(
        schema, "person", "status IN (1, 2, 4)", "status <> 2 OR (verified_at IS NOT NULL AND pathway IS NOT NULL)",
        "(status = 4) = (erased_at IS NOT NULL)"))  # fmt: skip
    findings.take(fences.keys(schema, "person", "UNIQUE (tenant_id, blind_index)"))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    for one in (recipient_verified, not_suppressed):
        findings.need(rehearsal.position(one.check) >= 0, f"the gate's chain leaves out {one.CHECK}")
    for verdict, state in _STOPS.items():
        findings.need(MARK_OUTCOME[verdict].target is state, f"the mark's {verdict.name.lower()} stops nothing")
    refused(findings, look, {"person-unproven": BROKEN})


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    person = rehearsal.good(policy, look.now).recipient
    assert person is not None

    def status(word: str) -> dict[str, Any]:
        return {"recipient": msgspec.structs.replace(person, status=word)}

    listed = {"suppression": f.Suppression(listed=True, reason="hard_bounce")}
    findings.take(rehearsal.rehearse(policy, look.now, {"recipient-erased": status("erased"), "suppressed": listed}))
    for word in ("pending", "unknown", "expired"):
        findings.take(rehearsal.rehearse(policy, look.now, {"recipient-unverified": status(word)}))


CONTROL = Control(
    "RCP-4",
    "rcp_4",
    HOUR,
    "The database takes nobody as verified without a way and a time (tried each time); whoever is verified is "
    "compared with the confirmation that proves it; and no message of the last 90 days went to somebody "
    "unverified, erased or suppressed.",
    check,
)
