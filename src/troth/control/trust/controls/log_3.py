"""Control of LOG-3: the template, rule and configuration change log, with author, time, full diff and approver."""

from troth.control.approvals.kinds import KINDS
from troth.control.trust import fences, governance, retention, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, NOTHING, refused, weigh


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "change", "snapshot", "approval", "change_comment", "revocation"))
    findings.take(fences.functions(schema, "change_entry", "ledger_entry", "leaf_entry", "insert_only", "revoke_v1"))
    findings.take(fences.not_null(schema, "change", "artefact", "digest", "reason", "proposer_human", "proposed_at"))
    findings.take(fences.not_null(schema, "snapshot", "artefact", "digest", "approver_human", "approved_at"))
    refused(findings, look, {"change-update": DENIED, "snapshot-update": DENIED, "snapshot-delete": DENIED})
    for how in ("approval-update", "approval-delete"):
        findings.need(governance.record(look, how) in (DENIED, NOTHING), f"the attempt {how} was not refused")
    findings.take(retention.kept(look, programme, "LOG-3", "change_days"))
    total = 0
    for kind in KINDS:
        found = governance.facts(look, f"approved {kind}", programme)
        total += weigh(findings, look, found, kind.replace("-", "_"), f"{kind} versions are not what the ledger tells")
    weigh(
        findings, look, governance.facts(look, "steps", programme), "steps", "changes lack a step's entry in the ledger"
    )
    told_rows.as_told(findings, look, programme, "decisions", "comments", "revocations")
    if not total:
        findings.missing.append("nothing was changed yet")
    return findings.done()


CONTROL = Control(
    "LOG-3",
    "log_3",
    HOUR,
    "Every version of everything governed is compared with its proposal, author, reason, approver and time, and "
    "with the digests before and after that the ledger tells; changing and deleting are tried as the tables' owner.",
    check,
)
