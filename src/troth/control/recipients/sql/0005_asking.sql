-- Those whom an approved import registered and did not verify are asked to confirm: by a duty, in small batches, within
-- the client's own limits. Each of them waits in a row until then; the counts stand beside their import.

CREATE TABLE import_asking (
    import_id uuid PRIMARY KEY REFERENCES import,
    tenant_id uuid NOT NULL REFERENCES tenant,
    to_ask    integer NOT NULL,
    asked     integer NOT NULL DEFAULT 0,
    passed    integer NOT NULL DEFAULT 0,   -- confirmed, asked by somebody else, suppressed or erased before their turn
    CHECK (asked >= 0 AND passed >= 0 AND asked + passed <= to_ask)
);

CREATE TABLE import_ask (
    person_id uuid PRIMARY KEY REFERENCES person,
    import_id uuid NOT NULL REFERENCES import_asking,
    tenant_id uuid NOT NULL REFERENCES tenant,
    due       timestamptz NOT NULL
);
CREATE INDEX import_ask_due ON import_ask (tenant_id, due, person_id);

CREATE FUNCTION import_to_ask() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.import_asking AS a (import_id, tenant_id, to_ask)
    SELECT b.import_id, b.tenant_id, count(*) FROM brought b WHERE NOT b.verified GROUP BY b.import_id, b.tenant_id
    ON CONFLICT (import_id) DO UPDATE SET to_ask = a.to_ask + EXCLUDED.to_ask;
    INSERT INTO troth.import_ask (person_id, import_id, tenant_id, due)
    SELECT b.person_id, b.import_id, b.tenant_id, b.at FROM brought b WHERE NOT b.verified;
    RETURN NULL;
END $$;
CREATE TRIGGER to_ask AFTER INSERT ON person_import REFERENCING NEW TABLE AS brought
    FOR EACH STATEMENT EXECUTE FUNCTION import_to_ask();

-- Takes one out of the queue, in the transaction of the mail that asks; true: ask them now. Their row is held, so nobody
-- is erased meanwhile. Who was asked before, is verified, suppressed or erased is not asked.
CREATE FUNCTION import_ask_take_v1(p_person uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    of_import uuid;
    fit boolean;
BEGIN
    DELETE FROM troth.import_ask q WHERE q.person_id = p_person RETURNING q.import_id INTO of_import;
    IF of_import IS NULL THEN
        RETURN false;
    END IF;
    PERFORM FROM troth.person p WHERE p.id = p_person FOR SHARE;
    SELECT p.status = 1 AND NOT EXISTS (SELECT FROM troth.confirmation c WHERE c.person_id = p.id)
           AND NOT EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = p.blind_index) INTO fit
    FROM troth.person p WHERE p.id = p_person;
    UPDATE troth.import_asking SET asked = asked + fit::integer, passed = passed + (NOT fit)::integer
    WHERE import_id = of_import;
    RETURN fit;
END $$;

-- One who cannot be asked now comes again at `p_due`; without it, never.
CREATE FUNCTION import_ask_leave_v1(p_person uuid, p_due timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.import_ask SET due = p_due WHERE person_id = p_person AND p_due IS NOT NULL;
    WITH gone AS (DELETE FROM troth.import_ask WHERE person_id = p_person AND p_due IS NULL RETURNING import_id)
    UPDATE troth.import_asking a SET passed = a.passed + 1 FROM gone WHERE a.import_id = gone.import_id;
$$;
