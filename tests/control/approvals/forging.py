"""What a forger writes into the change engine's tables, given a role of the database, or the tables' owner's."""

from dataclasses import dataclass

ROLES = ("troth_control", "troth_flow", "troth_ledger", "troth_signin", "owner")
_ACTING = "SELECT set_config('troth.acting', %(mine)s, true)"  # with a session that the forger really has
_VERSION = (
    "INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id, proposer_human,"
    " approver_human, approved_at) SELECT %(new)s, kind, tenant_id, subject, code, 99, artefact, digest, id,"
    " proposer_human, %(human)s, now_v1() FROM change WHERE id = %(change)s"
)
_APPROVAL = (
    "INSERT INTO approval (change_id, human_id, tenant_id, account_id, digest, at)"
    " VALUES (%(change)s, %(human)s, %(tenant)s, %(account)s, %(digest)s, now_v1())"
)
_PROPOSAL = (
    "INSERT INTO change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human,"
    " proposed_at, expires_at, state) SELECT %(new)s, kind, tenant_id, subject, code, '{{}}', sha256('{{}}'), reason,"
    " %(account)s, %(human)s, now_v1(), now_v1() + interval '1 day', {state} FROM change WHERE id = %(change)s"
)
_SECOND = (
    "INSERT INTO governed (subject, kind, tenant_id, code, snapshot_id)"
    " SELECT %(new)s, kind, tenant_id, 'forged', id FROM snapshot LIMIT 1"
)


@dataclass(frozen=True)
class Forged:
    """`needs_another`: the session is somebody else's than whose name is used; `of_versions`: of a version in
    force; `of_drafts`: of what was written on a draft.
    """

    statements: tuple[str, ...]
    needs_another: bool = False
    of_versions: bool = False
    of_drafts: bool = False


FORGED = {
    "a version": Forged((_VERSION,)),
    "a version, in one's own session": Forged((_ACTING, _VERSION), needs_another=True),
    "an approval": Forged((_APPROVAL,)),
    "an approval, in one's own session": Forged((_ACTING, _APPROVAL), needs_another=True),
    "a proposal of somebody else's": Forged((_PROPOSAL.format(state=1),)),
    "a proposal of somebody else's, in one's own session": Forged(
        (_ACTING, _PROPOSAL.format(state=1)), needs_another=True
    ),
    "a decision": Forged(
        ("UPDATE change SET state = 2, decided_at = now_v1(), decider_human = %(human)s WHERE id = %(change)s",)
    ),
    "a decision, in one's own session": Forged(
        (
            _ACTING,
            "UPDATE change SET state = 2, decided_at = now_v1(), decider_human = %(my_human)s WHERE id = %(change)s",
        ),
    ),
    "a proposal that begins approved": Forged((_ACTING, _PROPOSAL.format(state=2))),
    "other words": Forged(("UPDATE change SET artefact = '{}', digest = sha256('{}') WHERE id = %(change)s",)),
    "a later end": Forged(("UPDATE change SET expires_at = expires_at + interval '90 days' WHERE id = %(change)s",)),
    "another proposer": Forged(("UPDATE change SET proposer_human = %(human)s, proposer_account = %(account)s",)),
    "another draft": Forged(("UPDATE change SET draft_id = NULL",)),
    "other authors": Forged(
        ("DELETE FROM draft_author WHERE draft_id = (SELECT draft_id FROM change WHERE id = %(change)s)",),
        of_drafts=True,
    ),
    "no authors": Forged(("TRUNCATE draft_author",)),
    "other approvals": Forged(("UPDATE approval SET digest = %(digest)s", "TRUNCATE approval")),
    "what is in force, moved": Forged(
        ("UPDATE governed SET snapshot_id = (SELECT id FROM snapshot WHERE id <> snapshot_id LIMIT 1)",)
    ),
    "what is in force, retired": Forged(("UPDATE governed SET retired = true",)),
    "what is in force, removed": Forged(("DELETE FROM governed",)),
    "a second thing in force": Forged((_SECOND,)),
    "a version's words": Forged(("UPDATE snapshot SET artefact = '{}', digest = sha256('{}')",)),
    "a version gone": Forged(("DELETE FROM snapshot WHERE id = %(version)s",), of_versions=True),
    "a change gone": Forged(("DELETE FROM change WHERE id = %(change)s",)),
}
OWN_SESSION = [name for name in FORGED if "own session" in name]
