"""What somebody with the superuser's password, or an ill-set proxy, might do to what the claims of access, of changes and of
their records stand on, and how it is mended.
"""

from tests.control.trust.breaking import constraint, fences, foreign_keys, function, loud, quiet, right, secured


def _database(statement):
    """Of whichever this is."""
    return f"DO $$ BEGIN EXECUTE format('{statement}', current_database()); END $$"


def _four_eyes(claim, kind):
    """What an intruder might do so that one person is enough for this kind."""
    of = f"(SELECT id FROM change WHERE kind = '{kind}')"
    yield from fences(claim, "approval", "guard")
    yield from fences(claim, "governed", "guard")
    yield from foreign_keys(claim, "approval")
    yield from function(claim, "approve_v1", "approve_v1(uuid, bytea, bytea)")
    yield from function(claim, "wrote", "wrote(change, uuid)")
    yield from constraint(claim, "change", "change_second", "state <> 2 OR decider_human <> proposer_human",
                          "decider_human IS NOT NULL OR state <> 2")  # fmt: skip
    yield loud(claim, "one person's yes may count twice", "ALTER TABLE approval DROP CONSTRAINT approval_pkey",
               "ALTER TABLE approval ADD CONSTRAINT approval_pkey PRIMARY KEY (change_id, human_id)")  # fmt: skip
    yield from right(claim, f"{kind}:approve")
    yield quiet(claim, "what is in force is another version", "governed",
                 "UPDATE governed g SET snapshot_id = (SELECT s.id FROM snapshot s WHERE s.kind <> g.kind LIMIT 1)")  # fmt: skip
    if kind not in ("release", "override"):  # of which there are none in the world
        yield quiet(claim, "the yes is gone", "approval", f"DELETE FROM approval WHERE change_id IN {of}")
        yield quiet(claim, "the yes was to other words", "approval",
                     f"UPDATE approval SET digest = sha256(digest) WHERE change_id IN {of}")  # fmt: skip
        yield quiet(claim, "one person did both", ("snapshot", "change"),
                     f"UPDATE snapshot SET approver_human = proposer_human WHERE kind = '{kind}'",
                     f"UPDATE change SET decider_human = proposer_human WHERE kind = '{kind}' AND state = 2")  # fmt: skip
        yield quiet(claim, "the approved words are others", "snapshot",
                     f"UPDATE snapshot SET artefact = artefact || ' ', digest = sha256(convert_to(artefact || ' ', 'UTF8'))"
                     f" WHERE kind = '{kind}'")  # fmt: skip
        yield quiet(claim, "the approver had written on the draft", ("draft_author", "change"),
                     f"UPDATE change SET draft_id = id WHERE kind = '{kind}'",
                     f"INSERT INTO draft_author SELECT id, tenant_id, decider_human FROM change WHERE kind = '{kind}' AND state = 2")  # fmt: skip


CHANGES = [
    *_four_eyes("CHG-1", "template"), *_four_eyes("CHG-2", "policy"), *_four_eyes("CHG-3", "grant"),
    *_four_eyes("CHG-4", "release"), *_four_eyes("CHG-5", "category"), *_four_eyes("CHG-7", "template"),
    quiet("CHG-2", "no policy rules any more", "governed", "DELETE FROM governed WHERE kind = 'policy'"),
    quiet("CHG-3", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    quiet("CHG-3", "somebody came without a grant", ("account", "human"),
           "INSERT INTO human SELECT '00000000-0000-4000-8000-000000000002', now()",
           "INSERT INTO account (id, human_id, role, name_ct, address_ct, address_index, created_at) SELECT"
           " '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002', 'owner', '\\x01', '\\x01', sha256('x'), now() + interval '1 day'"),
    *function("CHG-4", "apply_release", "apply_release(change)"), *fences("CHG-4", "pause"),
    quiet("CHG-5", "the record is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"change_days\":\\d+', '\"change_days\":30') WHERE kind = 'policy'"),
    quiet("CHG-5", "a step is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE kind = 'governance:change:approve'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    quiet("CHG-7", "a third is named", "designation",
           "UPDATE designation SET account_id = (SELECT id FROM account WHERE role = 'admin' AND account.tenant_id = designation.tenant_id)"),
    quiet("CHG-7", "nobody is named", "designation", "DELETE FROM designation"),
    quiet("CHG-7", "anybody may write", "permission", "UPDATE permission SET named = false WHERE action = 'template:propose'"),
    quiet("CHG-7", "somebody else has written", "change",
           "UPDATE change c SET proposer_account = (SELECT id FROM account a WHERE a.tenant_id = c.tenant_id AND role = 'admin') WHERE kind = 'template'"),
    *function("CHG-7", "apply_designation", "apply_designation(change)"),
]  # fmt: skip

RECORDS = [
    *fences("LOG-2", "access_log", "insert_only"), *fences("LOG-2", "session"), *secured("LOG-2", "access_log"),
    *function("LOG-2", "access_entry", "access_entry(text, uuid, uuid, uuid, text, bytea, bytea)"),
    quiet("LOG-2", "sign-ins are not in the log", "access_log", "DELETE FROM access_log WHERE kind = 'sign-in'"),
    quiet("LOG-2", "where from is gone", "access_log", "UPDATE access_log SET place = NULL, detail_ct = NULL"),
    quiet("LOG-2", "an end is not in the log", "access_log", "DELETE FROM access_log WHERE kind = 'sign-out'"),
    quiet("LOG-2", "session and log are gone", ("access_log", "session"), "DELETE FROM access_log", "DELETE FROM session WHERE kind = 'page'"),
    quiet("LOG-2", "it is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"access_days\":\\d+', '\"access_days\":30') WHERE kind = 'policy'"),
    *fences("LOG-3", "change", "decided_once"), *fences("LOG-3", "approval", "insert_only"), *fences("LOG-3", "snapshot", "insert_only"),
    quiet("LOG-3", "a reason is another", "change", "UPDATE change SET reason = 'because' WHERE kind = 'policy'"),
    quiet("LOG-3", "an author is another", ("change", "snapshot"),
           "UPDATE change SET proposer_human = decider_human, decider_human = proposer_human WHERE kind = 'category' AND state = 2",
           "UPDATE snapshot SET proposer_human = approver_human, approver_human = proposer_human WHERE kind = 'category'"),
    quiet("LOG-3", "a version in between is gone", ("change", "snapshot", "governed"), "DELETE FROM governed WHERE kind = 'designation'",
           "DELETE FROM snapshot WHERE kind = 'api-key'", "UPDATE snapshot SET version = version + 1 WHERE kind = 'template'"),
    quiet("LOG-3", "a step is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE kind = 'governance:change:propose'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    *function("LOG-3", "change_entry", "change_entry(text, change, uuid)"),
    *fences("LOG-5", "api_request", "insert_only"), *secured("LOG-5", "api_request"),
    quiet("LOG-5", "requests are not in the log", "api_request", "DELETE FROM api_request"),
    quiet("LOG-5", "requests are another's", "api_request", "UPDATE api_request SET tenant_id = NULL"),
    quiet("LOG-5", "it is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"request_days\":\\d+', '\"request_days\":30') WHERE kind = 'policy'"),
    *right("LOG-5", "request-log:read"),
    *fences("LOG-7", "change", "decided_once"), *secured("LOG-7", "change"), *secured("LOG-7", "approval"),
    loud("LOG-7", "a client sees the changes of others", "DROP POLICY own_tenant ON change; CREATE POLICY own_tenant ON change TO troth_control USING (true)",
          "DROP POLICY own_tenant ON change; CREATE POLICY own_tenant ON change TO troth_control USING (tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid"
          " OR tenant_id IS NULL) WITH CHECK (tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid)"),
    *right("LOG-7", "change-log:read"),
    *fences("LOG-8", "account", "closed"), *function("LOG-8", "apply_grant", "apply_grant(change)"), *right("LOG-8", "policy:propose"),
    quiet("LOG-8", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    quiet("LOG-8", "somebody was closed without a word", "account", "UPDATE account SET disabled_at = now(), disabled_why = 'unused' WHERE role = 'approver'"),
    quiet("LOG-8", "a grant is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE leaf::jsonb ->> 'of' = 'grant'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
]  # fmt: skip


def _web(manner):
    return loud("APP-4", f"a proxy {manner}", f"-- web {manner}", "-- web")


SURFACES = [
    loud("APP-3", "a function makes SQL of what it is given",
          "CREATE FUNCTION made(text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp AS $$ BEGIN EXECUTE $1; END $$",
          "DROP FUNCTION made(text)"),
    loud("APP-3", "a role has every power", "ALTER ROLE troth_control SUPERUSER", "ALTER ROLE troth_control NOSUPERUSER"),
    *function("APP-3", "claim_fact_v1", "claim_fact_v1(text, timestamptz)"),
    _web("drops content-security-policy"), _web("drops x-content-type-options"), _web("loosens the policy"),
    _web("opens cookies"), _web("takes forms"),
]  # fmt: skip

_PERMITTED = "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"{field}\":\\d+', '\"{field}\":{value}') WHERE kind = 'policy'"
ACCESS = [
    *right("ACC-1", "category:approve"), *function("ACC-1", "allowed", "allowed(bytea, text, uuid)"), *fences("ACC-1", "permission"),
    *secured("ACC-1", "account"), *constraint("ACC-1", "account", "account_check",
        "CASE WHEN tenant_id IS NULL THEN role IN ('owner', 'security', 'deliverability', 'compliance', 'ops-admin', 'support', 'auditor')"
        " ELSE role IN ('admin', 'author', 'approver', 'developer', 'viewer') END"),
    quiet("ACC-1", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    *fences("ACC-2", "spool"), *fences("ACC-2", "webhook_secret"), *right("ACC-2", "release:approve"),
    loud("ACC-2", "a role is a superuser", "ALTER ROLE troth_flow SUPERUSER", "ALTER ROLE troth_flow NOSUPERUSER"),
    loud("ACC-2", "a role acts as another", "GRANT troth_signin TO troth_control", "REVOKE troth_signin FROM troth_control"),
    loud("ACC-2", "a function is given away", "GRANT EXECUTE ON FUNCTION attempt_somebody(uuid, text, bytea) TO troth_control",
          "REVOKE EXECUTE ON FUNCTION attempt_somebody(uuid, text, bytea) FROM troth_control"),
    loud("ACC-2", "the pages may open sessions", "GRANT EXECUTE ON FUNCTION page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea) TO troth_control",
          "REVOKE EXECUTE ON FUNCTION page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea) FROM troth_control"),
    loud("ACC-2", "somebody else acts as a role", ("CREATE ROLE eve LOGIN", "GRANT troth_control TO eve"), "DROP ROLE eve"),
    loud("ACC-2", "a function elsewhere lends the owner's rights",
         ("CREATE SCHEMA eve", "CREATE FUNCTION eve.f() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM troth.spool'",
          "ALTER FUNCTION eve.f() OWNER TO troth_owner"), "DROP SCHEMA eve CASCADE"),
    loud("ACC-2", "a view shows what its reader may not",
         ("CREATE VIEW eve AS SELECT * FROM account", "GRANT SELECT ON eve TO troth_flow"), "DROP VIEW eve"),
    loud("ACC-2", "a view is the owner's", ("CREATE VIEW eve AS SELECT * FROM account", "ALTER VIEW eve OWNER TO troth_owner"),
         "DROP VIEW eve"),
    loud("ACC-2", "somebody else is a superuser", "CREATE ROLE eve LOGIN SUPERUSER", "DROP ROLE eve"),
    loud("ACC-2", "a role may switch triggers off", "GRANT SET ON PARAMETER session_replication_role TO troth_flow",
         "REVOKE SET ON PARAMETER session_replication_role FROM troth_flow"),
    loud("ACC-2", "a role has the database", _database("ALTER DATABASE %I OWNER TO troth_flow"),
         _database("ALTER DATABASE %I OWNER TO postgres")),
    loud("ACC-2", "a role may make schemas", _database("GRANT CREATE ON DATABASE %I TO troth_flow"),
         _database("REVOKE CREATE ON DATABASE %I FROM troth_flow")),
    loud("ACC-2", "a role may make tables", "GRANT CREATE ON SCHEMA troth TO troth_flow",
         "REVOKE CREATE ON SCHEMA troth FROM troth_flow"),
    loud("ACC-2", "tables to come are a role's",
         "ALTER DEFAULT PRIVILEGES FOR ROLE troth_owner IN SCHEMA troth GRANT ALL ON TABLES TO troth_flow",
         "ALTER DEFAULT PRIVILEGES FOR ROLE troth_owner IN SCHEMA troth REVOKE ALL ON TABLES FROM troth_flow"),
    *right("ACC-3", "api-key:propose"), *function("ACC-3", "session_open_now", "session_open_now(bytea)"), *fences("ACC-3", "session"),
    *fences("ACC-3", "mfa_authenticator", "told"),
    quiet("ACC-3", "acts were done with a password alone", "session", "UPDATE session SET second_factor_at = NULL WHERE kind = 'page'"),
    *right("ACC-4", "sign-on:approve"), *fences("ACC-4", "sign_on_domain"), *fences("ACC-4", "sign_on_attempt"),
    quiet("ACC-4", "a connection was never approved", "governed",
           "INSERT INTO governed SELECT gen_random_uuid(), 'sign-on', tenant_id, 'sign-on', snapshot_id, false FROM governed WHERE kind = 'template' LIMIT 1"),
    *function("ACC-5", "session_seen_v1", "session_seen_v1(bytea)"), *fences("ACC-5", "session"),
    quiet("ACC-5", "a policy lets a session idle", "snapshot", _PERMITTED.format(field="idle_minutes", value=600)),
    quiet("ACC-5", "a session idles for a day", "session", "UPDATE session SET expires_at = expires_at + interval '1 day', ends_at = ends_at + interval '2 days' WHERE kind = 'page'"),
    *function("ACC-6", "page_session_open_v1", "page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea)"), *fences("ACC-6", "session"),
    quiet("ACC-6", "a policy permits many", "snapshot", _PERMITTED.format(field="sessions", value=1000)),
    quiet("ACC-6", "somebody has twenty sessions", "session",
           "INSERT INTO session (account_id, secret_hash, opened_at, seen_at, proved_at, expires_at, ends_at, kind, methods) SELECT account_id,"
           " sha256(int4send(n)), opened_at, seen_at, proved_at, now() + interval '30 days', now() + interval '31 days', kind, methods FROM session, generate_series(1, 20) AS n"
           " WHERE id = (SELECT id FROM session WHERE kind = 'page' AND ended_at IS NULL LIMIT 1)"),
    *fences("ACC-7", "review", "closed_once"), *fences("ACC-7", "review_decision", "guard"), *function("ACC-7", "access_duty_v1", "access_duty_v1()"),
    quiet("ACC-7", "the last one is long ago", "review", "UPDATE review SET opened_at = opened_at - interval '1 year', due_at = due_at - interval '1 year'"),
    quiet("ACC-7", "one is past its date", "review", "UPDATE review SET opened_at = opened_at - interval '20 days', due_at = due_at - interval '20 days'"),
    quiet("ACC-7", "it is closed and nothing was decided", "review", "UPDATE review SET closed_at = now()"),
    quiet("ACC-7", "a policy has one a year", "snapshot", _PERMITTED.format(field="review_days", value=366)),
    *function("ACC-8", "unused_ends", "unused_ends(account)"), *fences("ACC-8", "account", "last_owner"),
    *function("ACC-8", "account_close", "account_close(uuid, text, uuid)"),
    quiet("ACC-8", "somebody unused is open", "account", "UPDATE account SET created_at = created_at - interval '1 year', last_used_at = last_used_at - interval '1 year' WHERE role = 'approver'"),
    quiet("ACC-8", "somebody who left is open", "account", "UPDATE account SET left_at = now() - interval '3 days' WHERE role = 'approver'"),
    quiet("ACC-8", "a policy lets leavers stay", "snapshot", _PERMITTED.format(field="leaver_hours", value=500), _PERMITTED.format(field="unused_days", value=500)),
]  # fmt: skip

PEOPLE = [*CHANGES, *RECORDS, *ACCESS, *SURFACES]
