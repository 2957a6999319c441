-- API keys' secrets. A key is one governed thing; each of its secrets is known by its hash alone, lives no longer than
-- policy lets it, and never comes back. A rotation brings a new one, beside which the old one works until it ends.

ALTER TABLE api_key
    ADD COLUMN mode smallint NOT NULL DEFAULT 1 CHECK (mode IN (1, 2)),  -- live; test: all is checked, nothing is sent
    ADD COLUMN networks cidr[] NOT NULL DEFAULT '{}';                    -- where it may be used from; empty: anywhere

-- api_key.hash, prefix and expires_at are those of the secret in force; this table holds it and those before it.
CREATE TABLE api_key_secret (
    hash         bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    key_id       uuid NOT NULL REFERENCES api_key,
    tenant_id    uuid NOT NULL REFERENCES tenant,
    prefix       text NOT NULL,
    snapshot_id  uuid NOT NULL REFERENCES snapshot,                      -- the version that brought it
    created_at   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    last_used_at timestamptz                                             -- within a few minutes
);
CREATE INDEX api_key_secret_key ON api_key_secret (key_id);
CREATE INDEX api_key_secret_tenant ON api_key_secret (tenant_id);

INSERT INTO api_key_secret (hash, key_id, tenant_id, prefix, snapshot_id, created_at, ends_at)
SELECT hash, id, tenant_id, prefix, snapshot_id, created_at, expires_at FROM api_key;

-- A secret's time may be shortened, and moved on only as far as apply_api_key has asked policy; the rest never changes.
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF hash, key_id, tenant_id, prefix, snapshot_id, created_at
    ON api_key_secret FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON api_key_secret FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What is wrong with the secret and the time that a version of a key asks for, against the policies in force; NULL:
-- nothing. A secret that is known already is as old as it is: no approval makes it younger.
CREATE FUNCTION api_key_wrong(c change) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    asked bytea := decode(a ->> 'hash', 'hex');
    ends timestamptz := (a ->> 'expires_at')::timestamptz;
    days integer := coalesce(troth.policy_number(c.tenant_id, 'access', 'key_days', false), 90);
    held troth.api_key;
    known troth.api_key_secret;
BEGIN
    SELECT * INTO held FROM troth.api_key WHERE id = c.subject;
    SELECT * INTO known FROM troth.api_key_secret WHERE hash = asked;
    RETURN CASE
        WHEN held.revoked_at IS NOT NULL THEN 'this key was revoked for good: make another'
        WHEN known.key_id <> c.subject THEN 'this secret is another key''s: make a new one'
        WHEN known.hash <> held.hash THEN 'this secret was rotated out and does not come back: make a new one'
        WHEN ends <= troth.now_v1() THEN 'this key''s time is over before it began: propose it anew'
        WHEN ends > coalesce(known.created_at, troth.now_v1()) + make_interval(days => days)
            THEN format('policy lets a key live for at most %s days: choose an earlier end, or rotate it', days)
    END;
END $$;

CREATE OR REPLACE FUNCTION apply_api_key(c change, p_snapshot uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    gone boolean := coalesce((a ->> 'retired')::boolean, false);
    wrong text := troth.api_key_wrong(c);
    overlap interval := make_interval(
        hours => coalesce(troth.policy_number(c.tenant_id, 'access', 'key_overlap_hours', false), 72));
BEGIN
    IF gone AND EXISTS (SELECT FROM troth.api_key WHERE id = c.subject) THEN
        UPDATE troth.api_key SET snapshot_id = p_snapshot, name = a ->> 'name' WHERE id = c.subject;
        RETURN; -- the gate looks whether it is retired: nothing else of it may change by the way
    ELSIF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.api_key (id, tenant_id, name, prefix, hash, snapshot_id, expires_at, created_at, mode, networks)
    SELECT c.subject, c.tenant_id, a ->> 'name', a ->> 'prefix', decode(a ->> 'hash', 'hex'), p_snapshot,
           (a ->> 'expires_at')::timestamptz, troth.now_v1(), CASE WHEN a ->> 'mode' = 'test' THEN 2 ELSE 1 END,
           ARRAY(SELECT n::cidr FROM jsonb_array_elements_text(coalesce(a -> 'networks', '[]')) AS n)
    ON CONFLICT (id) DO UPDATE SET snapshot_id = EXCLUDED.snapshot_id, name = EXCLUDED.name,
        prefix = EXCLUDED.prefix, hash = EXCLUDED.hash, expires_at = EXCLUDED.expires_at, mode = EXCLUDED.mode,
        networks = EXCLUDED.networks;
    UPDATE troth.api_key_secret SET ends_at = troth.now_v1() + overlap
    WHERE key_id = c.subject AND hash <> decode(a ->> 'hash', 'hex') AND ends_at > troth.now_v1() + overlap;
    INSERT INTO troth.api_key_secret (hash, key_id, tenant_id, prefix, snapshot_id, created_at, ends_at)
    VALUES (decode(a ->> 'hash', 'hex'), c.subject, c.tenant_id, a ->> 'prefix', p_snapshot, troth.now_v1(),
            (a ->> 'expires_at')::timestamptz)
    ON CONFLICT (hash) DO UPDATE SET ends_at = EXCLUDED.ends_at;
END $$;

-- Revoking the version in force ends the key for good; revoking an older one ends the secret that came with it.
CREATE OR REPLACE FUNCTION stop_key(s snapshot) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF s.kind <> 'api-key' THEN
        RETURN;
    END IF;
    UPDATE troth.api_key SET revoked_at = troth.now_v1() WHERE id = s.subject AND snapshot_id = s.id AND revoked_at IS NULL;
    UPDATE troth.api_key_secret k SET ends_at = least(k.ends_at, troth.now_v1())
    WHERE k.key_id = s.subject AND k.ends_at > troth.now_v1()
      AND (k.snapshot_id = s.id OR EXISTS (SELECT FROM troth.api_key a WHERE a.id = s.subject AND a.snapshot_id = s.id));
END $$;

-- The door tells which secrets it has just seen. It waits for nobody: another door's word is as good.
CREATE FUNCTION api_keys_used_v1(p_hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.api_key_secret SET last_used_at = troth.now_v1() WHERE hash = ANY(ARRAY(
        SELECT s.hash FROM troth.api_key_secret s WHERE s.hash = ANY(p_hashes) ORDER BY s.hash FOR UPDATE SKIP LOCKED))
$$;
