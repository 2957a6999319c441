"""Control of CHG-6: templates are versioned and diffed; an unapproved version cannot be sent."""

import msgspec

from troth.control import roles
from troth.control.trust import fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, count, refused
from troth.rules.checks import template_approved
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.states import State

_TABLES = (
    "change",
    "snapshot",
    "governed",
    "revocation",
    "permission",
    "approval",
    "draft_author",
    "session",
    "credential",
    "account",
    "human",
)
_RIGHTS = "SELECT profile, action, scope, role, second, named FROM permission"
_FUNCTIONS = (
    "approve_v1", "propose_v1", "close_v1", "revoke_v1", "allowed", "wrote", "approval_guard", "governed_guard",
    "acting", "acts", "change_guard", "approvers_of", "house_alone", "approvals_of", "approvers_wanted",
    "approvers_enough",
    "policy_number", "draft_save_v1", "draft_drop_v1", "draft_voids", "session_open_now",
    "page_session_open_v1", "page_session_prove_v1", "apply_designation", "change_entry", "genesis_done", "genesis_v1",
    "session_account", "session_open_v1", "snapshot_guard", "insert_only", "ledger_entry", "leaf_entry",
    "apply_programme", "apply_tenant", "apply_grant", "apply_api_key", "apply_domain", "apply_override",
    "apply_release", "apply_import",
)  # fmt: skip


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    _stands(findings, look)
    _rights(findings, look)
    _gate(findings, look)
    if not count(findings, look, "snapshots", None, "versions have no approval that the ledger knows"):
        findings.missing.append("nothing was approved yet")
    told_rows.as_told(findings, look, None, "revocations", "decisions")
    count(findings, look, "governed", None, "things in force are not what was approved")
    count(findings, look, "email-template", None, "emails were of a template that was not approved")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    digest = "digest = sha256(convert_to(artefact, 'UTF8'))"
    findings.take(fences.checks(schema, "snapshot", digest, "proposer_human <> approver_human", "version > 0"))
    findings.take(fences.checks(schema, "change", digest, "state <> 2 OR decider_human <> proposer_human"))
    findings.take(
        fences.not_null(schema, "snapshot", "artefact", "digest", "change_id", "proposer_human", "approver_human")
    )
    findings.take(fences.keys(
        schema, "snapshot", "UNIQUE (kind, subject, version)", "UNIQUE (change_id)",
        "FOREIGN KEY (change_id) REFERENCES change(id)"))  # fmt: skip
    refused(findings, look, {
        "snapshot-forged": DENIED, "snapshot-update": DENIED, "snapshot-delete": DENIED, "change-update": DENIED,
        "email-update": DENIED})  # fmt: skip


def _rights(findings: Findings, look: Look) -> None:
    """Who may decide what is the package's own table, asked again."""
    with look.of(None) as connection:
        there = set(connection.execute(_RIGHTS).fetchall())
    wanted = roles.permission_rows()
    for profile, action, scope, role, *_ in sorted(there - wanted):
        findings.wrong.append(f"the role {role} may {action} ({scope}, {profile or 'house'}), which was not shipped")
    findings.need(wanted <= there, "rights to decide have gone")


def _gate(findings: Findings, look: Look) -> None:
    findings.need(rehearsal.position(template_approved.check) >= 0, "the gate's chain does not look at the template")
    findings.need(MARK_OUTCOME[MarkVerdict.UNAPPROVED].target is State.HELD, "the mark lets the unapproved go")
    for tenant in look.tenants:
        policy = look.policy(tenant)
        if policy is not None:
            template = rehearsal.good(policy, look.now).template
            assert template is not None
            cases = {
                "template-unapproved": {"template": msgspec.structs.replace(template, approved=False)},
                "template-altered": {"template": msgspec.structs.replace(template, digest_matches=False)},
            }
            findings.take(rehearsal.rehearse(policy, look.now, cases))
            return


CONTROL = Control(
    "CHG-6",
    "chg_6",
    HOUR,
    "Forging, changing and deleting a version are tried as the tables' owner and must be refused; every version "
    "is compared with the change, the two people and the ledger's entry that approved it; and every email with "
    "the version it names.",
    check,
)
