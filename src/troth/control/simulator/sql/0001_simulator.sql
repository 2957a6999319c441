-- Simulations that were asked for from a page. What was asked never changes; the answer is written once, bound to the
-- digest of the document that was tried, which is the digest of the change that proposes it.

CREATE TABLE simulation (
    id         uuid PRIMARY KEY,
    tenant_id  uuid REFERENCES tenant,              -- whose policy it is; NULL: the operator's, or a promise
    level      text NOT NULL CHECK (level IN ('promise', 'operator', 'tenant', 'category')),
    code       text NOT NULL,                       -- of the policy or the category
    programme_id uuid REFERENCES programme,         -- whose promise it is
    document   text NOT NULL CHECK (jsonb_typeof(document::jsonb) = 'object'),
    digest     bytea NOT NULL CHECK (digest = sha256(convert_to(document, 'UTF8'))),
    days       smallint NOT NULL CHECK (days BETWEEN 1 AND 31),
    account_id uuid NOT NULL REFERENCES account,
    asked_at   timestamptz NOT NULL,
    state      smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3, 4)), -- waiting, running, done, failed
    done       bigint NOT NULL DEFAULT 0,
    there      bigint NOT NULL DEFAULT 0,           -- messages in all
    told_at    timestamptz,
    ended_at   timestamptz,
    why        text,                                -- it failed
    CHECK ((state >= 3) = (ended_at IS NOT NULL)),
    CHECK ((state = 4) = (why IS NOT NULL)),
    CHECK ((level IN ('tenant', 'category')) = (tenant_id IS NOT NULL)),
    CHECK ((level = 'promise') = (programme_id IS NOT NULL))
);
CREATE INDEX simulation_waits ON simulation (asked_at) WHERE state < 3;
CREATE INDEX simulation_of ON simulation (digest, asked_at);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF id, tenant_id, level, code, programme_id, document, digest, days,
    account_id, asked_at ON simulation FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER ended_once BEFORE UPDATE ON simulation FOR EACH ROW WHEN (OLD.state >= 3) EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON simulation FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE simulation_result (
    simulation_id uuid PRIMARY KEY REFERENCES simulation,
    tenant_id     uuid,
    digest        bytea NOT NULL CHECK (octet_length(digest) = 32),   -- of what was tried: the change's
    result        text NOT NULL CHECK (jsonb_typeof(result::jsonb) = 'object'),
    at            timestamptz NOT NULL
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON simulation_result FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON simulation_result FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A person asks. What is being answered already is not asked twice.
CREATE FUNCTION simulation_ask_v1(p_id uuid, p_tenant uuid, p_level text, p_code text, p_programme uuid, p_document text,
                                  p_days integer, p_session bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'policy:read', p_tenant);
    d bytea := sha256(convert_to(p_document, 'UTF8'));
    found uuid;
BEGIN
    IF p_tenant IS DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid THEN
        RAISE EXCEPTION 'this is another client''s' USING ERRCODE = '42501';
    END IF;
    SELECT s.id INTO found FROM troth.simulation s
    WHERE s.digest = d AND s.tenant_id IS NOT DISTINCT FROM p_tenant AND s.level = p_level AND s.code = p_code
      AND s.days = p_days AND s.state < 3;
    IF found IS NULL THEN
        INSERT INTO troth.simulation (id, tenant_id, level, code, programme_id, document, digest, days, account_id, asked_at)
        VALUES (p_id, p_tenant, p_level, p_code, p_programme, p_document, d, p_days, who.id, troth.now_v1());
        found := p_id;
    END IF;
    RETURN found;
END $$;

-- The next one, marked as running; also one that nobody told of for five minutes, since its process has died.
CREATE FUNCTION simulation_next_v1() RETURNS TABLE (id uuid, tenant_id uuid, level text, code text, programme_id uuid,
                                                    document text, days smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.simulation s SET state = 2, told_at = troth.now_v1(), done = 0
    WHERE s.id = ANY(ARRAY(
        SELECT w.id FROM troth.simulation w
        WHERE w.state = 1 OR (w.state = 2 AND w.told_at < troth.now_v1() - interval '5 minutes')
        ORDER BY w.asked_at LIMIT 1 FOR UPDATE SKIP LOCKED))
    RETURNING s.id, s.tenant_id, s.level, s.code, s.programme_id, s.document, s.days
$$;

CREATE FUNCTION simulation_tell_v1(p_id uuid, p_done bigint, p_there bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.simulation SET done = p_done, there = p_there, told_at = troth.now_v1() WHERE id = p_id AND state = 2
$$;

-- Its answer, or why there is none; once.
CREATE FUNCTION simulation_end_v1(p_id uuid, p_result text, p_why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH ended AS (
        UPDATE troth.simulation SET state = CASE WHEN p_result IS NULL THEN 4 ELSE 3 END, ended_at = troth.now_v1(),
               why = CASE WHEN p_result IS NULL THEN p_why END
        WHERE id = p_id AND state = 2 RETURNING id, tenant_id, digest)
    INSERT INTO troth.simulation_result (simulation_id, tenant_id, digest, result, at)
    SELECT e.id, e.tenant_id, e.digest, p_result, troth.now_v1() FROM ended e WHERE p_result IS NOT NULL
$$;
