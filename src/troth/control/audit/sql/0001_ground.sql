-- The ground every other migration stands on: the installation, its clock, the insert-only rule and the ledger's door.

CREATE TABLE installation (
    single       boolean PRIMARY KEY DEFAULT true CHECK (single),
    id           uuid NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('production', 'demo', 'test')),
    cell         text NOT NULL CHECK (cell ~ '^[a-z]$'),
    clock_offset interval NOT NULL DEFAULT interval '0'
                 CHECK (clock_offset = interval '0' OR mode IN ('demo', 'test')),
    -- token keys and blind-index layers, sealed by the KMS; operator_keyset is wrapped by the KMS
    secrets_ct      bytea NOT NULL CHECK (octet_length(secrets_ct) > 28),
    operator_keyset bytea NOT NULL CHECK (octet_length(operator_keyset) > 28),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE clock_mark (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    high_water timestamptz NOT NULL
);

-- The only clock. Every batch reads it once and hands it on as `now`.
CREATE FUNCTION now_v1() RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT clock_timestamp() + coalesce((SELECT clock_offset FROM troth.installation), interval '0') $$;

CREATE FUNCTION insert_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $$;

-- Canonical JSON (RFC 8785) of an object whose values are all strings: what a ledger leaf is made of.
CREATE FUNCTION leaf_json(p_keys text[], p_values text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT '{' || string_agg(to_json(k)::text || ':' || to_json(v)::text, ',' ORDER BY k COLLATE "C") || '}'
    FROM unnest(p_keys, p_values) AS u(k, v)
$$;

-- What waits for the sequencer. The leaf hash is RFC 9162 section 2.1.1: SHA-256(0x00 || leaf).
CREATE TABLE ledger_pending (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id    smallint NOT NULL DEFAULT 1,
    tenant_id uuid,
    kind      text NOT NULL CHECK (kind ~ '^[a-z]+:[a-z-]+:[a-z-]+$'),
    at        timestamptz NOT NULL,
    leaf      text NOT NULL CHECK (jsonb_typeof(leaf::jsonb) = 'object'),
    leaf_hash bytea NOT NULL CHECK (leaf_hash = sha256('\x00'::bytea || convert_to(leaf, 'UTF8')))
);
CREATE TRIGGER insert_only BEFORE UPDATE ON ledger_pending FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger_pending FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- An entry's whole leaf: the writer's own keys with `at` (microseconds since 1970), `kind` and `tenant` beside them, so
-- that the tree covers all that the ledger says of it. Flat, as RFC 8785: sorted ASCII keys, strings and integers.
CREATE FUNCTION leaf_entry(p_leaf text, p_kind text, p_tenant uuid, p_at timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    own jsonb := p_leaf::jsonb;
    whole jsonb;
    whole_text text;
BEGIN
    IF jsonb_typeof(own) <> 'object' OR own ?| ARRAY['at', 'kind', 'tenant'] OR EXISTS (
        SELECT FROM jsonb_each(own) WHERE key !~ '^[ -~]+$' OR CASE jsonb_typeof(value)
            WHEN 'string' THEN false WHEN 'number' THEN value::text !~ '^-?(0|[1-9][0-9]{0,14})$' ELSE true END) THEN
        RAISE EXCEPTION 'a leaf is a flat object of strings and integers; at, kind and tenant are the ledger''s own keys'
            USING ERRCODE = '22023';
    END IF;
    whole := own || jsonb_build_object('at', (extract(epoch FROM p_at) * 1000000)::bigint, 'kind', p_kind,
                                       'tenant', coalesce(p_tenant::text, ''));
    whole_text := (SELECT '{' || string_agg(to_json(key)::text || ':' || CASE jsonb_typeof(value)
                WHEN 'string' THEN to_json(value #>> '{}')::text ELSE value::text END, ',' ORDER BY key COLLATE "C") || '}'
            FROM jsonb_each(whole));
    IF octet_length(whole_text) > 65535 THEN
        RAISE EXCEPTION 'an entry has at most 65535 octets, this one %: write less', octet_length(whole_text)
            USING ERRCODE = '22023';
    END IF;
    RETURN whole_text;
END $$;

-- For the functions that act: granted to nobody.
CREATE FUNCTION ledger_entry(p_kinds text[], p_tenants uuid[], p_leaves text[]) RETURNS bigint[]
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH given AS (
        SELECT n, t, k, at, troth.leaf_entry(l, k, t, at) AS leaf
        FROM unnest(p_kinds, p_tenants, p_leaves) WITH ORDINALITY AS u(k, t, l, n), (SELECT troth.now_v1() AS at) AS clock),
    entry AS (
        INSERT INTO troth.ledger_pending (tenant_id, kind, at, leaf, leaf_hash)
        SELECT t, k, at, leaf, sha256('\x00'::bytea || convert_to(leaf, 'UTF8')) FROM given ORDER BY n
        RETURNING id)
    SELECT array_agg(id ORDER BY id) FROM entry
$$;

-- What the run-time roles append. Not what tells of an approval, an erasure or a pause: those come from the act itself.
CREATE FUNCTION ledger_append_v1(p_kinds text[], p_tenants uuid[], p_leaves text[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(p_kinds) AS k WHERE split_part(k, ':', 1) IN ('governance', 'privacy', 'sending', 'evidence',
                                                                                      'people', 'webhook', 'trust'))
    THEN
        RAISE EXCEPTION 'such an entry comes from the act that it tells of' USING ERRCODE = '42501';
    END IF;
    RETURN troth.ledger_entry(p_kinds, p_tenants, p_leaves);
END $$;
