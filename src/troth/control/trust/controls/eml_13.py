"""Control of EML-13: exclusively transactional; every message belongs to an approved notification category."""

import msgspec

from troth.control.trust import fences, rehearsal
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, EMPTY, count, refused
from troth.rules.checks import category_approved


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        if policy is None:
            findings.wrong.append(f"no policy is in force for {tenant.id}")
            continue
        category = rehearsal.good(policy, look.now).category
        assert category is not None
        unapproved = msgspec.structs.replace(category, approved=False)
        retired = msgspec.structs.replace(category, retired=True)
        cases = {"category-unapproved": {"category": unapproved}, "category-retired": {"category": retired}}
        findings.take(rehearsal.rehearse(policy, look.now, cases))
    if not count(findings, look, "email-category", programme, "emails and messages have no approved category"):
        findings.missing.append("no message was accepted in the last 90 days")
    count(findings, look, "governed", programme, "things in force are not what was approved")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "email", "message", "snapshot", "governed", "revocation"))
    findings.take(fences.not_null(schema, "email", "category_id", "category_snapshot", "tenant_id"))
    findings.take(fences.not_null(schema, "message", "category_id", "email_id"))
    findings.need(rehearsal.position(category_approved.check) >= 0, "the gate's chain does not look at the category")
    attempts = {
        "email-uncategorised": EMPTY,
        "email-update": DENIED,
        "snapshot-forged": DENIED,
        "snapshot-update": DENIED,
    }
    refused(findings, look, attempts)


CONTROL = Control(
    "EML-13",
    "eml_13",
    HOUR,
    "The database takes no email without a category's version (tried each time); each email of the last 90 days "
    "is compared with the version that two people had approved by then; and the gate's own rule is shown an "
    "unapproved one.",
    check,
)
