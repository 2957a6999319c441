-- What the controls of who may send look with: attempts that are undone, and counts. Like governance_attempt_v1 and
-- governance_fact_v1, which answer for changes.

-- A version of a key as two people would bring it into force, without the two: granted to nobody.
CREATE FUNCTION attempt_key(p_tenant uuid, p_key uuid, p_days integer, p_hash bytea, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid := gen_random_uuid();
    c troth.change;
BEGIN
    PERFORM troth.propose_v1(made, 'api-key', p_tenant, p_key, 'attempt-' || p_key, jsonb_build_object(
        'name', 'attempt', 'prefix', 'attempt', 'hash', encode(p_hash, 'hex'),
        'expires_at', troth.now_v1() + make_interval(days => p_days))::text, 'an attempt', p_session, NULL);
    SELECT * INTO c FROM troth.change WHERE id = made;
    PERFORM troth.apply_api_key(c, (SELECT id FROM troth.snapshot ORDER BY id LIMIT 1));
END $$;

-- The answer is the SQLSTATE of the refusal, 'accepted', or 'nothing there'.
--   fits     a key that ends as late as policy lets it (which works)   long     one day later
--   back     a secret that was rotated out comes back                  younger  the tables' owner makes a secret younger
--   one factor <kind>   somebody who showed a password alone proposes a thing of this kind
CREATE FUNCTION sending_attempt_v1(p_how text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    one bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    two bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    firm uuid := (SELECT id FROM troth.tenant WHERE kind = 1 ORDER BY id LIMIT 1);
    days integer := coalesce(troth.policy_number(firm, 'access', 'key_days', false), 90);
    key uuid := gen_random_uuid();
    n bigint := 1;
BEGIN
    IF firm IS NULL THEN
        RETURN 'nothing there';
    END IF;
    BEGIN
        DELETE FROM troth.designation WHERE tenant_id = firm;
        INSERT INTO troth.designation (tenant_id, account_id, place, named_at)
        VALUES (firm, troth.attempt_somebody(NULL, 'owner', one), 1, troth.now_v1());
        CASE
        WHEN p_how LIKE 'one factor %' THEN
            UPDATE troth.session SET second_factor_at = NULL WHERE secret_hash = sha256(one);
            PERFORM troth.propose_v1(gen_random_uuid(), substr(p_how, 12), firm, key, 'attempt', '{"attempt":"x"}',
                                     'an attempt', one, NULL);
        WHEN p_how = 'younger' THEN
            UPDATE troth.api_key_secret SET created_at = troth.now_v1()
            WHERE hash = (SELECT hash FROM troth.api_key_secret ORDER BY hash LIMIT 1);
            GET DIAGNOSTICS n = ROW_COUNT;
        WHEN p_how IN ('fits', 'long', 'back') THEN
            PERFORM troth.attempt_key(firm, key, CASE p_how WHEN 'long' THEN days + 1 ELSE days END, sha256(one), one);
            IF p_how = 'back' THEN
                PERFORM troth.attempt_key(firm, key, days, sha256(two), one);
                PERFORM troth.attempt_key(firm, key, days, sha256(one), one);
            END IF;
        END CASE;
        IF n = 0 THEN
            RAISE EXCEPTION 'nothing' USING ERRCODE = 'TR003';
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
    EXCEPTION
        WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
        WHEN SQLSTATE 'TR003' THEN RETURN 'nothing there';
        WHEN OTHERS THEN RETURN SQLSTATE;
    END;
END $$;

-- Counts by client, as claim_fact_v1's.
--   secrets   those that no version brought, or that live longer than the programme's promise lets them
--   keys      those whose secret in force is not among the secrets
--   by key    emails that came when no secret of their key was in force
CREATE FUNCTION sending_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 150000;
    talk CONSTANT interval := interval '1 minute'; -- an accepting transaction reads its clock before it commits
BEGIN
    CASE p_fact
    WHEN 'secrets' THEN RETURN QUERY
        WITH promised AS MATERIALIZED (
            SELECT t.id, (v.artefact::jsonb #>> '{access,key_days}')::integer AS days
            FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
            JOIN troth.governed g ON g.kind = 'policy' AND g.tenant_id IS NULL AND g.code = 'programme:' || p.code
            JOIN troth.snapshot v ON v.id = g.snapshot_id)
        SELECT h.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(h.key_id::text) FILTER (WHERE b.bad)
        FROM troth.api_key_secret h LEFT JOIN troth.snapshot s ON s.id = h.snapshot_id
        LEFT JOIN promised p ON p.id = h.tenant_id,
        LATERAL (SELECT s.id IS NULL OR s.kind <> 'api-key' OR s.subject <> h.key_id OR s.tenant_id IS DISTINCT FROM h.tenant_id
            OR s.artefact::jsonb ->> 'hash' IS DISTINCT FROM encode(h.hash, 'hex')
            OR h.created_at NOT BETWEEN s.approved_at - talk AND s.approved_at + talk
            OR h.ends_at > h.created_at + make_interval(days => coalesce(p.days, 90)) AS bad) AS b
        GROUP BY 1;
    WHEN 'keys' THEN RETURN QUERY
        SELECT k.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(k.id::text) FILTER (WHERE b.bad)
        FROM troth.api_key k,
        LATERAL (SELECT NOT EXISTS (SELECT FROM troth.api_key_secret h WHERE h.hash = k.hash AND h.key_id = k.id
                                    AND h.tenant_id = k.tenant_id AND h.ends_at <= k.expires_at) AS bad) AS b
        GROUP BY 1;
    WHEN 'by key' THEN RETURN QUERY
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(e.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.email WHERE id >= troth.uuid7_floor(p_since) ORDER BY id DESC LIMIT most) AS e,
        LATERAL (SELECT e.api_key_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM troth.api_key_secret h WHERE h.key_id = e.api_key_id AND h.tenant_id = e.tenant_id
            AND e.created_at BETWEEN h.created_at - talk AND h.ends_at + talk) AS bad) AS b
        GROUP BY 1;
    END CASE;
END $$;
