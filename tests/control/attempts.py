"""What somebody with a database role and raw SQL might try. Each attempt says the SQLSTATE that it must meet, or NOTHING:
no row read, no row changed, a NULL for an answer.
"""

from tests.control.attempt import (
    ALL_ROLES,
    CONTROL,
    DENIED,
    FLOW,
    LEDGER,
    NOTHING,
    OWNER,
    SUPERUSER,
    Attempt,
    each,
)
from tests.control.attempts_engine import ENGINE, FORGED

__all__ = ["ALL", "CONTROL", "DENIED", "FLOW", "LEDGER", "NOTHING", "OWNER", "READING", "SUPERUSER"]

_OF_NOTHING = (
    "INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id, proposer_human,"
    " approver_human, approved_at) VALUES (gen_random_uuid(), 'category', %(b)s, %(category_b)s, 'rent', 9, '{}',"
    " sha256('{}'), %(done_change)s, %(human1)s, %(human2)s, now())"
)

READING = [
    Attempt("another's person through the parent", CONTROL, "SELECT * FROM person WHERE tenant_id = %(b)s", NOTHING),
    Attempt("another's person by id", CONTROL, "SELECT * FROM person WHERE id = %(person_b)s", NOTHING),
    Attempt("another's message through the parent", CONTROL, "SELECT * FROM message WHERE id = %(message_b)s", NOTHING),
    Attempt("another's message through its partition", CONTROL, "SELECT * FROM {message_part}"),
    Attempt("another's body through its partition", CONTROL, "SELECT * FROM {message_body_part}"),
    Attempt("another's event through its partition", CONTROL, "SELECT * FROM {event_part}"),
    Attempt("one's own messages through a partition", FLOW, "SELECT * FROM {message_part}"),
    Attempt("an event partition as the ledger", LEDGER, "SELECT * FROM {event_part}"),
    Attempt(
        "another's body through the parent", CONTROL, "SELECT * FROM message_body WHERE tenant_id = %(b)s", NOTHING
    ),
    Attempt(
        "another's message through a view", CONTROL, "SELECT * FROM all_messages WHERE id = %(message_b)s", NOTHING
    ),
    Attempt("another's tenant row", CONTROL, "SELECT * FROM tenant WHERE id = %(b)s", NOTHING),
    Attempt("another's open change", CONTROL, "SELECT * FROM change WHERE tenant_id = %(b)s", NOTHING),
    Attempt("another's suppression", CONTROL, "SELECT * FROM suppression WHERE tenant_id = %(b)s", NOTHING),
    Attempt("another's spool", CONTROL, "SELECT * FROM spool WHERE tenant_id = %(b)s", NOTHING),
    Attempt("another's row locked", CONTROL, "SELECT 1 FROM person WHERE tenant_id = %(b)s FOR UPDATE"),
    Attempt(
        "everybody's rows without row security",
        CONTROL,
        "SET LOCAL row_security = off; SELECT count(*) FROM person",
    ),
    Attempt(
        "rows with no tenant said",
        CONTROL,
        "SET LOCAL troth.tenant = ''; SELECT 1 FROM person UNION SELECT 1 FROM tenant",
        NOTHING,
    ),
    Attempt("API keys' hashes", CONTROL, "SELECT hash FROM api_key"),
    Attempt("credentials' hashes", CONTROL, "SELECT passphrase_hash FROM credential"),
    Attempt("credentials whole", FLOW, "SELECT * FROM credential"),
    Attempt("sessions", CONTROL, "SELECT * FROM session"),
    Attempt("sessions as the river", FLOW, "SELECT secret_hash FROM session"),
    Attempt("private DKIM keys", CONTROL, "SELECT private_ct FROM dkim_key"),
    Attempt("confirmations' hashes", CONTROL, "SELECT secret_hash FROM confirmation"),
    Attempt("event details as the ledger", LEDGER, "SELECT detail_ct FROM event"),
    Attempt("people as the ledger", LEDGER, "SELECT * FROM person"),
    Attempt("the database's files", CONTROL, "SELECT pg_read_file('PG_VERSION')"),
]

APPROVING = [
    *each("a forged approval", (CONTROL, FLOW, LEDGER, OWNER), _OF_NOTHING),
    *each("a forged approval of an open change", (CONTROL, FLOW), FORGED),
    *each(
        "another's approver id",
        (CONTROL, FLOW),
        "UPDATE change SET state = 2, decided_at = now(), decider_human = %(human2)s WHERE id = %(open_change)s",
    ),
    Attempt(
        "another's proposal",
        CONTROL,
        "INSERT INTO change SELECT gen_random_uuid(), kind, tenant_id, subject, code, artefact, digest, reason,"
        " proposer_account, %(human2)s, now(), now() + interval '1 day', 1 FROM change LIMIT 1",
    ),
    Attempt(
        "one's own change",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session1)s)",
        says="a second person must approve",
    ),
    Attempt("a wrong digest", CONTROL, "SELECT approve_v1(%(open_change)s, sha256('x'), %(session2)s)", "22023"),
    Attempt(
        "a change that is decided",
        CONTROL,
        "SELECT approve_v1(%(done_change)s, %(done_digest)s, %(session2)s)",
        "55000",
    ),
    Attempt("no such change", CONTROL, "SELECT approve_v1(gen_random_uuid(), sha256('x'), %(session2)s)"),
    Attempt(
        "a session made up",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, decode(repeat('ab', 32), 'hex'))",
        "28000",
    ),
    Attempt(
        "a session by its hash",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, sha256(%(session2)s))",
        "28000",
    ),
    Attempt(
        "a session that has ended",
        CONTROL,
        "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(ended_session)s)",
        "28000",
    ),
    *each("approve_v1", (FLOW, LEDGER), "SELECT approve_v1(%(open_change)s, %(open_digest)s, %(session2)s)"),
    Attempt("close_v1 as the river", FLOW, "SELECT close_v1(%(open_change)s, 'no', %(session2)s)"),
    Attempt("whose session this is", CONTROL, "SELECT session_account(%(session2)s)"),
    Attempt("a grant without approval", CONTROL, "SELECT apply_grant(c) FROM change c LIMIT 1"),
    Attempt(
        "a second genesis",
        CONTROL,
        "SELECT genesis_v1(gen_random_uuid(), ARRAY[gen_random_uuid(), gen_random_uuid()],"
        " ARRAY[gen_random_uuid(), gen_random_uuid()], ARRAY['\\x01'::bytea, '\\x01'], ARRAY['\\x01'::bytea, '\\x01'],"
        " ARRAY[sha256('a'), sha256('b')], ARRAY[sha256('c'), sha256('d')], ARRAY[sha256('e'), sha256('f')],"
        " ARRAY[sha256('g'), sha256('h')], '{}')",
        "55000",
    ),
    Attempt(
        "genesis by proposal",
        CONTROL,
        "SELECT propose_v1(gen_random_uuid(), 'genesis', NULL, gen_random_uuid(), 'g2', '{}', 'x', %(session1)s)",
    ),
    Attempt(
        "another thing's subject",
        CONTROL,
        "SELECT propose_v1(gen_random_uuid(), 'template', %(a)s, %(category_b)s, 'x', '{}', 'x', %(session1)s)",
        "22023",
    ),
    Attempt(
        "the device without the passphrase",
        CONTROL,
        "SELECT session_open_v1(%(account1)s, %(device)s, sha256('guess'), decode(repeat('ab', 32), 'hex'))",
        "28000",
    ),
    Attempt(
        "the passphrase without the device",
        CONTROL,
        "SELECT session_open_v1(%(account1)s, sha256('guess'), %(passphrase)s, decode(repeat('ab', 32), 'hex'))",
        "28000",
    ),
    Attempt(
        "both factors for another's account",
        CONTROL,
        "SELECT session_open_v1(%(account2)s, %(device)s, %(passphrase)s, decode(repeat('ab', 32), 'hex'))",
        "28000",
    ),
    Attempt(
        "a session secret that could be guessed",
        CONTROL,
        "SELECT session_open_v1(%(account1)s, %(device)s, %(passphrase)s, 'short')",
        "22023",
    ),
    *each(
        "a session put in",
        (CONTROL, FLOW),
        "INSERT INTO session (account_id, credential_id, secret_hash, opened_at, expires_at)"
        " VALUES (%(account2)s, %(credential)s, sha256('mine'), now(), now() + interval '1 day')",
    ),
    *each(
        "a credential put in",
        (CONTROL, FLOW),
        "INSERT INTO credential VALUES (gen_random_uuid(), %(account2)s, sha256('d'), sha256('s'), sha256('p'), now())",
    ),
    *each("a role raised", (CONTROL, FLOW), "UPDATE account SET role = 'owner'"),
    *each(
        "a right added",
        ALL_ROLES,
        "INSERT INTO permission VALUES ('property', 'policy:approve', 'own', 'viewer', false, false)",
    ),
    *each("a right widened", ALL_ROLES, "UPDATE permission SET second = false, named = false"),
    Attempt(
        "revoke_v1 of another without a session",
        CONTROL,
        "SELECT revoke_v1(%(snapshot_b)s, 'x', decode(repeat('ab', 32), 'hex'))",
        "28000",
    ),
    Attempt(
        "a complaint overridden",
        CONTROL,
        "SELECT approve_v1(%(complaint_change)s, %(complaint_digest)s, %(session2)s)",
        says="a complaint or an opt-out is never overridden",
    ),
    Attempt(
        "another's account in a grant",
        CONTROL,
        "SELECT approve_v1(%(grant_change)s, %(grant_digest)s, %(session2)s)",
        says="this account is another person's",
    ),
]

EDITING = [
    *each(
        "an approved snapshot edited",
        (CONTROL, FLOW, LEDGER, OWNER, SUPERUSER),
        "UPDATE snapshot SET artefact = '{}', digest = sha256('{}') WHERE id = %(snapshot_b)s",
    ),
    *each(
        "an approved snapshot removed",
        (CONTROL, FLOW, OWNER, SUPERUSER),
        "DELETE FROM snapshot WHERE id = %(snapshot_b)s",
    ),
    *each("all snapshots removed", (CONTROL, FLOW, OWNER, SUPERUSER), "TRUNCATE snapshot CASCADE"),
    *each("a proposal edited", (OWNER, SUPERUSER), "UPDATE change SET artefact = '{}', digest = sha256('{}')"),
    *each("a decision undone", (OWNER,), "UPDATE change SET state = 3 WHERE id = %(done_change)s"),
    *each("another version put in force", (CONTROL, FLOW), "UPDATE governed SET snapshot_id = %(snapshot_b)s"),
    *each("a revocation undone", (CONTROL, FLOW, OWNER), "DELETE FROM revocation"),
    *each("a suppression removed", (CONTROL, FLOW, LEDGER, OWNER, SUPERUSER), "DELETE FROM suppression"),
    *each("a suppression weakened", (CONTROL, FLOW, OWNER, SUPERUSER), "UPDATE suppression SET reason = 5"),
    *each("all suppressions removed", (CONTROL, FLOW, LEDGER, OWNER, SUPERUSER), "TRUNCATE suppression"),
    *each(
        "an override put in",
        (CONTROL, FLOW),
        "INSERT INTO suppression_override VALUES (%(a)s, sha256('x'), %(snapshot_b)s, now() + interval '1 day')",
    ),
    *each("an opt-out removed", (CONTROL, FLOW, OWNER), "DELETE FROM opt_out"),
    Attempt("a message put into the spool", CONTROL, "INSERT INTO spool SELECT * FROM spool"),
    Attempt("a held message woken", CONTROL, "UPDATE spool SET due = now()"),
    Attempt("a message taken from the spool", CONTROL, "DELETE FROM spool"),
    Attempt("a message made", CONTROL, "INSERT INTO message SELECT * FROM message"),
    Attempt(
        "a release ordered",
        CONTROL,
        "INSERT INTO release_order VALUES (%(message_b)s, %(b)s, gen_random_uuid(), now())",
    ),
    Attempt(
        "a release ordered as the river",
        FLOW,
        "INSERT INTO release_order VALUES (%(message_b)s, %(b)s, gen_random_uuid(), now())",
    ),
    Attempt("a message given to another", FLOW, "UPDATE message SET person_id = %(person_b)s"),
    *each("an event edited", (FLOW, OWNER, SUPERUSER), "UPDATE event SET at = now()"),
    *each("an event removed", (CONTROL, FLOW, OWNER, SUPERUSER), "DELETE FROM event"),
    *each("a body edited", (FLOW, OWNER), "UPDATE message_body SET body_ct = '\\x02'"),
    *each("a ledger entry removed", (CONTROL, FLOW, LEDGER, OWNER), "DELETE FROM ledger_pending"),
    *each("a ledger entry edited", (LEDGER, OWNER), "UPDATE ledger_pending SET at = now()"),
    *each(
        "a ledger entry put in",
        (CONTROL, FLOW, LEDGER),
        "INSERT INTO ledger_pending (kind, at, leaf, leaf_hash) VALUES ('a:b:c', now(), '{}', sha256('x'))",
    ),
    Attempt(
        "a verified person put in",
        FLOW,
        "INSERT INTO person (id, tenant_id, blind_index, data_key, address_ct, salt, status, pathway, verified_at,"
        " created_at) VALUES (gen_random_uuid(), %(a)s, sha256('x'), '\\x01', '\\x02', sha256('s'), 2, 'system', now(),"
        " now())",
    ),
    *each("a person verified by hand", (CONTROL, FLOW), "UPDATE person SET status = 2, verified_at = now()"),
    Attempt("a person verified without the secret", CONTROL, "SELECT verify_person_v1(sha256('guess'))", NOTHING),
    Attempt("a person verified by the hash", CONTROL, "SELECT verify_person_v1(%(confirmation_hash)s)", NOTHING),
    Attempt("a person verified by the river", FLOW, "SELECT verify_person_v1(%(confirmation)s)"),
    Attempt(
        "another's recipient opted out", CONTROL, "SELECT opt_out_v1(%(b)s, sha256('x'), %(category_b)s, 'control')"
    ),
    Attempt("another's person erased", CONTROL, "SELECT nullif(erase_person_v1(%(b)s, %(person_b)s), false)", NOTHING),
    Attempt("a limit exceeded", FLOW, "UPDATE rate_counter SET used = cap + 1", "23514"),
    *each(
        "a pause lifted", (CONTROL, FLOW), "UPDATE pause SET released_at = now(), release_change = gen_random_uuid()"
    ),
    *each("a key brought back", (CONTROL, FLOW), "UPDATE api_key SET revoked_at = NULL"),
    *each("a domain called ready", (CONTROL,), "UPDATE domain_state SET ready_until = 'infinity'"),
    *each("a domain given to another", (FLOW,), "UPDATE domain_state SET tenant_id = %(a)s"),
    Attempt(
        "a key for another's domain",
        CONTROL,
        "INSERT INTO dkim_key VALUES (gen_random_uuid(), %(b)s, %(domain_b)s, 'mine', 2048, '\\x01', '\\x30', now())",
    ),
    Attempt(
        "another's webhook",
        CONTROL,
        "INSERT INTO webhook_endpoint VALUES (gen_random_uuid(), %(b)s, '\\x01', now())",
    ),
    *each("the clock moved", (CONTROL, FLOW, LEDGER), "UPDATE installation SET clock_offset = interval '1 day'"),
    *each(
        "the clock of a production database moved",
        (OWNER, SUPERUSER),
        "UPDATE installation SET clock_offset = interval '1 day'",
        "23514",
    ),
]

BREAKING_OUT = [
    *each("the owner's role", (CONTROL, FLOW, LEDGER), "SET ROLE troth_owner"),
    *each("the upgrade's role", (CONTROL, FLOW), "SET ROLE troth_migrate"),
    *each("another run-time role", (CONTROL,), "SET ROLE troth_flow"),
    *each("another session", (CONTROL, FLOW), "SET SESSION AUTHORIZATION troth_owner"),
    *each("triggers off", (CONTROL, FLOW, OWNER), "SET session_replication_role = replica"),
    *each("row security off", (CONTROL, FLOW), "ALTER TABLE person DISABLE ROW LEVEL SECURITY"),
    *each("row security not forced", (CONTROL, FLOW), "ALTER TABLE person NO FORCE ROW LEVEL SECURITY"),
    *each("a policy added", (CONTROL, FLOW), "CREATE POLICY mine ON person USING (true)"),
    *each("a trigger dropped", (CONTROL, FLOW), "DROP TRIGGER insert_only ON suppression"),
    *each("a trigger disabled", (CONTROL, FLOW), "ALTER TABLE suppression DISABLE TRIGGER ALL"),
    *each("a table dropped", (CONTROL, FLOW, LEDGER), "DROP TABLE suppression"),
    *each("a partition detached", (CONTROL, FLOW), "ALTER TABLE message DETACH PARTITION {message_part}"),
    *each("a table made", (CONTROL, FLOW, LEDGER), "CREATE TABLE troth.mine (x int)"),
    *each("a table in public", (CONTROL, FLOW), "CREATE TABLE public.mine (x int)"),
    *each("a temporary table", (CONTROL, FLOW), "CREATE TEMPORARY TABLE snapshot (x int)"),
    *each(
        "a function replaced",
        (CONTROL, FLOW),
        "CREATE OR REPLACE FUNCTION troth.genesis_done() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    ),
    *each("a grant given", (CONTROL,), "GRANT SELECT ON session TO troth_control"),
    *each("a role made", (CONTROL, FLOW), "CREATE ROLE mine SUPERUSER"),
    *each("a program run", (CONTROL, FLOW, OWNER), "COPY suppression TO PROGRAM 'true'"),
]

ALL = [*READING, *APPROVING, *ENGINE, *EDITING, *BREAKING_OUT]
