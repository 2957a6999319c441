"""What somebody with the superuser's password, or the DNS, might do to what a claim stands on, and how it is mended.

`quiet` statements run with triggers off, as a careful intruder would. Rows that they spoil are kept and put back.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Break:
    """`sql` breaks, `mend` mends; `rows`: tables that are copied before and put back after, for quiet changes."""

    claim: str
    name: str
    sql: tuple[str, ...]
    mend: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    quiet: bool = field(default=False)

    def __str__(self):
        return f"{self.claim}: {self.name}"


def _loud(claim, name, sql, mend):
    return Break(claim, name, (sql,) if isinstance(sql, str) else sql, (mend,) if isinstance(mend, str) else mend)


def _quiet(claim, name, rows, *sql):
    return Break(claim, name, sql, (), (rows,) if isinstance(rows, str) else rows, quiet=True)


def _fences(claim, table, trigger=None):
    """What may be done to any guarded table."""
    yield _loud(
        claim,
        f"{table} is given to another",
        f"ALTER TABLE {table} OWNER TO postgres",
        f"ALTER TABLE {table} OWNER TO troth_owner",
    )
    yield _loud(
        claim,
        f"{table} may be deleted from",
        f"GRANT DELETE ON {table} TO troth_control",
        f"REVOKE DELETE ON {table} FROM troth_control",
    )
    yield _loud(
        claim, f"{table} is everybody's", f"GRANT UPDATE ON {table} TO PUBLIC", f"REVOKE UPDATE ON {table} FROM PUBLIC"
    )
    if trigger:
        yield _loud(
            claim,
            f"{table}'s trigger is off",
            f"ALTER TABLE {table} DISABLE TRIGGER {trigger}",
            f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
        )
        yield _loud(
            claim,
            f"{table}'s triggers are for replicas",
            f"ALTER TABLE {table} ENABLE REPLICA TRIGGER {trigger}",
            f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
        )


def _secured(claim, table):
    yield _loud(
        claim,
        f"{table}'s row security is off",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )
    yield _loud(
        claim,
        f"{table}'s row security spares its owner",
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    )
    yield _loud(
        claim,
        f"{table} has a policy more",
        f"CREATE POLICY more ON {table} USING (true)",
        f"DROP POLICY more ON {table}",
    )


def _constraint(claim, table, name, expression, weaker="true"):
    drop, add = (
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({expression})",
    )
    yield _loud(claim, f"{table} loses {name}", drop, add)
    yield _loud(
        claim, f"{name} is weaker", (drop, f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({weaker})"), (drop, add)
    )
    yield _loud(claim, f"{name} is not valid", (drop, f"{add} NOT VALID"), (drop, add))


def _function(claim, name, signature):
    """Another body, made and mended by the test from the package's own file."""
    yield Break(claim, f"{name} is another", (f"-- another {name}",), (f"-- function {name}",))
    yield _loud(
        claim,
        f"{name} is another's",
        f"ALTER FUNCTION {signature} OWNER TO postgres",
        f"ALTER FUNCTION {signature} OWNER TO troth_owner",
    )
    yield _loud(
        claim,
        f"{name} may be called by all",
        f"GRANT EXECUTE ON FUNCTION {signature} TO PUBLIC",
        f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC",
    )
    yield _loud(
        claim,
        f"{name} looks elsewhere first",
        f"ALTER FUNCTION {signature} SET search_path = public, troth",
        f"ALTER FUNCTION {signature} SET search_path = pg_catalog, troth, pg_temp",
    )


def _right(claim, action):
    """A right more, and one fewer, than was shipped."""
    more = f"VALUES ('property', '{action}', 'own', 'viewer', false, false)"
    yield _loud(claim, f"a viewer may {action}", f"INSERT INTO permission {more}",
                f"DELETE FROM permission WHERE action = '{action}' AND role = 'viewer'")  # fmt: skip
    yield _quiet(claim, f"nobody may {action}", "permission", f"DELETE FROM permission WHERE action = '{action}'")
    yield _quiet(claim, f"{action} needs no second factor", "permission",
                 f"UPDATE permission SET second = NOT second WHERE action = '{action}'")  # fmt: skip


def _four_eyes(claim, kind):
    """What an intruder might do so that one person is enough for this kind."""
    of = f"(SELECT id FROM change WHERE kind = '{kind}')"
    yield from _fences(claim, "approval", "guard")
    yield from _fences(claim, "governed", "guard")
    yield from _function(claim, "approve_v1", "approve_v1(uuid, bytea, bytea)")
    yield from _function(claim, "wrote", "wrote(change, uuid)")
    yield from _right(claim, f"{kind}:approve")
    yield _quiet(claim, "what is in force is another version", "governed",
                 "UPDATE governed g SET snapshot_id = (SELECT s.id FROM snapshot s WHERE s.kind <> g.kind LIMIT 1)")  # fmt: skip
    if kind not in ("release", "override"):  # of which there are none in the world
        yield _quiet(claim, "the yes is gone", "approval", f"DELETE FROM approval WHERE change_id IN {of}")
        yield _quiet(claim, "the yes was to other words", "approval",
                     f"UPDATE approval SET digest = sha256(digest) WHERE change_id IN {of}")  # fmt: skip
        yield _quiet(claim, "one person did both", ("snapshot", "change"),
                     f"UPDATE snapshot SET approver_human = proposer_human WHERE kind = '{kind}'",
                     f"UPDATE change SET decider_human = proposer_human WHERE kind = '{kind}' AND state = 2")  # fmt: skip
        yield _quiet(claim, "the approved words are others", "snapshot",
                     f"UPDATE snapshot SET artefact = artefact || ' ', digest = sha256(convert_to(artefact || ' ', 'UTF8'))"
                     f" WHERE kind = '{kind}'")  # fmt: skip
        yield _quiet(claim, "the approver had written on the draft", ("draft_author", "change"),
                     f"UPDATE change SET draft_id = id WHERE kind = '{kind}'",
                     f"INSERT INTO draft_author SELECT id, tenant_id, decider_human FROM change WHERE kind = '{kind}' AND state = 2")  # fmt: skip


EYES = [
    *_function("SUP-3", "claim_attempt_v1", "claim_attempt_v1(text)"),
    *_function("EML-13", "claim_fact_v1", "claim_fact_v1(text, timestamptz)"),
    _loud(
        "BNC-1",
        "triggers are off for everybody",
        "ALTER ROLE ALL SET session_replication_role = replica",
        "ALTER ROLE ALL RESET session_replication_role",
    ),
    _quiet(
        "EML-13",
        "a client that nobody approved",
        "governed",
        "DELETE FROM governed WHERE kind = 'tenant' AND code = 'homes'",
    ),
    _quiet("LOG-1", "a client is hidden", "governed", "DELETE FROM governed WHERE kind = 'tenant' AND code = 'homes'"),
]
ROLES = [
    _loud(
        "SUP-3", "a role bypasses row security", "ALTER ROLE troth_flow BYPASSRLS", "ALTER ROLE troth_flow NOBYPASSRLS"
    ),
    _loud("CHG-6", "a role is superuser", "ALTER ROLE troth_control SUPERUSER", "ALTER ROLE troth_control NOSUPERUSER"),
    _loud("SND-2", "a role may be the owner", "GRANT troth_owner TO troth_flow", "REVOKE troth_owner FROM troth_flow"),
    _loud(
        "LOG-6",
        "triggers are off for a role",
        "ALTER ROLE troth_ledger SET session_replication_role = replica",
        "ALTER ROLE troth_ledger RESET session_replication_role",
    ),
    _loud(
        "ENC-5",
        "a setting is forced on everybody",
        "ALTER ROLE ALL SET row_security = off",
        "ALTER ROLE ALL RESET row_security",
    ),
]
PLAIN = "convert_to('Dear Ann Example, the rent of flat 12b is due', 'UTF8')"

EMAIL = [
    *_fences("EML-2", "dkim_key"), *_secured("EML-2", "dkim_key"),
    *_constraint("EML-2", "dkim_key", "dkim_key_bits_check", "bits >= 2048", "bits >= 1024"),
    *_function("EML-2", "apply_domain", "apply_domain(change)"),
    _quiet("EML-2", "a key says fewer bits", "dkim_key", "UPDATE dkim_key SET bits = 4096"),
    _quiet("EML-2", "a key is no key", "dkim_key", "UPDATE dkim_key SET public_der = '\\x3000'"),
    _quiet("EML-2", "a message's evidence is gone", "event", "UPDATE event SET detail_ct = NULL WHERE kind = 8"),
    _quiet("EML-2", "a message's evidence is another's", "event",
           "UPDATE event e SET detail_ct = (SELECT o.detail_ct FROM event o WHERE o.kind = 8 AND o.message_id <> e.message_id LIMIT 1) WHERE kind = 8"),
    *_fences("EML-3", "domain_state"), *_secured("EML-3", "domain_state"),
    _quiet("EML-3", "a domain is open for good", "domain_state", "UPDATE domain_state SET ready_until = '2100-01-01'"),
    _quiet("EML-3", "a domain that never was good is open", "domain_state",
           "UPDATE domain_state SET last_good_at = NULL, checked_at = NULL, ready_until = '2100-01-01'"),
    _quiet("EML-3", "a policy asks for no DMARC", ("snapshot",),
           "UPDATE snapshot SET artefact = replace(artefact, '\"dmarc-reject\",', ''), digest = sha256(convert_to(replace(artefact, '\"dmarc-reject\",', ''), 'UTF8'))"
           " WHERE kind = 'policy'"),
    *_fences("EML-7", "opt_out", "insert_only"),
    *_function("EML-7", "opt_out_v1", "opt_out_v1(uuid, bytea, uuid, text)"),
    *_fences("EML-13", "email", "insert_only"), *_secured("EML-13", "email"), *_fences("EML-13", "snapshot", "guard"),
    _loud("EML-13", "an email needs no category", "ALTER TABLE email ALTER category_snapshot DROP NOT NULL", "ALTER TABLE email ALTER category_snapshot SET NOT NULL"),
    _quiet("EML-13", "an email is of a template's version", "email",
           "UPDATE email e SET category_snapshot = (SELECT id FROM snapshot s WHERE s.kind = 'template' AND s.tenant_id = e.tenant_id)"),
    _quiet("EML-13", "an email is of nothing", "email", "UPDATE email SET category_snapshot = gen_random_uuid()"),
    _quiet("EML-13", "a message is of another category", "message", "UPDATE message SET category_id = gen_random_uuid()"),
    _quiet("EML-13", "a category is for advertising", "snapshot",
           "UPDATE snapshot SET artefact = replace(artefact, 'transactional', 'marketing') WHERE kind = 'category'"),
    _quiet("EML-13", "what is in force was never approved", "governed",
           "UPDATE governed g SET snapshot_id = (SELECT id FROM snapshot s WHERE s.kind = 'template' LIMIT 1) WHERE kind = 'category'"),
]  # fmt: skip

SECRETS = [
    *_constraint("ENC-4", "message_body", "message_body_body_ct_check", "get_byte(body_ct, 0) = 2"),
    *_constraint("ENC-4", "suppression", "suppression_address_ct_check", "get_byte(address_ct, 0) = 1"),
    _loud("ENC-4", "a column more", "ALTER TABLE person ADD COLUMN email text", "ALTER TABLE person DROP COLUMN email"),
    _loud("ENC-4", "a table more", "CREATE TABLE contacts (address text)", "DROP TABLE contacts"),
    *_secured("ENC-4", "message_body"),
    _quiet("ENC-4", "a body in the clear", "message_body", f"UPDATE message_body SET body_ct = '\\x02'::bytea || {PLAIN}"),
    _quiet("ENC-4", "a decision in the clear", "message", f"UPDATE message SET decision_ct = '\\x02'::bytea || {PLAIN}"),
    _quiet("ENC-4", "an event in the clear", "event", f"UPDATE event SET detail_ct = '\\x02'::bytea || {PLAIN} WHERE kind = 8"),
    _quiet("ENC-4", "a suppressed address in the clear", "suppression", f"UPDATE suppression SET address_ct = '\\x01'::bytea || {PLAIN}"),
    _quiet("ENC-4", "an address where a code belongs", "suppression", "UPDATE suppression SET source = 'ann@home.example' WHERE source = 'staff'"),
    _quiet("ENC-4", "a keyset in the clear", "tenant", f"UPDATE tenant SET keyset = '\\x01'::bytea || {PLAIN} WHERE code = 'homes'"),
    *_constraint("ENC-5", "person", "person_address_ct_check", "get_byte(address_ct, 0) = 2"),
    *_constraint("ENC-5", "account", "account_name_ct_check", "get_byte(name_ct, 0) = 1"),
    *_fences("ENC-5", "person"), *_secured("ENC-5", "person"),
    *_function("ENC-5", "erase_person_v1", "erase_person_v1(uuid, uuid)"),
    _quiet("ENC-5", "an address in the clear", "person", f"UPDATE person SET address_ct = '\\x02'::bytea || {PLAIN}"),
    _quiet("ENC-5", "two people share a key", "person", "UPDATE person SET data_key = (SELECT data_key FROM person ORDER BY id LIMIT 1)"),
    _quiet("ENC-5", "an index of another address", "person", "UPDATE person SET blind_index = sha256(blind_index)"),
    _quiet("ENC-5", "a name in the clear", "account", f"UPDATE account SET name_ct = '\\x01'::bytea || {PLAIN}"),
]  # fmt: skip

LISTS = [
    *_fences("SUP-1", "suppression", "insert_only"), *_secured("SUP-1", "suppression"),
    *_function("SUP-1", "suppress_v1", "suppress_v1(bytea[], smallint[], text[], uuid[], bytea[])"),
    _loud("SUP-1", "inserts are thrown away", "CREATE RULE away AS ON INSERT TO suppression DO INSTEAD NOTHING", "DROP RULE away ON suppression"),
    _loud("SUP-1", "the key is gone", "ALTER TABLE suppression DROP CONSTRAINT suppression_pkey", "ALTER TABLE suppression ADD PRIMARY KEY (blind_index, reason, source)"),
    _quiet("SUP-1", "an entry is gone", "suppression", "DELETE FROM suppression WHERE source = 'staff'"),
    _quiet("SUP-1", "somebody suppressed was written to", ("suppression", "suppression_feed"),
           "INSERT INTO suppression_feed (blind_index, reason, created_at) SELECT blind_index, 5, now() - interval '3 hours' FROM message WHERE state = 5 LIMIT 1",
           "INSERT INTO suppression (blind_index, reason, source, created_at) SELECT blind_index, 5, 'staff', now() - interval '3 hours' FROM message WHERE state = 5 LIMIT 1"),
    *_fences("SUP-3", "suppression", "no_truncate"), *_fences("SUP-3", "suppression_feed", "insert_only"),
    _loud("SUP-3", "the trigger is gone", "DROP TRIGGER insert_only ON suppression",
          "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()"),
    _loud("SUP-3", "the trigger forgets deletion", ("DROP TRIGGER insert_only ON suppression",
          "CREATE TRIGGER insert_only BEFORE UPDATE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()"),
          ("DROP TRIGGER insert_only ON suppression",
           "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()")),
    *_function("SUP-3", "insert_only", "insert_only()"),
    _quiet("SUP-3", "all is gone", ("suppression", "suppression_feed"), "DELETE FROM suppression", "DELETE FROM suppression_feed"),
    _quiet("SUP-3", "a feed's row is gone", "suppression_feed", "DELETE FROM suppression_feed WHERE id = (SELECT min(id) FROM suppression_feed)"),
    _quiet("BNC-1", "a hard bounce is not suppressed", ("suppression", "suppression_feed"), "DELETE FROM suppression WHERE reason = 1", "DELETE FROM suppression_feed WHERE reason = 1"),
    _quiet("BNC-1", "a hard bounce is suppressed late", "suppression", "UPDATE suppression SET created_at = created_at + interval '1 hour' WHERE reason = 1"),
    _quiet("BNC-1", "a policy lets hard bounces be", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, '\"hard_suppresses\":true', '\"hard_suppresses\":false') WHERE kind = 'policy'"),
    *_fences("BNC-1", "event", "insert_only"),
    _quiet("BNC-2", "a spent retry is not suppressed", "suppression", "DELETE FROM suppression WHERE reason = 6"),
    _quiet("BNC-2", "a policy tries more often", "snapshot", "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"soft_retry_minutes\":\\[', '\"soft_retry_minutes\":[1,') WHERE kind = 'policy'"),
    _quiet("BNC-2", "a policy waits longer", "snapshot", "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"soft_window_minutes\":\\d+', '\"soft_window_minutes\":9999') WHERE kind = 'policy'"),
    _quiet("BNC-2", "a deferral cannot be read", "event", f"UPDATE event SET detail_ct = '\\x02'::bytea || {PLAIN} WHERE kind = 9"),
    *_fences("BNC-2", "suppression", "insert_only"),
]  # fmt: skip

GOVERNED = [
    *_fences("CHG-6", "snapshot", "guard"), *_fences("CHG-6", "change", "decided_once"), *_secured("CHG-6", "snapshot"),
    *_function("CHG-6", "approve_v1", "approve_v1(uuid, bytea, bytea)"),
    *_function("CHG-6", "snapshot_guard", "snapshot_guard()"),
    *_function("CHG-6", "session_account", "session_account(bytea)"),
    *_constraint("CHG-6", "snapshot", "snapshot_check1", "proposer_human <> approver_human"),
    _loud("CHG-6", "anybody may approve", "INSERT INTO permission VALUES ('property', 'template:approve', 'own', 'viewer', false, false)",
          "DELETE FROM permission WHERE action = 'template:approve' AND role = 'viewer'"),
    _quiet("CHG-6", "a version is forged", "snapshot",
           "INSERT INTO snapshot SELECT gen_random_uuid(), kind, tenant_id, subject, code, 9, artefact, digest, gen_random_uuid(), proposer_human, approver_human, now()"
           " FROM snapshot WHERE kind = 'template' LIMIT 1"),
    _quiet("CHG-6", "a version and its change are forged", ("snapshot", "change"),
           "INSERT INTO change SELECT '00000000-0000-4000-8000-000000000001', kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human,"
           " proposed_at, expires_at, state, decided_at, decider_human, decision_note FROM change WHERE kind = 'template' AND state = 2 LIMIT 1",
           "INSERT INTO snapshot SELECT gen_random_uuid(), s.kind, s.tenant_id, s.subject, s.code, 9, s.artefact, s.digest, '00000000-0000-4000-8000-000000000001',"
           " s.proposer_human, s.approver_human, now() FROM snapshot s JOIN change c ON c.id = '00000000-0000-4000-8000-000000000001' AND c.subject = s.subject LIMIT 1"),
    _quiet("CHG-6", "an approved text is edited", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, 'rent', 'rant') WHERE kind = 'template'"),
    _quiet("CHG-6", "one person did both", "snapshot", "UPDATE snapshot SET approver_human = proposer_human WHERE kind = 'template'"),
    _quiet("CHG-6", "an email is of an unknown template", "email", "UPDATE email SET template_snapshot = gen_random_uuid()"),
    *_fences("RCP-4", "person"), *_fences("RCP-4", "confirmation"),
    *_constraint("RCP-4", "person", "person_check3", "status <> 2 OR (verified_at IS NOT NULL AND pathway IS NOT NULL)"),
    *_function("RCP-4", "verify_person_v1", "verify_person_v1(bytea)"),
    _loud("RCP-4", "the river may verify", "GRANT UPDATE (status) ON person TO troth_flow", "REVOKE UPDATE (status) ON person FROM troth_flow"),
    _quiet("RCP-4", "nobody confirmed", "confirmation", "DELETE FROM confirmation"),
    _quiet("RCP-4", "a confirmation was not used", "confirmation", "UPDATE confirmation SET used_at = NULL"),
    _quiet("RCP-4", "somebody came another way", "person", "UPDATE person SET pathway = 'employer-invitation'"),
    _quiet("RCP-4", "somebody unverified was written to", ("person", "confirmation"), "DELETE FROM confirmation",
           "UPDATE person SET status = 1, verified_at = NULL, pathway = NULL WHERE id IN (SELECT person_id FROM message WHERE state = 5)"),
    _quiet("RCP-4", "somebody was verified afterwards", ("person", "confirmation"),
           "UPDATE person SET verified_at = now() + interval '60 days'", "UPDATE confirmation SET used_at = now() + interval '60 days'"),
    *_fences("SND-2", "api_key"), *_secured("SND-2", "api_key"),
    *_constraint("SND-2", "rate_counter", "rate_never_exceeded", "used <= cap"),
    _loud("SND-2", "a key needs no scope", "ALTER TABLE api_key ALTER snapshot_id DROP NOT NULL", "ALTER TABLE api_key ALTER snapshot_id SET NOT NULL"),
    _quiet("SND-2", "a key is somebody's own", "api_key", "UPDATE api_key SET hash = sha256(hash)"),
    _quiet("SND-2", "a key's scope is another's", "api_key", "UPDATE api_key SET snapshot_id = (SELECT id FROM snapshot WHERE kind = 'policy' LIMIT 1)"),
    _quiet("SND-2", "an email came by no key", "email", "UPDATE email SET api_key_id = NULL"),
    _quiet("SND-2", "an email came by another's key", "email", "UPDATE email e SET api_key_id = (SELECT id FROM api_key k WHERE k.tenant_id <> e.tenant_id LIMIT 1)"),
    _quiet("SND-2", "a scope leaves out what was sent", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, '\"categories\":[\"rent\"]', '\"categories\":[\"other\"]') WHERE kind = 'api-key'"),
    *_function("SND-2", "apply_api_key", "apply_api_key(change, uuid)"),
]  # fmt: skip

CHANGES = [
    *_four_eyes("CHG-1", "template"), *_four_eyes("CHG-2", "policy"), *_four_eyes("CHG-3", "grant"),
    *_four_eyes("CHG-4", "release"), *_four_eyes("CHG-5", "category"), *_four_eyes("CHG-7", "template"),
    _quiet("CHG-2", "no policy rules any more", "governed", "DELETE FROM governed WHERE kind = 'policy'"),
    _quiet("CHG-3", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    _quiet("CHG-3", "somebody came without a grant", ("account", "human"),
           "INSERT INTO human SELECT '00000000-0000-4000-8000-000000000002', now()",
           "INSERT INTO account (id, human_id, role, name_ct, address_ct, address_index, created_at) SELECT"
           " '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002', 'owner', '\\x01', '\\x01', sha256('x'), now() + interval '1 day'"),
    *_function("CHG-4", "apply_release", "apply_release(change)"), *_fences("CHG-4", "pause"),
    _quiet("CHG-5", "the record is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"change_days\":\\d+', '\"change_days\":30') WHERE kind = 'policy'"),
    _quiet("CHG-5", "a step is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE kind = 'governance:change:approve'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    _quiet("CHG-7", "a third is named", "designation",
           "UPDATE designation SET account_id = (SELECT id FROM account WHERE role = 'admin' AND account.tenant_id = designation.tenant_id)"),
    _quiet("CHG-7", "nobody is named", "designation", "DELETE FROM designation"),
    _quiet("CHG-7", "anybody may write", "permission", "UPDATE permission SET named = false WHERE action = 'template:propose'"),
    _quiet("CHG-7", "somebody else has written", "change",
           "UPDATE change c SET proposer_account = (SELECT id FROM account a WHERE a.tenant_id = c.tenant_id AND role = 'admin') WHERE kind = 'template'"),
    *_function("CHG-7", "apply_designation", "apply_designation(change)"),
]  # fmt: skip

RECORDS = [
    *_fences("LOG-2", "access_log", "insert_only"), *_fences("LOG-2", "session"), *_secured("LOG-2", "access_log"),
    *_function("LOG-2", "access_entry", "access_entry(text, uuid, uuid, uuid, text, bytea, bytea)"),
    _quiet("LOG-2", "sign-ins are not in the log", "access_log", "DELETE FROM access_log WHERE kind = 'sign-in'"),
    _quiet("LOG-2", "where from is gone", "access_log", "UPDATE access_log SET place = NULL, detail_ct = NULL"),
    _quiet("LOG-2", "an end is not in the log", "access_log", "DELETE FROM access_log WHERE kind = 'sign-out'"),
    _quiet("LOG-2", "session and log are gone", ("access_log", "session"), "DELETE FROM access_log", "DELETE FROM session WHERE kind = 'page'"),
    _quiet("LOG-2", "it is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"access_days\":\\d+', '\"access_days\":30') WHERE kind = 'policy'"),
    *_fences("LOG-3", "change", "decided_once"), *_fences("LOG-3", "approval", "insert_only"), *_fences("LOG-3", "snapshot", "insert_only"),
    _quiet("LOG-3", "a reason is another", "change", "UPDATE change SET reason = 'because' WHERE kind = 'policy'"),
    _quiet("LOG-3", "an author is another", ("change", "snapshot"),
           "UPDATE change SET proposer_human = decider_human, decider_human = proposer_human WHERE kind = 'category' AND state = 2",
           "UPDATE snapshot SET proposer_human = approver_human, approver_human = proposer_human WHERE kind = 'category'"),
    _quiet("LOG-3", "a version in between is gone", ("change", "snapshot", "governed"), "DELETE FROM governed WHERE kind = 'designation'",
           "DELETE FROM snapshot WHERE kind = 'api-key'", "UPDATE snapshot SET version = version + 1 WHERE kind = 'template'"),
    _quiet("LOG-3", "a step is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE kind = 'governance:change:propose'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    *_function("LOG-3", "change_entry", "change_entry(text, change, uuid)"),
    *_fences("LOG-5", "api_request", "insert_only"), *_secured("LOG-5", "api_request"),
    _quiet("LOG-5", "requests are not in the log", "api_request", "DELETE FROM api_request"),
    _quiet("LOG-5", "requests are another's", "api_request", "UPDATE api_request SET tenant_id = NULL"),
    _quiet("LOG-5", "it is kept for a month", "snapshot",
           "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"request_days\":\\d+', '\"request_days\":30') WHERE kind = 'policy'"),
    *_right("LOG-5", "request-log:read"),
    *_fences("LOG-7", "change", "decided_once"), *_secured("LOG-7", "change"), *_secured("LOG-7", "approval"),
    _loud("LOG-7", "a client sees the changes of others", "DROP POLICY own_tenant ON change; CREATE POLICY own_tenant ON change TO troth_control USING (true)",
          "DROP POLICY own_tenant ON change; CREATE POLICY own_tenant ON change TO troth_control USING (tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid"
          " OR tenant_id IS NULL) WITH CHECK (tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid)"),
    *_right("LOG-7", "change-log:read"),
    *_fences("LOG-8", "account", "closed"), *_function("LOG-8", "apply_grant", "apply_grant(change)"), *_right("LOG-8", "policy:propose"),
    _quiet("LOG-8", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    _quiet("LOG-8", "somebody was closed without a word", "account", "UPDATE account SET disabled_at = now(), disabled_why = 'unused' WHERE role = 'approver'"),
    _quiet("LOG-8", "a grant is not told", "ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
           "DELETE FROM ledger_leaf WHERE leaf::jsonb ->> 'of' = 'grant'", "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
]  # fmt: skip

def _web(manner):
    return _loud("APP-4", f"a proxy {manner}", f"-- web {manner}", "-- web")


SURFACES = [
    _loud("APP-3", "a function makes SQL of what it is given",
          "CREATE FUNCTION made(text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp AS $$ BEGIN EXECUTE $1; END $$",
          "DROP FUNCTION made(text)"),
    _loud("APP-3", "a role has every power", "ALTER ROLE troth_control SUPERUSER", "ALTER ROLE troth_control NOSUPERUSER"),
    *_function("APP-3", "claim_fact_v1", "claim_fact_v1(text, timestamptz)"),
    _web("drops content-security-policy"), _web("drops x-content-type-options"), _web("loosens the policy"),
    _web("opens cookies"), _web("takes forms"),
]  # fmt: skip

_PERMITTED = "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"{field}\":\\d+', '\"{field}\":{value}') WHERE kind = 'policy'"
ACCESS = [
    *_right("ACC-1", "category:approve"), *_function("ACC-1", "allowed", "allowed(bytea, text, uuid)"), *_fences("ACC-1", "permission"),
    *_secured("ACC-1", "account"), *_constraint("ACC-1", "account", "account_check",
        "CASE WHEN tenant_id IS NULL THEN role IN ('owner', 'security', 'deliverability', 'compliance', 'ops-admin', 'support', 'auditor')"
        " ELSE role IN ('admin', 'author', 'approver', 'developer', 'viewer') END"),
    _quiet("ACC-1", "somebody has another role", "account", "UPDATE account SET role = 'admin' WHERE role = 'approver'"),
    *_fences("ACC-2", "spool"), *_fences("ACC-2", "webhook_secret"), *_right("ACC-2", "release:approve"),
    _loud("ACC-2", "a role is a superuser", "ALTER ROLE troth_flow SUPERUSER", "ALTER ROLE troth_flow NOSUPERUSER"),
    _loud("ACC-2", "a role acts as another", "GRANT troth_signin TO troth_control", "REVOKE troth_signin FROM troth_control"),
    _loud("ACC-2", "a function is given away", "GRANT EXECUTE ON FUNCTION attempt_somebody(uuid, text, bytea) TO troth_control",
          "REVOKE EXECUTE ON FUNCTION attempt_somebody(uuid, text, bytea) FROM troth_control"),
    _loud("ACC-2", "the pages may open sessions", "GRANT EXECUTE ON FUNCTION page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea) TO troth_control",
          "REVOKE EXECUTE ON FUNCTION page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea) FROM troth_control"),
    *_right("ACC-3", "api-key:propose"), *_function("ACC-3", "session_open_now", "session_open_now(bytea)"), *_fences("ACC-3", "session"),
    *_fences("ACC-3", "mfa_authenticator", "told"),
    _quiet("ACC-3", "acts were done with a password alone", "session", "UPDATE session SET second_factor_at = NULL WHERE kind = 'page'"),
    *_right("ACC-4", "sign-on:approve"), *_fences("ACC-4", "sign_on_domain"), *_fences("ACC-4", "sign_on_attempt"),
    _quiet("ACC-4", "a connection was never approved", "governed",
           "INSERT INTO governed SELECT gen_random_uuid(), 'sign-on', tenant_id, 'sign-on', snapshot_id, false FROM governed WHERE kind = 'template' LIMIT 1"),
    *_function("ACC-5", "session_seen_v1", "session_seen_v1(bytea)"), *_fences("ACC-5", "session"),
    _quiet("ACC-5", "a policy lets a session idle", "snapshot", _PERMITTED.format(field="idle_minutes", value=600)),
    _quiet("ACC-5", "a session idles for a day", "session", "UPDATE session SET expires_at = expires_at + interval '1 day', ends_at = ends_at + interval '2 days' WHERE kind = 'page'"),
    *_function("ACC-6", "page_session_open_v1", "page_session_open_v1(uuid, bytea, text[], boolean, bytea, bytea, bytea)"), *_fences("ACC-6", "session"),
    _quiet("ACC-6", "a policy permits many", "snapshot", _PERMITTED.format(field="sessions", value=1000)),
    _quiet("ACC-6", "somebody has twenty sessions", "session",
           "INSERT INTO session (account_id, secret_hash, opened_at, seen_at, proved_at, expires_at, ends_at, kind, methods) SELECT account_id,"
           " sha256(int4send(n)), opened_at, seen_at, proved_at, now() + interval '30 days', now() + interval '31 days', kind, methods FROM session, generate_series(1, 20) AS n"
           " WHERE id = (SELECT id FROM session WHERE kind = 'page' AND ended_at IS NULL LIMIT 1)"),
    *_fences("ACC-7", "review", "closed_once"), *_fences("ACC-7", "review_decision", "guard"), *_function("ACC-7", "access_duty_v1", "access_duty_v1()"),
    _quiet("ACC-7", "the last one is long ago", "review", "UPDATE review SET opened_at = opened_at - interval '1 year', due_at = due_at - interval '1 year'"),
    _quiet("ACC-7", "one is past its date", "review", "UPDATE review SET opened_at = opened_at - interval '20 days', due_at = due_at - interval '20 days'"),
    _quiet("ACC-7", "it is closed and nothing was decided", "review", "UPDATE review SET closed_at = now()"),
    _quiet("ACC-7", "a policy has one a year", "snapshot", _PERMITTED.format(field="review_days", value=366)),
    *_function("ACC-8", "unused_ends", "unused_ends(account)"), *_fences("ACC-8", "account", "last_owner"),
    *_function("ACC-8", "account_close", "account_close(uuid, text, uuid)"),
    _quiet("ACC-8", "somebody unused is open", "account", "UPDATE account SET created_at = created_at - interval '1 year', last_used_at = last_used_at - interval '1 year' WHERE role = 'approver'"),
    _quiet("ACC-8", "somebody who left is open", "account", "UPDATE account SET left_at = now() - interval '3 days' WHERE role = 'approver'"),
    _quiet("ACC-8", "a policy lets leavers stay", "snapshot", _PERMITTED.format(field="leaver_hours", value=500), _PERMITTED.format(field="unused_days", value=500)),
]  # fmt: skip

LOGS = [
    *_fences("LOG-1", "event", "insert_only"), *_fences("LOG-1", "message", "legal_step"), *_secured("LOG-1", "event"),
    *_constraint("LOG-1", "event", "known_event", "kind IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)"),
    *_function("LOG-1", "event_to_line", "event_to_line()"),
    _quiet("LOG-1", "the sent events are gone", "event", "DELETE FROM event WHERE kind = 8"),
    _quiet("LOG-1", "one deferral is gone", "event", "DELETE FROM event WHERE (message_id, kind, source_key) = (SELECT message_id, kind, source_key FROM event WHERE kind = 9 LIMIT 1)"),
    _quiet("LOG-1", "a bounce looks sent", "message", "UPDATE message SET state = 5 WHERE state = 8"),
    _quiet("LOG-1", "an event has another time", "event", "UPDATE event SET at = at - interval '1 minute' WHERE kind = 11"),
    _quiet("LOG-1", "messages are gone", "message", "DELETE FROM message WHERE state = 8"),
    _quiet("LOG-1", "messages and events are gone", ("message", "event"), "DELETE FROM event", "DELETE FROM message"),
    *_fences("LOG-6", "ledger_leaf", "insert_only"), *_fences("LOG-6", "ledger_checkpoint", "no_truncate"),
    *_fences("LOG-6", "event", "to_line"),
    *_function("LOG-6", "ledger_entry", "ledger_entry(text[], uuid[], text[])"),
    *_function("LOG-6", "only_sequenced", "only_sequenced()"),
    _quiet("LOG-6", "an entry says another thing", "ledger_leaf",
           "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL", "UPDATE ledger_leaf SET leaf = replace(leaf, '\"code\":\"rent\"', '\"code\":\"rant\"'),"
           " leaf_hash = sha256('\\x00'::bytea || convert_to(replace(leaf, '\"code\":\"rent\"', '\"code\":\"rant\"'), 'UTF8'))",
           "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    _quiet("LOG-6", "an entry is gone", "ledger_leaf", "DELETE FROM ledger_leaf WHERE index = 3"),
    _quiet("LOG-6", "the newest entries are gone", ("ledger_leaf", "ledger_batch", "ledger_node", "ledger_checkpoint"),
           "DELETE FROM ledger_batch", "DELETE FROM ledger_leaf WHERE index > 30", "DELETE FROM ledger_checkpoint"),
    _quiet("LOG-6", "a node is another", "ledger_node", "UPDATE ledger_node SET hash = sha256(hash) WHERE level = 2 AND index = 1"),
    _quiet("LOG-6", "a root is another", "ledger_checkpoint", "UPDATE ledger_checkpoint SET root = sha256(root)"),
    _quiet("LOG-6", "a checkpoint is not signed", "ledger_checkpoint", "UPDATE ledger_checkpoint SET note = replace(note, 'time ', 'tame ')"),
    _quiet("LOG-6", "the key is another", "ledger_key", "UPDATE ledger_key SET vkey = replace(vkey, 'troth/', 'truth/')"),
    _quiet("LOG-6", "a batch holds other events", "ledger_batch", "UPDATE ledger_batch SET hashes = sha256(hashes) || substr(hashes, 33)"),
    _quiet("LOG-6", "a batch is gone", "ledger_batch", "DELETE FROM ledger_batch"),
    _quiet("LOG-6", "events are gone", "event", "DELETE FROM event WHERE kind = 11"),
    _quiet("LOG-6", "an event was added", "event",
           "INSERT INTO event SELECT message_id, 15, 'x', tenant_id, at, NULL, sha256('x') FROM event WHERE kind = 8 LIMIT 1"),
    _quiet("LOG-6", "an entry is another client's", "ledger_leaf", "UPDATE ledger_leaf SET tenant_id = NULL WHERE tenant_id IS NOT NULL"),
]  # fmt: skip

SENDING = [
    *_fences("SND-1", "api_key_secret"), *_secured("SND-1", "api_key_secret"), *_right("SND-1", "message:test"),
    *_function("SND-1", "stop_key", "stop_key(snapshot)"),
    _quiet("SND-1", "an email came by no key", "email", "UPDATE email SET api_key_id = NULL"),
    _quiet("SND-1", "a key had ended before its email", "api_key_secret", "UPDATE api_key_secret SET ends_at = created_at - interval '1 hour'"),
    _quiet("SND-1", "a key has a secret that nobody approved", "api_key", "UPDATE api_key SET hash = sha256(hash)"),
    *_function("SND-3", "api_key_wrong", "api_key_wrong(change)"),
    *_function("SND-3", "apply_api_key", "apply_api_key(change, uuid)"),
    *_fences("SND-3", "api_key_secret"),
    _quiet("SND-3", "a secret lives for years", "api_key_secret", "UPDATE api_key_secret SET ends_at = created_at + interval '400 days'"),
    _quiet("SND-3", "a secret was made younger", "api_key_secret", "UPDATE api_key_secret SET created_at = created_at + interval '30 days'"),
    _quiet("SND-3", "a secret came by no version", "api_key_secret", "UPDATE api_key_secret SET hash = sha256(hash)"),
    *_right("SND-4", "policy:propose"), *_function("SND-4", "allowed", "allowed(bytea, text, uuid)"),
    *_function("SND-4", "session_open_now", "session_open_now(bytea)"),
]  # fmt: skip

ALL = [*EYES, *ROLES, *EMAIL, *SECRETS, *LISTS, *GOVERNED, *CHANGES, *RECORDS, *ACCESS, *SURFACES, *LOGS, *SENDING]
