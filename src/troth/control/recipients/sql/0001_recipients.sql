-- Recipients: what happened to each of them, how a link or a code verifies, and verifications that end.

-- Newest first, a page at a time; and those whose verification ends.
CREATE INDEX person_tenant ON person (tenant_id, id);
CREATE INDEX person_expiry ON person (expires_at) WHERE status = 2 AND expires_at IS NOT NULL;

-- A recipient's history, insert-only; the person's row says how it stands. Kinds as in rules/hook_events.py.
CREATE TABLE person_event (
    person_id uuid NOT NULL REFERENCES person,
    tenant_id uuid NOT NULL REFERENCES tenant,
    kind      smallint NOT NULL CHECK (kind IN (31, 32, 33)),      -- verified, expired, erased
    at        timestamptz NOT NULL,
    pathway   text,
    agreement bytea CHECK (octet_length(agreement) = 32),          -- the signed document's SHA-256: kept beyond an erasure
    PRIMARY KEY (person_id, kind, at)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON person_event FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON person_event FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Each change of how a person stands is an event, whoever makes it.
CREATE FUNCTION person_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.person_event (person_id, tenant_id, kind, at, pathway, agreement)
    VALUES (NEW.id, NEW.tenant_id, CASE WHEN NEW.status = 4 THEN 33 ELSE 31 END,
            CASE WHEN NEW.status = 4 THEN NEW.erased_at ELSE NEW.verified_at END, NEW.pathway,
            CASE WHEN NEW.status = 2 THEN NEW.agreement END)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER UPDATE OF status, verified_at ON person FOR EACH ROW
    WHEN (NEW.status IN (2, 4) AND (OLD.status <> NEW.status OR OLD.verified_at IS DISTINCT FROM NEW.verified_at))
    EXECUTE FUNCTION person_changed();

-- Events and their webhooks are one transaction, however many there are in a statement (an import has a thousand).
CREATE FUNCTION person_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.webhook_outbox (tenant_id, endpoint_id, message_id, kind, source_key, at, due)
    SELECT e.tenant_id, w.id, e.person_id, e.kind, 'person:' || (extract(epoch FROM e.at) * 1000000)::bigint,
           e.at, troth.now_v1()
    FROM told e JOIN troth.webhook_endpoint w
    ON w.tenant_id = e.tenant_id AND w.disabled_at IS NULL AND e.kind = ANY(w.kinds) ORDER BY w.id, e.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON person_event REFERENCING NEW TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION person_told();

-- What a confirmation link is about, for its page, which has no tenant yet: the firm, and whether the link still serves.
-- Holding the secret is the right to see it; nothing changes by looking.
CREATE FUNCTION confirmation_view_v1(p_secret bytea)
RETURNS TABLE (tenant_name text, expires_at timestamptz, used_at timestamptz, expired boolean, pathway text,
               needs_code boolean, tries_left integer, postal_address text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.name, c.expires_at, c.used_at, c.expires_at <= troth.now_v1() OR c.tries >= 5, c.pathway,
           c.pathway = 'multi-step', 5 - c.tries, t.postal_address
    FROM troth.confirmation c JOIN troth.tenant t ON t.id = c.tenant_id
    WHERE c.secret_hash = sha256(p_secret)
$$;

-- Verifies by the link's secret; the pathway multi-step wants the code of the same mail as well. A used link gives the
-- same answer and changes nothing. NULL: it does not serve (any more), or the code is wrong, which is counted.
CREATE FUNCTION verify_person_v1(p_secret bytea, p_code text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    c troth.confirmation;
    found uuid;
BEGIN
    SELECT * INTO c FROM troth.confirmation WHERE secret_hash = sha256(p_secret) FOR UPDATE;
    IF c.secret_hash IS NULL OR c.expires_at <= now OR c.tries >= 5 THEN
        RETURN NULL;
    ELSIF c.used_at IS NOT NULL THEN
        RETURN (SELECT id FROM troth.person WHERE id = c.person_id AND status = 2);
    ELSIF c.pathway = 'multi-step' AND p_code IS NULL THEN
        RETURN NULL;
    ELSIF p_code IS NOT NULL AND c.code_hash IS DISTINCT FROM sha256(p_secret || convert_to(p_code, 'UTF8')) THEN
        UPDATE troth.confirmation SET tries = tries + 1 WHERE secret_hash = c.secret_hash;
        RETURN NULL;
    END IF;
    UPDATE troth.person p SET status = 2, pathway = c.pathway, verified_at = now,
        expires_at = now + make_interval(days => c.valid_days),
        agreement = coalesce(c.agreement, p.agreement), basis_ct = coalesce(c.basis_ct, p.basis_ct)
    WHERE p.id = c.person_id AND p.status IN (1, 2) RETURNING p.id INTO found;
    IF found IS NOT NULL THEN
        UPDATE troth.confirmation SET used_at = now WHERE secret_hash = c.secret_hash;
    END IF;
    RETURN found;
END $$;

-- Verifications that have ended and were not told yet; the gate and the mark refuse them by the date, told or not.
CREATE FUNCTION person_expiry_duty_v1() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH ended AS (
        INSERT INTO troth.person_event (person_id, tenant_id, kind, at, pathway)
        SELECT p.id, p.tenant_id, 32, p.expires_at, p.pathway FROM troth.person p
        WHERE p.status = 2 AND p.expires_at <= troth.now_v1() AND p.expires_at > troth.now_v1() - interval '90 days'
          AND NOT EXISTS (SELECT FROM troth.person_event e WHERE e.person_id = p.id AND e.kind = 32 AND e.at = p.expires_at)
        ORDER BY p.expires_at LIMIT 5000
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*)::integer FROM ended
$$;

-- The recipient's own time zone, for quiet hours; the registration that names one counts.
CREATE FUNCTION person_zone_v1(p_tenant uuid, p_person uuid, p_zone text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH moved AS (
        UPDATE troth.person SET timezone = p_zone
        WHERE id = p_person AND tenant_id = p_tenant AND status <> 4 AND timezone IS DISTINCT FROM p_zone RETURNING 1)
    SELECT EXISTS (SELECT FROM moved)
$$;

-- What RCP-1's control counts: of the messages sent since, those whose recipient had been verified in a way that the
-- programme's promise does not accept, or in none. Troth's own mail is what asks, so it is left out.
CREATE FUNCTION recipient_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant_id uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    CASE p_fact
    WHEN 'sent-pathway' THEN RETURN QUERY
        WITH accepted AS MATERIALIZED (
            SELECT t.id, ARRAY(SELECT jsonb_array_elements_text(s.artefact::jsonb -> 'recipients' -> 'pathways')) AS pathways
            FROM troth.tenant t JOIN troth.programme h ON h.id = t.programme_id
            JOIN troth.governed g ON g.kind = 'policy' AND g.tenant_id IS NULL AND g.code = 'programme:' || h.code
            JOIN troth.snapshot s ON s.id = g.snapshot_id WHERE t.kind = 1)
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, coalesce(p.pathway <> ALL (a.pathways), true) AS bad
              FROM (SELECT v.tenant_id, v.message_id FROM troth.event v
                    WHERE v.kind = 8 AND v.message_id >= troth.uuid7_floor(p_since) ORDER BY v.message_id DESC LIMIT 150000) AS e
              JOIN accepted a ON a.id = e.tenant_id
              LEFT JOIN troth.message m ON m.id = e.message_id
              LEFT JOIN troth.person p ON p.id = m.person_id) AS x
        GROUP BY 1;
    END CASE;
END $$;
