"""What somebody with a database role and raw SQL might try against the change engine: drafts, approvals, who is here."""

from tests.control.attempt import ALL_ROLES, CONTROL, FLOW, LEDGER, OWNER, SIGNIN, SUPERUSER, Attempt, each

FORGED = (
    "INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id, proposer_human,"
    " approver_human, approved_at) SELECT gen_random_uuid(), kind, tenant_id, subject, code, 9, artefact, digest, id,"
    " proposer_human, %(human2)s, now() FROM change WHERE id = %(open_change)s"
)
_IN_ONES_OWN_SESSION = "SELECT set_config('troth.acting', encode(%(session1)s, 'hex'), true); "
_SAYS_YES = (
    "INSERT INTO approval (change_id, human_id, tenant_id, account_id, digest, at)"
    " VALUES (%(open_change)s, %(human2)s, %(a)s, %(account2)s, %(open_digest)s, now())"
)
_OF_ANOTHER = (
    "INSERT INTO change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human,"
    " proposed_at, expires_at) SELECT gen_random_uuid(), kind, tenant_id, subject, code, '{}', sha256('{}'), 'x',"
    " %(account2)s, %(human2)s, now(), now() + interval '1 day' FROM change WHERE id = %(open_change)s"
)
_OPENED = "SELECT page_session_open_v1(%(account2)s, sha256('mine'), '{password}', true, NULL, NULL, NULL)"
_PROPOSED = (
    "SELECT propose_v1(gen_random_uuid(), 'category', %(a)s, gen_random_uuid(), 'new', '{}', 'why', %(session1)s)"
)
_SAVED = "SELECT draft_save_v1(%(draft)s, %(a)s, 'category', NULL, 'shared', '{}', 3, %(session1)s)"

ENGINE = [
    *each("an approval put in", ALL_ROLES, _SAYS_YES),
    Attempt("an approval put in, in one's own session", OWNER, _IN_ONES_OWN_SESSION + _SAYS_YES),
    Attempt("a version put in, in one's own session", OWNER, _IN_ONES_OWN_SESSION + FORGED),
    Attempt("a proposal in another's name", OWNER, _OF_ANOTHER),
    Attempt("a proposal in another's name, in one's own session", OWNER, _IN_ONES_OWN_SESSION + _OF_ANOTHER),
    Attempt(
        "a decision without a version",
        OWNER,
        "UPDATE change SET state = 2, decided_at = now(), decider_human = %(human2)s WHERE id = %(open_change)s",
    ),
    Attempt(
        "a rejection by somebody who is not here",
        OWNER,
        "UPDATE change SET state = 3, decided_at = now(), decider_human = %(human2)s WHERE id = %(open_change)s",
    ),
    *each("an approval edited", (*ALL_ROLES, OWNER, SUPERUSER), "UPDATE approval SET digest = sha256('x')"),
    *each("an approval removed", (*ALL_ROLES, OWNER, SUPERUSER), "DELETE FROM approval"),
    *each("all approvals removed", (CONTROL, OWNER, SUPERUSER), "TRUNCATE approval"),
    *each("an author forgotten", (*ALL_ROLES, OWNER, SUPERUSER), "DELETE FROM draft_author"),
    *each("all authors forgotten", (CONTROL, OWNER, SUPERUSER), "TRUNCATE draft_author"),
    *each("a proposal's draft forgotten", (CONTROL, OWNER), "UPDATE change SET draft_id = NULL"),
    *each("a proposal that lives longer", (CONTROL, FLOW, OWNER), "UPDATE change SET expires_at = 'infinity'"),
    *each("a draft written by hand", (CONTROL, FLOW), "UPDATE draft SET content = '{}'"),
    *each("a comment edited", (CONTROL, OWNER, SUPERUSER), "UPDATE change_comment SET words = 'x'"),
    *each("a comment removed", (CONTROL, FLOW, OWNER), "DELETE FROM change_comment"),
    *each("an unapproved template activated", ALL_ROLES, "UPDATE governed SET snapshot_id = gen_random_uuid()"),
    *each(
        "a template in force without a version",
        (*ALL_ROLES, OWNER),
        "INSERT INTO governed VALUES (gen_random_uuid(), 'template', %(a)s, 'mine', %(snapshot_b)s)",
    ),
    *each("what is in force retired", (CONTROL, FLOW, OWNER), "UPDATE governed SET retired = NOT retired"),
    *each("what is in force removed", (CONTROL, FLOW, OWNER), "DELETE FROM governed"),
    Attempt(
        "a co-author's approval",
        CONTROL,
        "SELECT approve_v1(%(written_change)s, %(written_digest)s, %(session2)s)",
        says="who wrote on the draft cannot",
    ),
    Attempt(
        "an approval of what was edited since",
        CONTROL,
        "SELECT approve_v1(%(stale_change)s, %(stale_digest)s, %(session2)s)",
        "55000",
        says="no longer open",
    ),
    Attempt(
        "the same person twice",
        CONTROL,
        "SELECT approve_v1(%(half_change)s, %(half_digest)s, %(session3)s)",
        "55000",
        says="it waits for somebody else",
    ),
    Attempt(
        "a member of another client",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session_b)s)",
        says="there is no such change",
    ),
    Attempt(
        "a role without the right",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session_author)s)",
        says="the role author may not",
    ),
    Attempt(
        "a session with one factor",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session_hasty)s)",
        "28000",
        says="second factor",
    ),
    Attempt(
        "somebody who has left",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session_left)s)",
        "28000",
    ),
    Attempt("a draft somebody else saved since", CONTROL, _SAVED, "55000"),
    Attempt(
        "a draft of another client",
        CONTROL,
        "SELECT draft_save_v1(%(draft)s, %(b)s, 'category', NULL, 'shared', '{}', 1, %(session_b)s)",
        says="there is no such draft",
    ),
    Attempt(
        "another client's draft thrown away",
        CONTROL,
        "SELECT draft_drop_v1(%(draft)s, 1, %(session_b)s)",
        says="there is no such draft",
    ),
    Attempt("a rejection without a reason", CONTROL, "SELECT close_v1(%(open_change)s, ' ', %(session2)s)", "22023"),
    Attempt("another client's change closed", CONTROL, "SELECT close_v1(%(open_change)s, 'no', %(session_b)s)"),
    Attempt(
        "a comment on another client's change",
        CONTROL,
        "SELECT comment_v1(gen_random_uuid(), %(open_change)s, 'x', %(session_b)s)",
    ),
    Attempt("another client's version stopped", CONTROL, "SELECT revoke_v1(%(snapshot_b)s, 'x', %(session_author)s)"),
    *each("a page session opened", (CONTROL, FLOW, LEDGER), _OPENED),
    *each("a factor shown", (CONTROL, FLOW, LEDGER), "SELECT page_session_prove_v1(%(session2)s, 'totp', true)"),
    *each("a proposal", (FLOW, LEDGER, SIGNIN), _PROPOSED),
    *each("an approval", (SIGNIN,), "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session2)s)"),
    *each("a draft saved", (FLOW, LEDGER, SIGNIN), _SAVED),
    *each("changes expired", (LEDGER, SIGNIN), "SELECT expire_changes_v1()"),
    *each("a session lengthened", (*ALL_ROLES,), "UPDATE session SET expires_at = 'infinity'"),
    *each("whose session a secret is", ALL_ROLES, "SELECT acts(%(human2)s)"),
    *each("somebody else's session said", ALL_ROLES, "SELECT acting(%(session2)s)"),
    *each("somebody said to be named", ALL_ROLES, "INSERT INTO designation VALUES (%(a)s, %(account1)s, 2, now())"),
    *each("the sign-in's tables", (CONTROL, FLOW, LEDGER), "SELECT * FROM mfa_authenticator"),
    *each("people as the sign-in", (SIGNIN,), "SELECT * FROM person"),
    *each("messages as the sign-in", (SIGNIN,), "SELECT * FROM message"),
    *each("changes as the sign-in", (SIGNIN,), "SELECT * FROM change"),
]
