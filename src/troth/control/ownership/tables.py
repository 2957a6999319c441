"""Who may touch which table: grants and row-level security, the docs page and its test come from here."""

from dataclasses import dataclass, field

CONTROL, FLOW, LEDGER, SIGNIN = "troth_control", "troth_flow", "troth_ledger", "troth_signin"
RUNTIME_ROLES = (CONTROL, FLOW, LEDGER, SIGNIN)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: privileges per role as SQL says them, its tenant column if it has one, tier and retention.

    `tenant`: rows are visible to troth_control only for the tenant of the transaction. `shared_null`: rows without
    a tenant are visible to all; `house`: only where the transaction is for no tenant.
    """

    name: str
    writer: str
    grants: dict[str, str]
    tier: str
    retention: str
    tenant: str | None = None
    shared_null: bool = False
    house: bool = False
    partitioned: bool = False
    notes: str = field(default="")


_BOTH = (CONTROL, FLOW)
_FULL = "SELECT, INSERT, UPDATE, DELETE"
_SEE = {CONTROL: "SELECT"}
_READ = {CONTROL: "SELECT", FLOW: "SELECT"}
_LEDGER = {CONTROL: "SELECT", LEDGER: "SELECT, INSERT"}
_APPEND = {CONTROL: "SELECT", FLOW: "SELECT, INSERT"}
_NO_HASHES = "SELECT (id, account_id, created_at, revoked_at)"
_KEY_WITHOUT_HASH = (
    "SELECT (id, tenant_id, name, prefix, snapshot_id, expires_at, created_at, revoked_at, mode, networks)"
)
_KEY_SECRETS_SHOWN = "SELECT (key_id, tenant_id, prefix, snapshot_id, created_at, ends_at, last_used_at)"
_DKIM_WITHOUT_PRIVATE = (
    "INSERT (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at), SELECT (id, tenant_id, "
    "domain_id, selector, bits, public_der, created_at, retired_at, state, begun_by, seen_at, active_at, overlap_ends, "
    "ended)"
)
_PERSON_UNVERIFIED = (
    "SELECT, INSERT (id, tenant_id, blind_index, layer, address_ct, data_key, salt, timezone, created_at)"
)
_CONFIRMATION_UNUSED = (
    "SELECT, DELETE, INSERT (secret_hash, tenant_id, person_id, pathway, code_hash, valid_days, agreement, basis_ct,"
    " asked_by, email_id, created_at, expires_at)"
)
_CONFIRMATION_SHOWN = (  # all but the hashes
    "SELECT (tenant_id, person_id, pathway, tries, valid_days, agreement, basis_ct, asked_by, created_at, expires_at,"
    " used_at)"
)
_CODE_WITHOUT_HASH = "DELETE, SELECT (id, message_id, blind_index, act, tries, expires_at, used_at)"
_SIGNING_ENDS = "INSERT, UPDATE (ends_at), SELECT (id, tenant_id, endpoint_id, created_at, ends_at)"
_VERSION_TO_VERIFY = "SELECT (id, kind, tenant_id, subject, code, change_id, approver_human, digest, artefact)"
_APPROVALS = "SELECT (change_id, human_id, tenant_id, digest, at)"
_EVENT_WITHOUT_DETAIL = "SELECT (message_id, kind, source_key, tenant_id, at, leaf_hash)"

TABLES: tuple[Table, ...] = (
    # ---- the ground
    Table("installation", "troth init", {**_READ, LEDGER: "SELECT"}, "Restricted", "for good",
          notes="secrets are sealed by the KMS"),
    Table("clock_mark", "duties, approve_v1", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal",
          "for good"),
    Table("ledger_pending", "ledger_append_v1", {LEDGER: "SELECT, DELETE"}, "Internal", "until sequenced"),
    # ---- the ledger
    Table("ledger_leaf", "the sequencer", {**_LEDGER, FLOW: "SELECT"}, "Internal", "for good", tenant="tenant_id",
          shared_null=True),
    Table("ledger_batch", "the sequencer", {**_LEDGER, FLOW: "SELECT"}, "Internal", "for good"),
    Table("ledger_node", "the sequencer", _LEDGER, "Public", "for good"),
    Table("ledger_checkpoint", "the sequencer", {**_LEDGER, FLOW: "SELECT"}, "Public", "for good"),
    Table("ledger_key", "the sequencer", {**_LEDGER, FLOW: "SELECT"}, "Public", "for good"),
    Table("event_pending", "a trigger on event", {LEDGER: "SELECT, DELETE", FLOW: "SELECT (id, at)",
          CONTROL: "SELECT (id, at)"}, "Internal", "until sealed"),
    Table("event_tally", "the sequencer", {CONTROL: "SELECT", FLOW: "SELECT", LEDGER: "SELECT, INSERT, UPDATE"},
          "Internal", "25 months", tenant="tenant_id"),
    Table("django_migrations", "troth migrate", _READ, "Internal", "for good"),
    # ---- tenants and people
    Table("programme", "approve_v1", _READ, "Public", "for good"),
    Table("tenant", "approve_v1", _READ, "Confidential", "contract and 12 months", tenant="id"),
    Table("pause", "pause_v1, stop_v1, clock_stop_v1, approve_v1", _READ, "Internal", "24 months", tenant="tenant_id",
          shared_null=True),
    Table("human", "approve_v1, genesis_v1", {CONTROL: "SELECT"}, "Internal", "for good"),
    Table("account", "approve_v1, genesis_v1", {CONTROL: "SELECT"}, "Confidential", "12 months after leaving",
          tenant="tenant_id", shared_null=True),
    Table("credential", "approve_v1, genesis_v1", {CONTROL: _NO_HASHES}, "Restricted", "12 months after revocation"),
    Table("session", "session_open_v1, page_session_open_v1", {}, "Restricted", "12 months"),
    Table("permission", "troth migrate", {CONTROL: "SELECT"}, "Public", "for good"),
    Table("designation", "approve_v1", {CONTROL: "SELECT"}, "Internal", "for good", tenant="tenant_id"),
    Table("access_log", "page_session_open_v1, access_log_v1, ...", {CONTROL: "SELECT"}, "Confidential", "12 months",
          tenant="tenant_id", house=True, partitioned=True),
    # ---- signing in to the pages (Django's and allauth's own tables among them)
    Table("login", "account_login (a trigger), password_set_v1", {CONTROL: "SELECT"}, "Restricted", "as its account",
          notes="argon2id hashes; a role writes none"),
    Table("password_link", "password_link_v1, password_set_v1", {}, "Restricted", "30 days"),
    Table("throttle", "throttle_v1, throttle_clear_v1", {}, "Internal", "1 day"),
    Table("django_session", "Django", {CONTROL: _FULL}, "Restricted", "30 minutes without use"),
    Table("mfa_authenticator", "the pages' sign-in", {SIGNIN: _FULL}, "Restricted", "as its account",
          notes="each row sealed for its account; adding and removing one is an entry of the ledger"),
    # ---- signing on with a client's own provider
    Table("sign_on_proof", "sign_on_prove_v1", {CONTROL: "SELECT"}, "Internal", "as its client", tenant="tenant_id"),
    Table("sign_on_domain", "approve_v1", {}, "Internal", "while it is bound", tenant="tenant_id",
          notes="a domain is one client's"),
    Table("sign_on_attempt", "sign_on_begin_v1, sign_on_answer_v1", {}, "Restricted", "1 day",
          tenant="tenant_id", notes="hashes; an answer stays sealed until its browser collects it"),
    Table("arrival", "arrival_v1, arrival_forget_v1", _SEE, "Restricted", "until done", tenant="tenant_id"),
    Table("account_emailaddress", "nobody", {CONTROL: "SELECT"}, "Internal", "for good", notes="allauth's; empty"),
    Table("account_emailconfirmation", "nobody", {}, "Internal", "for good", notes="allauth's; empty"),
    Table("auth_group", "nobody", {}, "Internal", "for good", notes="Django's; empty"),
    Table("auth_group_permissions", "nobody", {}, "Internal", "for good", notes="Django's; empty"),
    Table("auth_permission", "troth migrate", {}, "Internal", "for good", notes="Django's; not used"),
    Table("django_content_type", "troth migrate", {}, "Internal", "for good", notes="Django's; not used"),
    # ---- access reviews
    Table("review", "review_open_v1, access_duty_v1", _SEE, "Confidential", "for good", tenant="tenant_id", house=True),
    Table("review_item", "review_open_v1, access_duty_v1", {CONTROL: "SELECT"}, "Confidential", "for good",
          tenant="tenant_id", house=True),
    Table("review_decision", "review_decide_v1, access_duty_v1", {CONTROL: "SELECT"}, "Confidential", "for good",
          tenant="tenant_id", house=True, notes="insert-only; nobody decides about themselves"),
    Table("access_notice", "access_duty_v1; the webhooks' process (done)",
          {FLOW: "SELECT, UPDATE (done_at, tried_at, why)"}, "Confidential", "12 months"),
    # ---- claims
    Table("claim_state", "claim_record_v2", {CONTROL: "SELECT", LEDGER: "SELECT"}, "Internal", "for good",
          notes="stands as the newest row of claim_history says"),
    Table("claim_history", "claim_record_v2", {CONTROL: "SELECT", LEDGER: "SELECT"}, "Internal", "for good",
          notes="insert-only; each row has an entry of the ledger's that is its own"),
    Table("claim_ask", "claim_ask_v1", {CONTROL: "SELECT"}, "Internal", "until the claim was looked at"),
    Table("claim_told", "claim_tell_v1", {}, "Internal", "with its account"),
    Table("evidence", "evidence_submit_v1, evidence_accept_v1, evidence_withdraw_v1",
          {CONTROL: "SELECT", LEDGER: "SELECT"}, "Confidential", "for good",
          notes="insert-only, but for acceptance and withdrawal, once; the file is sealed"),
    # ---- four eyes
    Table("draft", "draft_save_v1", {CONTROL: "SELECT"}, "Confidential", "until approved or discarded",
          tenant="tenant_id", house=True),
    Table("draft_author", "draft_save_v1", {CONTROL: "SELECT"}, "Internal", "for good", tenant="tenant_id", house=True),
    Table("approval", "approve_v1", {CONTROL: "SELECT", FLOW: _APPROVALS}, "Confidential", "for good",
          tenant="tenant_id", shared_null=True),
    Table("change_comment", "comment_v1", _SEE, "Confidential", "for good", tenant="tenant_id", house=True),
    Table("change_assignee", "assign_v1", {CONTROL: "SELECT"}, "Internal", "for good", tenant="tenant_id", house=True),
    Table("change", "propose_v1, approve_v1", {CONTROL: "SELECT", FLOW: "SELECT (tenant_id, kind, code, state)"},
          "Confidential", "for good", tenant="tenant_id", shared_null=True),
    Table("snapshot", "approve_v1", {**_READ, LEDGER: _VERSION_TO_VERIFY}, "Confidential", "for good",
          tenant="tenant_id", shared_null=True),
    Table("governed", "approve_v1", _READ, "Confidential", "for good", tenant="tenant_id", shared_null=True),
    Table("revocation", "revoke_v1", _READ, "Confidential", "for good", tenant="tenant_id", shared_null=True),
    Table("simulation", "simulation_ask_v1, simulation_tell_v1, simulation_end_v1", {CONTROL: "SELECT"}, "Confidential",
          "for good", tenant="tenant_id", house=True, notes="what was asked never changes"),
    Table("simulation_result", "simulation_end_v1", {CONTROL: "SELECT"}, "Confidential", "for good",
          tenant="tenant_id", house=True, notes="insert-only, bound to the digest of the change it tried"),
    # ---- files of many rows
    Table("import", "import_receive_v1, approve_v1, the imports process", {CONTROL: "SELECT"}, "Confidential",
          "for good", tenant="tenant_id", house=True),
    Table("import_part", "import_part_v1", _SEE, "Restricted", "until checked", tenant="tenant_id", house=True),
    Table("import_chunk", "import_chunk_v1", _SEE, "Restricted", "until carried out", tenant="tenant_id", house=True),
    Table("import_fault", "import_faults_v1", _SEE, "Internal", "90 days past the end", tenant="tenant_id", house=True),
    Table("person_import", "import_people_v1", {CONTROL: "SELECT"}, "Internal", "as its recipient", tenant="tenant_id"),
    Table("import_ask", "import_ask_take_v1", {FLOW: "SELECT"}, "Internal", "until asked", tenant="tenant_id"),
    Table("import_asking", "import_ask_take_v1", _SEE, "Internal", "for good", tenant="tenant_id"),
    Table("agreement", "agreement_keep_v1", {CONTROL: "SELECT"}, "Confidential", "for good", tenant="tenant_id",
          notes="the digest of a signed document, never the document"),
    # ---- recipients, keys, domains
    Table("person", "the door; verify_person_v1, erase_person_v1", {CONTROL: "SELECT", FLOW: _PERSON_UNVERIFIED},
          "Restricted", "until erased", tenant="tenant_id", notes="a role cannot insert a verified person"),
    Table("confirmation", "the door; verify_person_v1", {CONTROL: _CONFIRMATION_SHOWN, FLOW: _CONFIRMATION_UNUSED},
          "Restricted", "30 days", tenant="tenant_id"),
    Table("person_event", "triggers on person; person_expiry_duty_v1", _READ, "Restricted", "for good",
          tenant="tenant_id", notes="a recipient's history; insert-only"),
    Table("api_key", "approve_v1, revoke_v1", {CONTROL: _KEY_WITHOUT_HASH, FLOW: "SELECT"},
          "Restricted", "12 months after its end", tenant="tenant_id"),
    Table("api_key_secret", "approve_v1, revoke_v1; api_keys_used_v1 (last use)",
          {CONTROL: _KEY_SECRETS_SHOWN, FLOW: "SELECT"}, "Restricted", "12 months after its key's end",
          tenant="tenant_id", notes="hashes alone; none comes back"),
    Table("dkim_key", "the domain's set-up; dkim_*_v1", {CONTROL: _DKIM_WITHOUT_PRIVATE, FLOW: "SELECT"},
          "Restricted", "for good", tenant="tenant_id", notes="a retired key's private part is destroyed"),
    Table("domain_state", "duties; approve_v1", {CONTROL: "SELECT", FLOW: "SELECT, UPDATE (ready_until, checked_at, "
          "last_good_at, lookup_failed, findings, views, path_until, broken_at)"}, "Internal", "for good",
          tenant="tenant_id"),
    Table("reputation_look", "duties", {CONTROL: "SELECT", FLOW: "SELECT, INSERT"}, "Internal", "for good",
          tenant="tenant_id", house=True, notes="insert-only"),
    # ---- suppression
    Table("suppression", "suppress_v1", _READ, "Restricted", "for good", tenant="tenant_id", house=True,
          notes="never deleted, by anyone"),
    Table("suppression_act", "suppress_by_hand_v1", {CONTROL: "SELECT"}, "Restricted", "for good", tenant="tenant_id",
          house=True, notes="who put an address on the list by hand, with their words sealed"),
    Table("suppression_feed", "suppress_v1", {FLOW: "SELECT"}, "Restricted", "for good"),
    Table("opt_out", "opt_out_v1", _READ, "Restricted", "for good", tenant="tenant_id"),
    Table("suppression_override", "approve_v1", _READ, "Restricted", "24 months", tenant="tenant_id"),
    # ---- what comes back
    Table("inbound_beat", "inbound", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "for good"),
    Table("inbound_letter", "letter_keep_v1; inbound_read_v1; letters_done_v1",
          {CONTROL: "SELECT (id, desk, reason, at, size, read_at, read_by, done_at, done_by)",
           FLOW: "SELECT (id, read_at)"},
          "Restricted", "24 months", notes="each reading is an entry of the ledger"),
    Table("inbound_count", "letter_count_v1", _SEE, "Internal", "24 months"),
    Table("relay_call", "door", {FLOW: "SELECT, INSERT, UPDATE (done), DELETE"}, "Internal", "2 days"),
    Table("provider_day", "duties", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "25 months"),
    Table("provider_read", "duties", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "for good"),
    Table("relay_count", "door", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "for good"),
    # ---- cases: no role reads them but by functions that ask for a session
    Table("case_number", "case_open_v1", {}, "Internal", "for good"),
    Table("case_file", "case_open_v1, case_note_v1, case_step_v1", {}, "Confidential", "for good", tenant="tenant_id",
          house=True, notes="nobody deletes; a closed one is reopened, not edited"),
    Table("case_clock", "case_open_v1, case_step_v1, case_note_v1", {}, "Internal", "for good",
          notes="insert-only, but for being met, once"),
    Table("case_entry", "case_open_v1, case_step_v1, case_note_v1", {}, "Restricted", "for good", notes="insert-only"),
    Table("case_paper", "case_note_v1", {}, "Restricted", "for good", notes="insert-only; each opening is an entry"),
    Table("case_told", "case_duty_v1", {}, "Internal", "as its account"),
    Table("case_reporter", "case_reporter_v1, case_reporter_say_v1", {}, "Restricted", "for good",
          notes="sealed; where somebody may be answered"),
    Table("case_letter", "case_received_v1, case_tell_v1, case_letter_done_v1", {}, "Restricted", "for good"),
    Table("case_client", "case_client_v1", {}, "Confidential", "for good", tenant="tenant_id", house=True),
    Table("disclosure_credit", "disclosure_consent_v1, disclosure_publish_v1", {}, "Restricted", "for good",
          notes="a name is shown by consent alone, until it is withdrawn"),
    Table("asked", "asked_file_v1, asked_confirm_v1, asked_decide_v1, asked_sweep_v1", {}, "Restricted",
          "48 hours unconfirmed; words 90 days after the answer, facts for good",
          notes="sealed; each reading by staff is an entry of the ledger"),
    Table("asked_number", "asked_confirm_v1", {}, "Internal", "for good"),
    Table("asked_letter", "asked_file_v1, asked_decide_v1, asked_letter_done_v1", {}, "Internal", "as what it answers"),
    Table("asked_published", "asked_publish_v1, asked_unpublish_v1", {}, "Public", "for good"),
    Table("asked_taken", "asked_take_v1", {}, "Confidential", "for good", notes="insert-only"),
    Table("desk_day", "desk_room_v1", {}, "Internal", "30 days", notes="sources as keyed hashes"),
    # ---- complaints
    Table("feedback_loop", "feedback_loop_add_v1, feedback_loop_end_v1",
          {CONTROL: "SELECT", FLOW: "SELECT (id, name, provider, domains, sender, ended_at)"}, "Internal", "for good",
          notes="ended, never edited or deleted"),
    Table("feedback_loop_day", "feedback_loop_told_v1", _SEE, "Internal", "25 months"),
    Table("complaint", "complaint_v1", _SEE, "Internal", "for good", tenant="tenant_id",
          notes="insert-only; refused without suppression, event and case"),
    Table("template_flag", "a trigger on complaint; template_flag_clear_v1", _SEE, "Internal", "for good",
          tenant="tenant_id", notes="cleared once, by a person"),
    Table("template_hour", "template_hours_v1", {}, "Internal", "for good", tenant="tenant_id", house=True,
          notes="what was sent for a template, by the hour"),
    Table("template_hour_read", "template_hours_v1", {}, "Internal", "for good"),
    Table("complaint_review", "complaint_review_v1", {}, "Confidential", "for good",
          notes="insert-only; signed by a person"),
    Table("complaint_finding", "complaint_review_v1", {}, "Confidential", "for good", notes="insert-only"),
    # ---- reports of others
    Table("dmarc_report", "dmarc_take_v1", _SEE, "Internal", "for good", tenant="tenant_id", house=True,
          notes="strangers' words; insert-only"),
    Table("dmarc_record", "dmarc_take_v1", _SEE, "Internal", "400 days", tenant="tenant_id", house=True),
    Table("tls_report", "tls_take_v1", _SEE, "Internal", "for good", tenant="tenant_id", house=True),
    Table("tls_failure", "tls_take_v1", _SEE, "Internal", "for good", tenant="tenant_id", house=True),
    Table("report_count", "report_count_v1, dmarc_take_v1, tls_take_v1", _SEE, "Internal", "for good"),
    Table("dmarc_review", "dmarc_review_v1", {}, "Confidential", "for good", notes="insert-only; signed by a person"),
    Table("dmarc_finding", "dmarc_review_v1", {}, "Confidential", "for good", notes="insert-only"),
    # ---- consent
    Table("consent", "consent_v1", _READ, "Restricted", "for good", tenant="tenant_id",
          notes="insert-only; its detail goes with the person's key"),
    Table("opt_in", "opt_in_v1", _READ, "Restricted", "for good", tenant="tenant_id", notes="by the recipient alone"),
    Table("abuse_report", "report_abuse_v1, abuse_close_v1", {CONTROL: "SELECT", FLOW: "SELECT (message_id, at)"},
          "Confidential", "24 months", tenant="tenant_id", notes="its words and its outcome go with the person's key"),
    Table("own_code", "own_code_ask_v1", {FLOW: _CODE_WITHOUT_HASH}, "Restricted", "30 days", tenant="tenant_id"),
    Table("serve_otherwise", "a trigger on event; own_request_v1; serve_otherwise_v1", {CONTROL: "SELECT"},
          "Confidential", "24 months", tenant="tenant_id", notes="its words go with the person's key"),
    # ---- the river
    Table("email", "the gate", _APPEND, "Internal", "90 days", tenant="tenant_id", partitioned=True),
    Table("message", "the gate; events.py (state alone)",
          {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE (state, state_at)"},
          "Restricted", "90 days", tenant="tenant_id", partitioned=True),
    Table("message_body", "the gate", _APPEND, "Restricted", "30 days", tenant="tenant_id", partitioned=True),
    Table("event", "events.py", {**_APPEND, LEDGER: _EVENT_WITHOUT_DETAIL}, "Restricted", "90 days",
          tenant="tenant_id", partitioned=True),
    Table("api_request", "the door", _APPEND, "Confidential", "90 days", tenant="tenant_id", partitioned=True),
    Table("spool", "the gate; delivery; events.py", {CONTROL: "SELECT", FLOW: _FULL}, "Internal", "until done",
          tenant="tenant_id"),
    Table("release_order", "approve_v1; events.py", {CONTROL: "SELECT", FLOW: "SELECT, DELETE"},
          "Internal", "until done", tenant="tenant_id"),
    Table("volume_slot", "the gate", {CONTROL: "SELECT", FLOW: _FULL}, "Internal", "12 days", tenant="tenant_id"),
    Table("volume_gauge", "the gate; the watch; approve_v1", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"},
          "Internal", "for good", tenant="tenant_id"),
    Table("volume_doubt", "the watch", {FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "for good"),
    Table("anomaly", "anomaly_raise_v1", _READ, "Internal", "24 months", tenant="tenant_id"),
    Table("anomaly_look", "anomaly_look_v1", {CONTROL: "SELECT"}, "Confidential", "24 months", tenant="tenant_id"),
    Table("held_mail", "the gate; the watch (outcome)", {CONTROL: "SELECT",
          FLOW: "SELECT, INSERT, UPDATE (outcome), DELETE"}, "Internal", "90 days", tenant="tenant_id"),
    Table("held_order", "approve_v1; the watch (n, done_at)", {CONTROL: "SELECT", FLOW: "SELECT, UPDATE (n, done_at)"},
          "Internal", "24 months", tenant="tenant_id"),
    Table("route_day", "the mark", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal", "for good"),
    Table("rate_counter", "the gate", {CONTROL: "SELECT", FLOW: _FULL}, "Internal", "8 days", tenant="tenant_id"),
    Table("idempotency", "the gate", {FLOW: _FULL}, "Internal", "24 hours, scheduled mail 24 hours after its time",
          tenant="tenant_id"),
    Table("webhook_endpoint", "control; the sender (disabling)", {CONTROL: "SELECT, INSERT, UPDATE, DELETE",
          FLOW: "SELECT, UPDATE (disabled_at, disabled_why)"}, "Restricted", "until removed", tenant="tenant_id",
          notes="at most 10 a client; every change has its ledger entry"),
    Table("webhook_secret", "control", {CONTROL: _SIGNING_ENDS, FLOW: "SELECT, DELETE"}, "Restricted",
          "until its overlap ends", tenant="tenant_id"),
    Table("webhook_health", "the sender", {CONTROL: "SELECT", FLOW: "SELECT, INSERT, UPDATE"}, "Internal",
          "until removed", tenant="tenant_id"),
    Table("webhook_outbox", "events.py; the sender; webhook_replay_v1, webhook_test_v1",
          {CONTROL: "SELECT", FLOW: _FULL}, "Internal", "7 days after it is done", tenant="tenant_id"),
)  # fmt: skip  # rows of a table, read side by side
