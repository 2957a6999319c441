-- Recipients from a file, and what verifies them when nobody can ask each of them: an employer's invitation, or an
-- agreement that a vendor signed, of which its digest is kept.

-- A document that was signed. The document itself stays with the client: its SHA-256 shows later which one it was.
CREATE TABLE agreement (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    name       text NOT NULL CHECK (btrim(name) <> '' AND char_length(name) <= 200),
    signed_on  date NOT NULL,
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    octets     bigint NOT NULL CHECK (octets > 0),
    created_by uuid NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, digest)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON agreement FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON agreement FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE FUNCTION agreement_keep_v1(p_id uuid, p_tenant uuid, p_name text, p_signed date, p_digest bytea, p_octets bigint,
                                  p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who troth.account := troth.allowed(p_session, 'recipient:write', p_tenant);
BEGIN
    IF p_signed > (troth.now_v1() + interval '1 day')::date THEN
        RAISE EXCEPTION 'an agreement was signed before it is kept here: correct its date' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM troth.agreement a WHERE a.tenant_id = p_tenant AND a.digest = p_digest) THEN
        RAISE EXCEPTION 'this very document is here already' USING ERRCODE = '55000';
    END IF;
    INSERT INTO troth.agreement (id, tenant_id, name, signed_on, digest, octets, created_by, created_at)
    VALUES (p_id, p_tenant, p_name, p_signed, p_digest, p_octets, who.id, troth.now_v1());
    PERFORM troth.ledger_entry(ARRAY['privacy:agreement:keep'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['agreement', 'by', 'digest', 'signed'],
        ARRAY[p_id::text, who.human_id::text, encode(p_digest, 'hex'), p_signed::text])]);
END $$;

-- Which import brought a recipient, or brought their verification: its proof, kept for as long as they are.
CREATE TABLE person_import (
    person_id uuid NOT NULL REFERENCES person,
    import_id uuid NOT NULL REFERENCES import,
    tenant_id uuid NOT NULL REFERENCES tenant,
    line      integer NOT NULL CHECK (line > 0),
    verified  boolean NOT NULL,                       -- whether it verified them
    at        timestamptz NOT NULL,
    PRIMARY KEY (person_id, import_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON person_import FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON person_import FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Those of a batch who were there before: verified, where the import verifies them and they are not; with the time zone
-- that is given, as at a registration. The planner knows nothing of arrays, and a plan that it made when the client had
-- nobody would read all of the client's people for each batch: so it is held to the index. Granted to nobody.
CREATE FUNCTION import_people_known(p_import uuid, client uuid, way text, signed bytea, at timestamptz, ends timestamptz,
                                    p_lines integer[], p_ids uuid[], p_indexes bytea[], p_timezones text[])
RETURNS TABLE (renewed bigint, erased bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    WITH now_verified AS (
        UPDATE troth.person p SET status = 2, pathway = way, verified_at = at, expires_at = ends,
               agreement = coalesce(signed, p.agreement)
        FROM unnest(p_ids, p_indexes, p_lines) AS u(id, index, line)
        WHERE way IS NOT NULL AND p.tenant_id = client AND p.blind_index = u.index AND p.id <> u.id
          AND (p.status = 1 OR (p.status = 2 AND p.expires_at <= at))
        RETURNING p.id, u.line),
    brought AS (
        INSERT INTO troth.person_import (person_id, import_id, tenant_id, line, verified, at)
        SELECT v.id, p_import, client, v.line, true, at FROM now_verified v RETURNING 1)
    SELECT count(*) INTO renewed FROM brought;
    UPDATE troth.person p SET timezone = u.timezone FROM unnest(p_ids, p_indexes, p_timezones) AS u(id, index, timezone)
    WHERE p.tenant_id = client AND p.blind_index = u.index AND p.id <> u.id AND p.status <> 4
      AND u.timezone IS NOT NULL AND u.timezone IS DISTINCT FROM p.timezone;
    SELECT count(*) INTO erased FROM unnest(p_indexes) AS u(index)
    JOIN troth.person p ON p.tenant_id = client AND p.blind_index = u.index AND p.status = 4;
    RETURN NEXT;
END $$;

-- One batch of an import that two people approved. How they are verified says what was approved (`options.pathway`):
-- empty, and each confirms for themselves. An erased one stays erased; who is verified already stays so. Gives what
-- became of the rows, counted. A row is written once, as it is to stand: whoever is new and verified at once is inserted
-- so, with the event that the trigger of an update would have written. Arrays of a thousand are not joined in a loop.
CREATE FUNCTION import_people_v1(p_import uuid, p_lines integer[], p_ids uuid[], p_indexes bytea[], p_addresses bytea[],
                                 p_data_keys bytea[], p_salts bytea[], p_timezones text[])
RETURNS TABLE (word text, n bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
SET enable_nestloop = off
AS $$
DECLARE
    client uuid := troth.import_carrying(p_import, 'recipients');
    at timestamptz := troth.now_v1();
    chosen text := (SELECT i.options::jsonb ->> 'pathway' FROM troth.import i WHERE i.id = p_import);
    way text := nullif(split_part(chosen, ':', 1), '');
    ends timestamptz := CASE WHEN way IS NOT NULL THEN at + make_interval(days => coalesce(
        troth.policy_number(client, 'recipients', 'verified_days', false), 365)) END;
    signed bytea;
    added bigint;
    renewed bigint := 0;
    erased bigint := 0;
BEGIN
    IF way = 'vendor-agreement' THEN
        SELECT a.digest INTO STRICT signed FROM troth.agreement a
        WHERE a.tenant_id = client AND a.id = split_part(chosen, ':', 2)::uuid;
    END IF;
    WITH fresh AS (
        INSERT INTO troth.person (id, tenant_id, blind_index, address_ct, data_key, salt, timezone, created_at,
                                  status, pathway, verified_at, expires_at, agreement)
        SELECT u.id, client, u.index, u.address, u.data_key, u.salt, u.timezone, at,
               CASE WHEN way IS NULL THEN 1 ELSE 2 END, way, CASE WHEN way IS NOT NULL THEN at END, ends, signed
        FROM unnest(p_ids, p_indexes, p_addresses, p_data_keys, p_salts, p_timezones)
            AS u(id, index, address, data_key, salt, timezone)
        ORDER BY u.index
        ON CONFLICT (tenant_id, blind_index) DO NOTHING
        RETURNING id),
    told AS (
        INSERT INTO troth.person_event (person_id, tenant_id, kind, at, pathway, agreement)
        SELECT f.id, client, 31, at, way, signed FROM fresh f WHERE way IS NOT NULL),
    brought AS (
        INSERT INTO troth.person_import (person_id, import_id, tenant_id, line, verified, at)
        SELECT f.id, p_import, client, u.line, way IS NOT NULL, at
        FROM fresh f JOIN unnest(p_ids, p_lines) AS u(id, line) ON u.id = f.id RETURNING 1)
    SELECT count(*) INTO added FROM brought;
    IF added < cardinality(p_ids) THEN
        SELECT k.renewed, k.erased INTO renewed, erased
        FROM troth.import_people_known(p_import, client, way, signed, at, ends, p_lines, p_ids, p_indexes, p_timezones) AS k;
    END IF;
    RETURN QUERY SELECT * FROM (VALUES
        ('added', added), ('verified', renewed + CASE WHEN way IS NULL THEN 0 ELSE added END),
        ('erased before, which stay so', erased),
        ('there already', cardinality(p_ids) - added - erased - renewed)) AS v(word, n)
    WHERE v.n > 0;
END $$;
