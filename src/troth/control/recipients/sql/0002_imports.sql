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

-- One batch of an import that two people approved. How they are verified says what was approved (`options.pathway`):
-- empty, and each confirms for themselves. An erased one stays erased; who is verified already stays as they are.
-- Gives what became of the rows, counted.
CREATE FUNCTION import_people_v1(p_import uuid, p_lines integer[], p_ids uuid[], p_indexes bytea[], p_addresses bytea[],
                                 p_data_keys bytea[], p_salts bytea[], p_timezones text[])
RETURNS TABLE (word text, n bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    client uuid := troth.import_carrying(p_import, 'recipients');
    at timestamptz := troth.now_v1();
    ends timestamptz := at + make_interval(days => coalesce(
        troth.policy_number(client, 'recipients', 'verified_days', false), 365));
    chosen text := (SELECT i.options::jsonb ->> 'pathway' FROM troth.import i WHERE i.id = p_import);
    way text := nullif(split_part(chosen, ':', 1), '');
    signed troth.agreement;
    added uuid[];
    done uuid[];
    erased bigint;
BEGIN
    IF way = 'vendor-agreement' THEN
        SELECT * INTO STRICT signed FROM troth.agreement a
        WHERE a.tenant_id = client AND a.id = split_part(chosen, ':', 2)::uuid;
    END IF;
    WITH fresh AS (
        INSERT INTO troth.person (id, tenant_id, blind_index, address_ct, data_key, salt, timezone, created_at)
        SELECT u.id, client, u.index, u.address, u.data_key, u.salt, u.timezone, at
        FROM unnest(p_ids, p_indexes, p_addresses, p_data_keys, p_salts, p_timezones)
            AS u(id, index, address, data_key, salt, timezone)
        ORDER BY u.index
        ON CONFLICT (tenant_id, blind_index) DO NOTHING
        RETURNING id)
    SELECT coalesce(array_agg(id), '{}') INTO added FROM fresh;
    WITH now_verified AS (
        UPDATE troth.person p SET status = 2, pathway = way, verified_at = at, expires_at = ends,
               agreement = coalesce(signed.digest, p.agreement), timezone = coalesce(u.timezone, p.timezone)
        FROM unnest(p_indexes, p_timezones) AS u(index, timezone)
        WHERE way IS NOT NULL AND p.tenant_id = client AND p.blind_index = u.index
          AND (p.status = 1 OR (p.status = 2 AND p.expires_at <= at))
        RETURNING p.id)
    SELECT coalesce(array_agg(id), '{}') INTO done FROM now_verified;
    INSERT INTO troth.person_import (person_id, import_id, tenant_id, line, verified, at)
    SELECT p.id, p_import, client, u.line, d.id IS NOT NULL, at
    FROM unnest(p_lines, p_indexes) AS u(line, index)
    JOIN troth.person p ON p.tenant_id = client AND p.blind_index = u.index
    LEFT JOIN unnest(added) AS a(id) ON a.id = p.id
    LEFT JOIN unnest(done) AS d(id) ON d.id = p.id
    WHERE a.id IS NOT NULL OR d.id IS NOT NULL;
    SELECT count(*) INTO erased FROM unnest(p_indexes) AS u(index)
    JOIN troth.person p ON p.tenant_id = client AND p.blind_index = u.index AND p.status = 4;
    RETURN QUERY SELECT * FROM (VALUES
        ('added', cardinality(added)::bigint), ('verified', cardinality(done)::bigint),
        ('erased before, which stay so', erased),
        ('there already', cardinality(p_ids) - cardinality(added) - erased
            - (SELECT count(*) FROM (SELECT unnest(done) EXCEPT SELECT unnest(added)) AS old))) AS v(word, n)
    WHERE v.n > 0;
END $$;
