-- Programmes and their client firms. Rows come only from approved changes (approvals: approve_v1).

CREATE TABLE programme (
    id         uuid PRIMARY KEY,
    code       text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9-]{1,30}$'),
    name       text NOT NULL CHECK (name <> ''),
    profile    text NOT NULL CHECK (profile IN ('property', 'construction', 'retail')),
    domain     text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE tenant (
    id           uuid PRIMARY KEY,
    programme_id uuid NOT NULL REFERENCES programme,
    code         text NOT NULL CHECK (code ~ '^[a-z][a-z0-9-]{1,30}$'),
    name         text NOT NULL CHECK (name <> ''),
    kind         smallint NOT NULL CHECK (kind IN (1, 2)),           -- 1 client firm, 2 the programme's system tenant
    state        smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2)), -- 1 active, 2 closed; pausing is a row in pause
    timezone     text NOT NULL,
    plan         text NOT NULL DEFAULT 'standard',
    postal_address text NOT NULL CHECK (postal_address <> ''),
    keyset       bytea NOT NULL CHECK (octet_length(keyset) > 28),   -- Tink keyset wrapped by the KMS
    created_at   timestamptz NOT NULL,
    UNIQUE (programme_id, code)
);
CREATE UNIQUE INDEX tenant_one_system ON tenant (programme_id) WHERE kind = 2;

-- An emergency stop is one person's (or the anomaly watch's); its release is an approved change.
CREATE TABLE pause (
    id          uuid PRIMARY KEY,
    tenant_id   uuid REFERENCES tenant,               -- NULL: the whole installation
    effect      text NOT NULL CHECK (effect IN ('stop-new', 'stop-delivery')),
    reason      text NOT NULL CHECK (reason <> ''),
    started_by  text NOT NULL,
    started_at  timestamptz NOT NULL,
    released_at timestamptz,
    release_change uuid,
    CHECK ((released_at IS NULL) = (release_change IS NULL))
);
CREATE INDEX pause_active ON pause (tenant_id) WHERE released_at IS NULL;

CREATE FUNCTION pause_v1(p_tenants uuid[], p_effect text, p_reason text, p_by text) RETURNS uuid[]
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH stop AS (
        INSERT INTO troth.pause (id, tenant_id, effect, reason, started_by, started_at)
        SELECT gen_random_uuid(), t, p_effect, p_reason, p_by, troth.now_v1() FROM unnest(p_tenants) AS t
        RETURNING id, tenant_id),
    entry AS (
        SELECT troth.ledger_entry(
            array_agg(text 'sending:pause:start'), array_agg(tenant_id),
            array_agg(troth.leaf_json(ARRAY['effect', 'pause', 'reason'], ARRAY[p_effect, id::text, p_reason])))
        FROM stop)
    SELECT array_agg(id) FROM stop, entry
$$;
