-- The river's tables. Hot ones are insert-only and range-partitioned by week on the message's UUIDv7.

-- ---- people and keys ----------------------------------------------------------------------------------------

-- The only mutable home of a recipient's identity. Erasure is one UPDATE: data_key and address_ct become NULL.
CREATE TABLE person (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    blind_index bytea CHECK (octet_length(blind_index) = 32),
    layer       smallint NOT NULL DEFAULT 1,
    address_ct  bytea CHECK (get_byte(address_ct, 0) = 2),        -- under the person's own key
    data_key    bytea CHECK (get_byte(data_key, 0) = 1),          -- that key, wrapped by the tenant's keyset
    salt        bytea NOT NULL CHECK (octet_length(salt) >= 16),
    status      smallint NOT NULL DEFAULT 1 CHECK (status IN (1, 2, 4)),  -- pending, verified, erased
    pathway     text CHECK (pathway IN ('confirmation-link', 'employer-invitation', 'multi-step', 'system',
                                        'vendor-agreement')),
    verified_at timestamptz,
    expires_at  timestamptz,                                      -- of the verification; NULL: it has no end
    agreement   bytea CHECK (octet_length(agreement) = 32),       -- SHA-256 of the document that a vendor signed
    basis_ct    bytea CHECK (get_byte(basis_ct, 0) = 2),          -- under the person's own key: who invited, which document
    timezone    text CHECK (timezone ~ '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$'), -- an IANA name: the recipient's quiet hours
    erased_at   timestamptz,
    created_at  timestamptz NOT NULL,
    UNIQUE (tenant_id, blind_index),
    CHECK ((status = 4) = (erased_at IS NOT NULL)),
    CHECK ((status = 4) = (data_key IS NULL)),
    CHECK ((status = 4) = (address_ct IS NULL)),
    CHECK (status <> 2 OR (verified_at IS NOT NULL AND pathway IS NOT NULL)),
    CHECK (status <> 2 OR pathway <> 'vendor-agreement' OR agreement IS NOT NULL)
);

-- A link in a confirmation mail. Only the hash of its secret is kept; verify_person_v1 wants the secret.
CREATE TABLE confirmation (
    secret_hash bytea PRIMARY KEY CHECK (octet_length(secret_hash) = 32),
    tenant_id   uuid NOT NULL REFERENCES tenant,
    person_id   uuid NOT NULL REFERENCES person,
    pathway     text NOT NULL CHECK (pathway IN ('confirmation-link', 'employer-invitation', 'multi-step', 'vendor-agreement')),
    code_hash   bytea CHECK (octet_length(code_hash) = 32),       -- SHA-256 of the secret and the code in the same mail
    tries       smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5), -- wrong codes; five, and the link is dead
    valid_days  integer NOT NULL DEFAULT 365 CHECK (valid_days BETWEEN 1 AND 3650), -- what the verification will stand for
    agreement   bytea CHECK (octet_length(agreement) = 32),
    basis_ct    bytea CHECK (get_byte(basis_ct, 0) = 2),          -- under the person's own key
    asked_by    text NOT NULL DEFAULT 'troth' CHECK (asked_by ~ '^(troth|key:[0-9a-f-]{36}|account:[0-9a-f-]{36})$'),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    CHECK ((pathway = 'vendor-agreement') = (agreement IS NOT NULL)),
    CHECK (pathway <> 'multi-step' OR code_hash IS NOT NULL)
);
CREATE INDEX confirmation_person ON confirmation (person_id, created_at);

CREATE TABLE api_key (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    name        text NOT NULL,
    prefix      text NOT NULL,                                    -- the shown start of the key
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    snapshot_id uuid NOT NULL REFERENCES snapshot,                -- its approved scope
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX api_key_tenant ON api_key (tenant_id);

CREATE TABLE dkim_key (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    domain_id   uuid NOT NULL,                                    -- governed subject of kind 'domain'
    selector    text NOT NULL,
    bits        integer NOT NULL CHECK (bits >= 2048),
    private_ct  bytea NOT NULL CHECK (get_byte(private_ct, 0) = 1), -- under the tenant's keyset
    public_der  bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    retired_at  timestamptz,
    UNIQUE (domain_id, selector)
);

-- What DNS last said of a sending domain. Sending needs ready_until > now: a good check moves it on by the grace,
-- a bad one sets it to the epoch, a resolver failure leaves it.
CREATE TABLE domain_state (
    domain_id     uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL REFERENCES tenant,
    name          text NOT NULL,
    ready_until   timestamptz NOT NULL DEFAULT 'epoch',
    checked_at    timestamptz,
    last_good_at  timestamptz,
    lookup_failed boolean NOT NULL DEFAULT false,
    findings      jsonb NOT NULL DEFAULT '[]',
    UNIQUE (tenant_id, name)
);

-- ---- suppression --------------------------------------------------------------------------------------------

CREATE TABLE suppression (
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    -- 1 hard bounce, 2 complaint, 3 opt-out, 4 feedback loop, 5 administrative, 6 soft bounces spent
    reason      smallint NOT NULL CHECK (reason BETWEEN 1 AND 6),
    source      text NOT NULL,
    tenant_id   uuid,                                             -- where it came from; NULL: the operator
    layer       smallint NOT NULL DEFAULT 1,
    address_ct  bytea CHECK (get_byte(address_ct, 0) = 1),        -- under the operator's keyset
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (blind_index, reason, source)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON suppression FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- The ordered feed by which other cells learn of suppressions.
CREATE TABLE suppression_feed (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    blind_index bytea NOT NULL,
    reason      smallint NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression_feed FOR EACH ROW EXECUTE FUNCTION insert_only();

-- An opt-out that covers one category of one client.
CREATE TABLE opt_out (
    tenant_id   uuid NOT NULL REFERENCES tenant,
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    category_id uuid NOT NULL,
    source      text NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, blind_index, category_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON opt_out FOR EACH ROW EXECUTE FUNCTION insert_only();

-- An approved, expiring exception for one client, from the entries that stood there when it was approved and from no later
-- one; never from a complaint or an opt-out (overridden_v1).
CREATE TABLE suppression_override (
    tenant_id   uuid NOT NULL REFERENCES tenant,
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    snapshot_id uuid NOT NULL REFERENCES snapshot,
    expires_at  timestamptz NOT NULL,
    covers      text[] NOT NULL DEFAULT '{}',                     -- <reason>:<source> of each entry; a trigger writes it
    PRIMARY KEY (tenant_id, blind_index, snapshot_id)
);

CREATE FUNCTION suppress_v1(p_indexes bytea[], p_reasons smallint[], p_sources text[], p_tenants uuid[],
                            p_addresses bytea[]) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH entry AS (
        INSERT INTO troth.suppression (blind_index, reason, source, tenant_id, address_ct, created_at)
        SELECT i, r, s, t, a, troth.now_v1()
        FROM unnest(p_indexes, p_reasons, p_sources, p_tenants, p_addresses) AS u(i, r, s, t, a) ORDER BY i, r, s
        ON CONFLICT DO NOTHING
        RETURNING blind_index, reason, created_at),
    fed AS (
        INSERT INTO troth.suppression_feed (blind_index, reason, created_at) SELECT * FROM entry RETURNING 1)
    SELECT count(*)::integer FROM fed
$$;

-- opt_out_v1 stands in privacy/sql/0001_consent.sql, beside the way back.

-- ---- the hot tables -----------------------------------------------------------------------------------------

CREATE TABLE email (
    id                uuid NOT NULL,
    tenant_id         uuid NOT NULL,
    api_key_id        uuid,                                       -- NULL: Troth's own mail
    category_id       uuid NOT NULL,
    category_snapshot uuid NOT NULL,
    template_snapshot uuid,                                       -- NULL: raw content, where the category allows it
    policy_digest     bytea NOT NULL,
    created_at        timestamptz NOT NULL,
    scheduled_at      timestamptz,
    recipients        smallint NOT NULL CHECK (recipients BETWEEN 1 AND 50),
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX email_tenant ON email (tenant_id, id);

CREATE TABLE message (
    id          uuid NOT NULL,
    email_id    uuid NOT NULL,
    tenant_id   uuid NOT NULL,
    person_id   uuid NOT NULL,
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    category_id uuid NOT NULL,
    field       smallint NOT NULL CHECK (field IN (1, 2, 3)),     -- to, cc, bcc
    created_at  timestamptz NOT NULL,
    decision_ct bytea NOT NULL CHECK (get_byte(decision_ct, 0) = 2),
    state       smallint NOT NULL,                                -- a cache of the events; events.py alone writes it
    state_at    timestamptz NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX message_email ON message (email_id);
CREATE INDEX message_tenant ON message (tenant_id, id);
CREATE INDEX message_person ON message (tenant_id, blind_index, id);

CREATE TABLE message_body (
    message_id uuid NOT NULL,
    tenant_id  uuid NOT NULL,
    body_ct    bytea NOT NULL CHECK (get_byte(body_ct, 0) = 2),
    PRIMARY KEY (message_id)
) PARTITION BY RANGE (message_id);
ALTER TABLE message_body ALTER body_ct SET STORAGE EXTERNAL;      -- ciphertext does not compress

CREATE TABLE event (
    message_id uuid NOT NULL,
    kind       smallint NOT NULL,
    source_key text NOT NULL,                                     -- makes a duplicate report one event
    tenant_id  uuid NOT NULL,
    at         timestamptz NOT NULL,
    detail_ct  bytea CHECK (get_byte(detail_ct, 0) = 2),          -- diagnostics and the leaf's salt; NULL: none
    leaf_hash  bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (message_id, kind, source_key)
) PARTITION BY RANGE (message_id);

CREATE TABLE api_request (
    id          uuid NOT NULL,
    tenant_id   uuid,                                             -- NULL: the key was not one of ours
    api_key_id  uuid,
    at          timestamptz NOT NULL,
    method      text NOT NULL,
    route       text NOT NULL,
    status      smallint NOT NULL,
    problem     text,
    email_id    uuid,
    decision_ct bytea CHECK (get_byte(decision_ct, 0) = 1),       -- a refusal's decision, under the tenant's keyset
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX api_request_tenant ON api_request (tenant_id, id);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['message_body', 'event', 'email', 'api_request'] LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION insert_only()', t);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION insert_only()', t);
    END LOOP;
END $$;
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF id, email_id, tenant_id, person_id, blind_index, category_id,
    field, created_at, decision_ct ON message FOR EACH ROW EXECUTE FUNCTION insert_only();

-- The hot queue: small rows, gone when done. `due` is the lease: when it passes, somebody must look at the row,
-- whatever its state. No index holds `state`, so marks are HOT. Rows held for review are due when their lifetime ends.
CREATE TABLE spool (
    message_id        uuid PRIMARY KEY,
    tenant_id         uuid NOT NULL,
    email_id          uuid NOT NULL,
    person_id         uuid NOT NULL,
    blind_index       bytea NOT NULL,
    category_id       uuid NOT NULL,
    category_snapshot uuid NOT NULL,
    template_snapshot uuid,
    domain_id         uuid NOT NULL,
    state             smallint NOT NULL CHECK (state IN (2, 3, 4, 7, 10)), -- queued claimed sending deferred held
    due               timestamptz NOT NULL,
    lifetime_ends     timestamptz NOT NULL CHECK (lifetime_ends < 'infinity'),
    token             bigint NOT NULL DEFAULT 0,                  -- fencing: each claim adds one
    attempts          smallint NOT NULL DEFAULT 0,                -- marks, all schedules
    schedule          text,                                       -- the failure schedule it is on
    schedule_attempts smallint NOT NULL DEFAULT 0,
    first_failed_at   timestamptz,
    lost_claims       smallint NOT NULL DEFAULT 0,                -- leases that ran out while claimed: poison?
    counted           timestamptz NOT NULL DEFAULT now(),         -- the limits counted it in this moment's windows,
    counted_day       timestamptz,                                -- and in the client's day that began here; NULL: not known
    on_consent        boolean NOT NULL DEFAULT false              -- it was accepted on the recipient's consent: the mark asks for it
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);
CREATE INDEX spool_due ON spool (due);
CREATE INDEX spool_email ON spool (email_id);

-- An approved order to let a held message go; the next claim carries it out.
CREATE TABLE release_order (
    message_id uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    change_id  uuid NOT NULL,
    at         timestamptz NOT NULL
);

CREATE TABLE rate_counter (
    tenant_id    uuid NOT NULL,
    scope        smallint NOT NULL CHECK (scope BETWEEN 1 AND 6), -- tenant hour, tenant day, key hour, template hour, recipient day, plan
    subject      uuid NOT NULL,
    window_start timestamptz NOT NULL,
    used         integer NOT NULL CHECK (used >= 0),
    cap          integer NOT NULL,
    PRIMARY KEY (tenant_id, scope, subject, window_start),
    CONSTRAINT rate_never_exceeded CHECK (used <= cap)
) WITH (fillfactor = 50);

CREATE TABLE idempotency (
    tenant_id   uuid NOT NULL,
    key_hash    bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    answer      text NOT NULL,                                    -- ids only; of a registration sealed, in base64
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key_hash)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE webhook_endpoint (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    url_ct     bytea NOT NULL CHECK (get_byte(url_ct, 0) = 1),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz
);

CREATE TABLE webhook_outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    message_id  uuid NOT NULL,
    kind        smallint NOT NULL,
    source_key  text NOT NULL,
    at          timestamptz NOT NULL
);

-- ---- what approved changes do here (apply_api_key and stop_key: apikeys/sql/0001_secrets.sql;
-- apply_override: suppressions/sql/0002_by_hand.sql)

CREATE FUNCTION apply_domain(c change) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.domain_state (domain_id, tenant_id, name) VALUES ((c).subject, (c).tenant_id, (c).artefact::jsonb ->> 'name')
    ON CONFLICT (domain_id) DO NOTHING
$$;

-- confirmation_view_v1 and verify_person_v1: recipients/sql/0001_recipients.sql; erase_person_v1: privacy/sql/0004_erasing.sql

-- ---- partitions ---------------------------------------------------------------------------------------------

-- The least UUIDv7 of a moment: the bound of a partition. make_partitions_v1 stands in people/sql/0003_rights.sql.
CREATE FUNCTION uuid7_floor(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;
