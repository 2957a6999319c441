"""What somebody with the superuser's password, or the DNS, might do to what a claim stands on, and how it is mended.

`quiet` statements run with triggers off, as a careful intruder would. Rows that they spoil are kept and put back.
"""

from tests.control.trust.breaking import constraint, fences, function, loud, quiet, right, secured
from tests.control.trust.breaks_amounts import AMOUNTS
from tests.control.trust.breaks_asking import ASKING
from tests.control.trust.breaks_attested import ATTESTED
from tests.control.trust.breaks_calendar import DRILLS
from tests.control.trust.breaks_domains import DOMAINS
from tests.control.trust.breaks_limits import VOLUMES
from tests.control.trust.breaks_pages import PAGES
from tests.control.trust.breaks_people import PEOPLE
from tests.control.trust.breaks_recipients import RECIPIENTS
from tests.control.trust.breaks_rows import ROWS
from tests.control.trust.breaks_shape import SHAPES
from tests.control.trust.complained import COMPLAINTS
from tests.control.trust.read_reports import DMARC
from tests.control.trust.reported import REPORTS

EYES = [
    *function("SUP-3", "claim_attempt_v1", "claim_attempt_v1(text)"),
    *function("EML-13", "claim_fact_v1", "claim_fact_v1(text, timestamptz)"),
    loud(
        "BNC-1",
        "triggers are off for everybody",
        "ALTER ROLE ALL SET session_replication_role = replica",
        "ALTER ROLE ALL RESET session_replication_role",
    ),
    quiet(
        "EML-13",
        "a client that nobody approved",
        "governed",
        "DELETE FROM governed WHERE kind = 'tenant' AND code = 'homes'",
    ),
    quiet("LOG-1", "a client is hidden", "governed", "DELETE FROM governed WHERE kind = 'tenant' AND code = 'homes'"),
]
ROLES = [
    loud(
        "SUP-3", "a role bypasses row security", "ALTER ROLE troth_flow BYPASSRLS", "ALTER ROLE troth_flow NOBYPASSRLS"
    ),
    loud("CHG-6", "a role is superuser", "ALTER ROLE troth_control SUPERUSER", "ALTER ROLE troth_control NOSUPERUSER"),
    loud("SND-2", "a role may be the owner", "GRANT troth_owner TO troth_flow", "REVOKE troth_owner FROM troth_flow"),
    loud(
        "LOG-6",
        "triggers are off for a role",
        "ALTER ROLE troth_ledger SET session_replication_role = replica",
        "ALTER ROLE troth_ledger RESET session_replication_role",
    ),
    loud(
        "ENC-5",
        "a setting is forced on everybody",
        "ALTER ROLE ALL SET row_security = off",
        "ALTER ROLE ALL RESET row_security",
    ),
]
PLAIN = "convert_to('Dear Ann Example, the rent of flat 12b is due', 'UTF8')"

EMAIL = [
    *fences("EML-2", "dkim_key"), *secured("EML-2", "dkim_key"),
    *constraint("EML-2", "dkim_key", "dkim_key_bits_check", "bits >= 2048", "bits >= 1024"),
    *function("EML-2", "apply_domain", "apply_domain(change)"),
    quiet("EML-2", "a key says fewer bits", "dkim_key", "UPDATE dkim_key SET bits = 4096"),
    quiet("EML-2", "a key is no key", "dkim_key", "UPDATE dkim_key SET public_der = '\\x3000'"),
    quiet("EML-2", "a message's evidence is gone", "event", "UPDATE event SET detail_ct = NULL WHERE kind = 8"),
    quiet("EML-2", "a message's evidence is another's", "event",
           "UPDATE event e SET detail_ct = (SELECT o.detail_ct FROM event o WHERE o.kind = 8 AND o.message_id <> e.message_id LIMIT 1) WHERE kind = 8"),
    *fences("EML-3", "domain_state"), *secured("EML-3", "domain_state"),
    quiet("EML-3", "a domain is open for good", "domain_state", "UPDATE domain_state SET ready_until = '2100-01-01'"),
    quiet("EML-3", "a domain that never was good is open", "domain_state",
           "UPDATE domain_state SET last_good_at = NULL, checked_at = NULL, ready_until = '2100-01-01'"),
    quiet("EML-3", "a policy asks for no DMARC", ("snapshot",),
           "UPDATE snapshot SET artefact = replace(artefact, '\"dmarc-reject\",', ''), digest = sha256(convert_to(replace(artefact, '\"dmarc-reject\",', ''), 'UTF8'))"
           " WHERE kind = 'policy'"),
    *fences("EML-7", "opt_out", "insert_only"),
    *function("EML-7", "opt_out_v1", "opt_out_v1(uuid, bytea, uuid, text)"),
    *fences("EML-13", "email", "insert_only"), *secured("EML-13", "email"), *fences("EML-13", "snapshot", "guard"),
    loud("EML-13", "an email needs no category", "ALTER TABLE email ALTER category_snapshot DROP NOT NULL", "ALTER TABLE email ALTER category_snapshot SET NOT NULL"),
    quiet("EML-13", "an email is of a template's version", "email",
           "UPDATE email e SET category_snapshot = (SELECT id FROM snapshot s WHERE s.kind = 'template' AND s.tenant_id = e.tenant_id)"),
    quiet("EML-13", "an email is of nothing", "email", "UPDATE email SET category_snapshot = gen_random_uuid()"),
    quiet("EML-13", "a message is of another category", "message", "UPDATE message SET category_id = gen_random_uuid()"),
    quiet("EML-13", "a category is for advertising", "snapshot",
           "UPDATE snapshot SET artefact = replace(artefact, 'transactional', 'marketing') WHERE kind = 'category'"),
    quiet("EML-13", "what is in force was never approved", "governed",
           "UPDATE governed g SET snapshot_id = (SELECT id FROM snapshot s WHERE s.kind = 'template' LIMIT 1) WHERE kind = 'category'"),
]  # fmt: skip

LAWS = [
    *fences("CPL-3", "opt_out", "insert_only"), *fences("CPL-3", "opt_in", "insert_only"), *secured("CPL-3", "opt_in"),
    *function("CPL-3", "opt_out_v1", "opt_out_v1(uuid, bytea, uuid, text)"),
    *function("CPL-3", "opted_out", "opted_out(uuid, bytea, uuid)"),
    *function("CPL-3", "one_wish_at_a_time", "one_wish_at_a_time(uuid, bytea[])"),
    *constraint("CPL-3", "tenant", "tenant_postal_address_check", "postal_address <> ''"),
    quiet("CPL-3", "a client has no postal address", "tenant", "UPDATE tenant SET postal_address = ' ' WHERE code = 'homes'"),
    quiet("CPL-3", "a client has another postal address", "tenant", "UPDATE tenant SET postal_address = '2 Nowhere' WHERE code = 'homes'"),
    quiet("CPL-3", "a message's evidence is gone", "event", "UPDATE event SET detail_ct = NULL WHERE kind = 8"),
    quiet("CPL-3", "an opt-out was told and not carried out", "event",
           "INSERT INTO event SELECT message_id, 15, 'unsubscribe', tenant_id, at, detail_ct, leaf_hash FROM event WHERE kind = 8 LIMIT 1"),
    quiet("CPL-3", "somebody who opted out was written to", "opt_out",
           "INSERT INTO opt_out SELECT m.tenant_id, m.blind_index, m.category_id, 'test', now() - interval '3 hours' FROM message m WHERE m.state = 5 LIMIT 1"),
    quiet("CPL-3", "nothing takes the mail that opts out", "inbound_beat", "DELETE FROM inbound_beat"),
    quiet("CPL-3", "the server that takes it has been silent", ("inbound_beat", "clock_mark"),
          "UPDATE inbound_beat SET at = at - interval '1 hour', seen = seen - interval '1 hour'",
          "UPDATE clock_mark SET high_water = now_v1()"),
    *fences("CPL-4", "consent", "insert_only"), *secured("CPL-4", "consent"),
    *constraint("CPL-4", "consent", "consent_has_its_wording", "kind = 3 OR detail_ct IS NOT NULL"),
    *constraint("CPL-4", "consent", "consent_of_a_page_has_its_purpose",
                "basis <> 'confirmation' OR kind <> 1 OR category_id IS NOT NULL"),
    *function("CPL-4", "consent_v1", "consent_v1(uuid, uuid[], uuid[], uuid[], smallint[], text[], timestamptz[], timestamptz[], bytea[])"),
    *function("CPL-4", "consent_stands_v1", "consent_stands_v1(uuid, uuid, uuid, timestamptz)"),
    *function("CPL-4", "opt_out_v1", "opt_out_v1(uuid, bytea, uuid, text)"),
    *function("CPL-4", "privacy_fact_v1", "privacy_fact_v1(text, timestamptz)"),
    quiet("CPL-4", "a message was sent on consent that is not on record", "snapshot",
           "UPDATE snapshot SET artefact = (artefact::jsonb || '{\"lawful_basis\":\"consent\"}')::text WHERE kind = 'category'"),
    quiet("CPL-4", "an opt-out was told and not carried out", "event",
           "INSERT INTO event SELECT message_id, 15, 'unsubscribe', tenant_id, at, detail_ct, leaf_hash FROM event WHERE kind = 8 LIMIT 1"),
]  # fmt: skip

SECRETS = [
    *constraint("ENC-4", "message_body", "message_body_body_ct_check", "get_byte(body_ct, 0) = 2"),
    *constraint("ENC-4", "suppression", "suppression_address_ct_check", "get_byte(address_ct, 0) = 1"),
    loud("ENC-4", "a column more", "ALTER TABLE person ADD COLUMN email text", "ALTER TABLE person DROP COLUMN email"),
    loud("ENC-4", "a table more", "CREATE TABLE contacts (address text)", "DROP TABLE contacts"),
    *secured("ENC-4", "message_body"),
    quiet("ENC-4", "a body in the clear", "message_body", f"UPDATE message_body SET body_ct = '\\x02'::bytea || {PLAIN}"),
    quiet("ENC-4", "a decision in the clear", "message", f"UPDATE message SET decision_ct = '\\x02'::bytea || {PLAIN}"),
    quiet("ENC-4", "an event in the clear", "event", f"UPDATE event SET detail_ct = '\\x02'::bytea || {PLAIN} WHERE kind = 8"),
    quiet("ENC-4", "a suppressed address in the clear", "suppression", f"UPDATE suppression SET address_ct = '\\x01'::bytea || {PLAIN}"),
    quiet("ENC-4", "an address where a code belongs", "suppression", "UPDATE suppression SET source = 'ann@home.example' WHERE source = 'staff'"),
    quiet("ENC-4", "a keyset in the clear", "tenant", f"UPDATE tenant SET keyset = '\\x01'::bytea || {PLAIN} WHERE code = 'homes'"),
    *constraint("ENC-5", "person", "person_address_ct_check", "get_byte(address_ct, 0) = 2"),
    *constraint("ENC-5", "account", "account_name_ct_check", "get_byte(name_ct, 0) = 1"),
    *fences("ENC-5", "person"), *secured("ENC-5", "person"),
    *function("ENC-5", "erase_person_v1", "erase_person_v1(uuid, uuid)"),
    quiet("ENC-5", "an address in the clear", "person", f"UPDATE person SET address_ct = '\\x02'::bytea || {PLAIN}"),
    quiet("ENC-5", "two people share a key", "person", "UPDATE person SET data_key = (SELECT data_key FROM person ORDER BY id LIMIT 1)"),
    quiet("ENC-5", "an index of another address", "person", "UPDATE person SET blind_index = sha256(blind_index)"),
    quiet("ENC-5", "a name in the clear", "account", f"UPDATE account SET name_ct = '\\x01'::bytea || {PLAIN}"),
]  # fmt: skip

LISTS = [
    *fences("SUP-1", "suppression", "insert_only"), *secured("SUP-1", "suppression"),
    *function("SUP-1", "suppress_v1", "suppress_v1(bytea[], smallint[], text[], uuid[], bytea[])"),
    *function("SUP-1", "overridden_v1", "overridden_v1(uuid, bytea, smallint, text, timestamptz, timestamptz)"),
    *function("SUP-1", "overrides_count_v1", "overrides_count_v1(uuid, uuid)"),
    loud("SUP-1", "inserts are thrown away", "CREATE RULE away AS ON INSERT TO suppression DO INSTEAD NOTHING", "DROP RULE away ON suppression"),
    loud("SUP-1", "the key is gone", "ALTER TABLE suppression DROP CONSTRAINT suppression_pkey", "ALTER TABLE suppression ADD PRIMARY KEY (blind_index, reason, source)"),
    quiet("SUP-1", "an entry is gone", "suppression", "DELETE FROM suppression WHERE source = 'staff'"),
    quiet("SUP-1", "somebody suppressed was written to", ("suppression", "suppression_feed"),
           "INSERT INTO suppression_feed (blind_index, reason, created_at) SELECT blind_index, 5, now() - interval '3 hours' FROM message WHERE state = 5 LIMIT 1",
           "INSERT INTO suppression (blind_index, reason, source, created_at) SELECT blind_index, 5, 'staff', now() - interval '3 hours' FROM message WHERE state = 5 LIMIT 1"),
    *fences("SUP-2", "suppression_act", "insert_only"), *secured("SUP-2", "suppression_act"),
    *constraint("SUP-2", "suppression", "suppression_reason_check", "reason BETWEEN 1 AND 6", "reason >= 1"),
    *function("SUP-2", "suppress_v1", "suppress_v1(bytea[], smallint[], text[], uuid[], bytea[])"),
    *function("SUP-2", "suppress_by_hand_v1", "suppress_by_hand_v1(uuid, uuid, bytea, bytea, bytea, bytea)"),
    *function("SUP-2", "override_bounded", "override_bounded()"),
    *function("SUP-2", "house_alone", "house_alone(change)"),
    *function("SUP-2", "suppression_attempt_v1", "suppression_attempt_v1(text)"),
    *right("SUP-2", "suppression:add"),
    loud("SUP-2", "the worker may suppress no more", "REVOKE EXECUTE ON FUNCTION suppress_v1(bytea[], smallint[], text[], uuid[], bytea[]) FROM troth_flow",
          "GRANT EXECUTE ON FUNCTION suppress_v1(bytea[], smallint[], text[], uuid[], bytea[]) TO troth_flow"),
    loud("SUP-2", "complaints are thrown away", "CREATE RULE away AS ON INSERT TO suppression WHERE NEW.reason = 2 DO INSTEAD NOTHING", "DROP RULE away ON suppression"),
    loud("SUP-2", "an override has no bound", "ALTER TABLE suppression_override DISABLE TRIGGER bounded", "ALTER TABLE suppression_override ENABLE TRIGGER bounded"),
    quiet("SUP-2", "a complaint left no entry", "event", "INSERT INTO event SELECT message_id, 14, 'arf:1', tenant_id, at, detail_ct, leaf_hash FROM event WHERE kind = 8 LIMIT 1"),
    quiet("SUP-2", "an opt-out left no entry", "event", "INSERT INTO event SELECT message_id, 15, 'unsubscribe', tenant_id, at, detail_ct, leaf_hash FROM event WHERE kind = 8 LIMIT 1"),
    quiet("SUP-2", "an entry by hand is gone", "suppression_act", "INSERT INTO suppression_act SELECT gen_random_uuid(), t.id, sha256('x'), a.id, '\\x01', now() FROM tenant t, account a LIMIT 1"),
    *function("SUP-3", "suppression_part_v1", "suppression_part_v1(bigint, integer)"),
    *fences("SUP-3", "suppression", "no_truncate"), *fences("SUP-3", "suppression_feed", "insert_only"),
    loud("SUP-3", "the trigger is gone", "DROP TRIGGER insert_only ON suppression",
          "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()"),
    loud("SUP-3", "the trigger forgets deletion", ("DROP TRIGGER insert_only ON suppression",
          "CREATE TRIGGER insert_only BEFORE UPDATE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()"),
          ("DROP TRIGGER insert_only ON suppression",
           "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only()")),
    *function("SUP-3", "insert_only", "insert_only()"),
    quiet("SUP-3", "all is gone", ("suppression", "suppression_feed"), "DELETE FROM suppression", "DELETE FROM suppression_feed"),
    quiet("SUP-3", "a feed's row is gone", "suppression_feed", "DELETE FROM suppression_feed WHERE id = (SELECT min(id) FROM suppression_feed)"),
    quiet("BNC-1", "a hard bounce is not suppressed", ("suppression", "suppression_feed"), "DELETE FROM suppression WHERE reason = 1", "DELETE FROM suppression_feed WHERE reason = 1"),
    quiet("BNC-1", "a hard bounce is suppressed late", "suppression", "UPDATE suppression SET created_at = created_at + interval '1 hour' WHERE reason = 1"),
    quiet("BNC-1", "a policy lets hard bounces be", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, '\"hard_suppresses\":true', '\"hard_suppresses\":false') WHERE kind = 'policy'"),
    *fences("BNC-1", "event", "insert_only"),
    quiet("BNC-2", "a spent retry is not suppressed", "suppression", "DELETE FROM suppression WHERE reason = 6"),
    quiet("BNC-2", "a policy tries more often", "snapshot", "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"soft_retry_minutes\":\\[', '\"soft_retry_minutes\":[1,') WHERE kind = 'policy'"),
    quiet("BNC-2", "a policy waits longer", "snapshot", "UPDATE snapshot SET artefact = regexp_replace(artefact, '\"soft_window_minutes\":\\d+', '\"soft_window_minutes\":9999') WHERE kind = 'policy'"),
    quiet("BNC-2", "a deferral cannot be read", "event", f"UPDATE event SET detail_ct = '\\x02'::bytea || {PLAIN} WHERE kind = 9"),
    *fences("BNC-2", "suppression", "insert_only"),
]  # fmt: skip

GOVERNED = [
    *fences("CHG-6", "snapshot", "guard"), *fences("CHG-6", "change", "decided_once"), *secured("CHG-6", "snapshot"),
    *function("CHG-6", "approve_v1", "approve_v1(uuid, bytea, bytea)"),
    *function("CHG-6", "snapshot_guard", "snapshot_guard()"),
    *function("CHG-6", "session_account", "session_account(bytea)"),
    *constraint("CHG-6", "snapshot", "snapshot_check1", "proposer_human <> approver_human"),
    loud("CHG-6", "anybody may approve", "INSERT INTO permission VALUES ('property', 'template:approve', 'own', 'viewer', false, false)",
          "DELETE FROM permission WHERE action = 'template:approve' AND role = 'viewer'"),
    quiet("CHG-6", "a version is forged", "snapshot",
           "INSERT INTO snapshot SELECT gen_random_uuid(), kind, tenant_id, subject, code, 9, artefact, digest, gen_random_uuid(), proposer_human, approver_human, now()"
           " FROM snapshot WHERE kind = 'template' LIMIT 1"),
    quiet("CHG-6", "a version and its change are forged", ("snapshot", "change"),
           "INSERT INTO change SELECT '00000000-0000-4000-8000-000000000001', kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human,"
           " proposed_at, expires_at, state, decided_at, decider_human, decision_note FROM change WHERE kind = 'template' AND state = 2 LIMIT 1",
           "INSERT INTO snapshot SELECT gen_random_uuid(), s.kind, s.tenant_id, s.subject, s.code, 9, s.artefact, s.digest, '00000000-0000-4000-8000-000000000001',"
           " s.proposer_human, s.approver_human, now() FROM snapshot s JOIN change c ON c.id = '00000000-0000-4000-8000-000000000001' AND c.subject = s.subject LIMIT 1"),
    quiet("CHG-6", "an approved text is edited", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, 'rent', 'rant') WHERE kind = 'template'"),
    quiet("CHG-6", "one person did both", "snapshot", "UPDATE snapshot SET approver_human = proposer_human WHERE kind = 'template'"),
    quiet("CHG-6", "an email is of an unknown template", "email", "UPDATE email SET template_snapshot = gen_random_uuid()"),
    *fences("RCP-4", "person"), *fences("RCP-4", "confirmation"),
    *constraint("RCP-4", "person", "person_check3", "status <> 2 OR (verified_at IS NOT NULL AND pathway IS NOT NULL)"),
    *function("RCP-4", "verify_person_v1", "verify_person_v1(bytea, text)"),
    loud("RCP-4", "the river may verify", "GRANT UPDATE (status) ON person TO troth_flow", "REVOKE UPDATE (status) ON person FROM troth_flow"),
    quiet("RCP-4", "nobody confirmed", "confirmation", "DELETE FROM confirmation"),
    quiet("RCP-4", "a confirmation was not used", "confirmation", "UPDATE confirmation SET used_at = NULL"),
    quiet("RCP-4", "somebody came another way", "person", "UPDATE person SET pathway = 'employer-invitation'"),
    quiet("RCP-4", "somebody unverified was written to", ("person", "confirmation"), "DELETE FROM confirmation",
           "UPDATE person SET status = 1, verified_at = NULL, pathway = NULL WHERE id IN (SELECT person_id FROM message WHERE state = 5)"),
    quiet("RCP-4", "somebody was verified afterwards", ("person", "confirmation"),
           "UPDATE person SET verified_at = now() + interval '60 days'", "UPDATE confirmation SET used_at = now() + interval '60 days'"),
    *fences("SND-2", "api_key"), *secured("SND-2", "api_key"),
    *constraint("SND-2", "rate_counter", "rate_never_exceeded", "used <= cap"),
    loud("SND-2", "a key needs no scope", "ALTER TABLE api_key ALTER snapshot_id DROP NOT NULL", "ALTER TABLE api_key ALTER snapshot_id SET NOT NULL"),
    quiet("SND-2", "a key is somebody's own", "api_key", "UPDATE api_key SET hash = sha256(hash)"),
    quiet("SND-2", "a key's scope is another's", "api_key", "UPDATE api_key SET snapshot_id = (SELECT id FROM snapshot WHERE kind = 'policy' LIMIT 1)"),
    quiet("SND-2", "an email came by no key", "email", "UPDATE email SET api_key_id = NULL"),
    quiet("SND-2", "an email came by another's key", "email", "UPDATE email e SET api_key_id = (SELECT id FROM api_key k WHERE k.tenant_id <> e.tenant_id LIMIT 1)"),
    quiet("SND-2", "a scope leaves out what was sent", "snapshot", "UPDATE snapshot SET artefact = replace(artefact, '\"categories\":[\"rent\"]', '\"categories\":[\"other\"]') WHERE kind = 'api-key'"),
    *function("SND-2", "apply_api_key", "apply_api_key(change, uuid)"),
]  # fmt: skip

LOGS = [
    *fences("LOG-1", "event", "insert_only"), *fences("LOG-1", "message", "legal_step"), *secured("LOG-1", "event"),
    *constraint("LOG-1", "event", "known_event", "kind IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)"),
    *function("LOG-1", "event_to_line", "event_to_line()"),
    quiet("LOG-1", "the sent events are gone", "event", "DELETE FROM event WHERE kind = 8"),
    quiet("LOG-1", "one deferral is gone", "event", "DELETE FROM event WHERE (message_id, kind, source_key) = (SELECT message_id, kind, source_key FROM event WHERE kind = 9 LIMIT 1)"),
    quiet("LOG-1", "a bounce looks sent", "message", "UPDATE message SET state = 5 WHERE state = 8"),
    quiet("LOG-1", "an event has another time", "event", "UPDATE event SET at = at - interval '1 minute' WHERE kind = 11"),
    quiet("LOG-1", "messages are gone", "message", "DELETE FROM message WHERE state = 8"),
    quiet("LOG-1", "messages and events are gone", ("message", "event"), "DELETE FROM event", "DELETE FROM message"),
    *fences("LOG-6", "ledger_leaf", "insert_only"), *fences("LOG-6", "ledger_checkpoint", "no_truncate"),
    *fences("LOG-6", "event", "to_line"),
    *function("LOG-6", "ledger_entry", "ledger_entry(text[], uuid[], text[])"),
    *function("LOG-6", "only_sequenced", "only_sequenced()"),
    quiet("LOG-6", "an entry says another thing", "ledger_leaf",
           "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL", "UPDATE ledger_leaf SET leaf = replace(leaf, '\"code\":\"rent\"', '\"code\":\"rant\"'),"
           " leaf_hash = sha256('\\x00'::bytea || convert_to(replace(leaf, '\"code\":\"rent\"', '\"code\":\"rant\"'), 'UTF8'))",
           "ALTER TABLE ledger_leaf ENABLE TRIGGER ALL"),
    quiet("LOG-6", "an entry is gone", "ledger_leaf", "DELETE FROM ledger_leaf WHERE index = 3"),
    quiet("LOG-6", "the newest entries are gone", ("ledger_leaf", "ledger_batch", "ledger_node", "ledger_checkpoint"),
           "DELETE FROM ledger_batch", "DELETE FROM ledger_leaf WHERE index > 30", "DELETE FROM ledger_checkpoint"),
    quiet("LOG-6", "a node is another", "ledger_node", "UPDATE ledger_node SET hash = sha256(hash) WHERE level = 2 AND index = 1"),
    quiet("LOG-6", "a root is another", "ledger_checkpoint", "UPDATE ledger_checkpoint SET root = sha256(root)"),
    quiet("LOG-6", "a checkpoint is not signed", "ledger_checkpoint", "UPDATE ledger_checkpoint SET note = replace(note, 'time ', 'tame ')"),
    quiet("LOG-6", "the key is another", "ledger_key", "UPDATE ledger_key SET vkey = replace(vkey, 'troth/', 'truth/')"),
    quiet("LOG-6", "a batch holds other events", "ledger_batch", "UPDATE ledger_batch SET hashes = sha256(hashes) || substr(hashes, 33)"),
    quiet("LOG-6", "a batch is gone", "ledger_batch", "DELETE FROM ledger_batch"),
    quiet("LOG-6", "events are gone", "event", "DELETE FROM event WHERE kind = 11"),
    quiet("LOG-6", "an event was added", "event",
           "INSERT INTO event SELECT message_id, 15, 'x', tenant_id, at, NULL, sha256('x') FROM event WHERE kind = 8 LIMIT 1"),
    quiet("LOG-6", "an entry is another client's", "ledger_leaf", "UPDATE ledger_leaf SET tenant_id = NULL WHERE tenant_id IS NOT NULL"),
]  # fmt: skip

SENDING = [
    *fences("SND-1", "api_key_secret"), *secured("SND-1", "api_key_secret"), *right("SND-1", "message:test"),
    *function("SND-1", "stop_key", "stop_key(snapshot)"),
    quiet("SND-1", "an email came by no key", "email", "UPDATE email SET api_key_id = NULL"),
    quiet("SND-1", "a key had ended before its email", "api_key_secret", "UPDATE api_key_secret SET ends_at = created_at - interval '1 hour'"),
    quiet("SND-1", "a key has a secret that nobody approved", "api_key", "UPDATE api_key SET hash = sha256(hash)"),
    *function("SND-3", "api_key_wrong", "api_key_wrong(change)"),
    *function("SND-3", "apply_api_key", "apply_api_key(change, uuid)"),
    *fences("SND-3", "api_key_secret"),
    quiet("SND-3", "a secret lives for years", "api_key_secret", "UPDATE api_key_secret SET ends_at = created_at + interval '400 days'"),
    quiet("SND-3", "a key says that it lives for a year more", "api_key", "UPDATE api_key SET expires_at = expires_at + interval '1 year'"),
    quiet("SND-3", "a secret was made younger", "api_key_secret", "UPDATE api_key_secret SET created_at = created_at + interval '30 days'"),
    quiet("SND-3", "a secret came by no version", "api_key_secret", "UPDATE api_key_secret SET hash = sha256(hash)"),
    *right("SND-4", "policy:propose"), *function("SND-4", "allowed", "allowed(bytea, text, uuid)"),
    *function("SND-4", "session_open_now", "session_open_now(bytea)"),
]  # fmt: skip

ALL = [
    *EYES,
    *ROLES,
    *EMAIL,
    *DOMAINS,
    *LAWS,
    *SECRETS,
    *SHAPES,
    *ROWS,
    *LISTS,
    *GOVERNED,
    *PEOPLE,
    *RECIPIENTS,
    *COMPLAINTS,
    *DMARC,
    *REPORTS,
    *ASKING,
    *LOGS,
    *SENDING,
    *VOLUMES,
    *AMOUNTS,
    *ATTESTED,
    *DRILLS,
    *PAGES,
]
