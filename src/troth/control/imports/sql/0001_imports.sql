-- Files of many rows: received sealed, checked row by row, proposed, approved by a second person, then carried out in
-- batches. What was checked is what is approved (digest and counts) and what is carried out: rows cannot change after.

CREATE TABLE import (
    id          uuid PRIMARY KEY,
    tenant_id   uuid REFERENCES tenant,             -- NULL: the operator's own
    kind        text NOT NULL CHECK (kind ~ '^[a-z-]{1,40}$'),
    name        text NOT NULL CHECK (char_length(name) <= 200),      -- the file's, as its sender calls it
    source      text NOT NULL CHECK (btrim(source) <> '' AND char_length(source) <= 2000),
    options     text NOT NULL CHECK (jsonb_typeof(options::jsonb) = 'object'),
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),    -- SHA-256 of the file as it came
    octets      bigint NOT NULL CHECK (octets > 0),
    parts       integer NOT NULL CHECK (parts > 0),
    state       smallint NOT NULL DEFAULT 1,        -- 1 received, 2 checked, 3 approved, 4 done, 5 unreadable, 6 dropped
    step        bigint NOT NULL DEFAULT 0,          -- lines looked at so far; once approved, rows carried out
    lines       integer,
    good        integer,                            -- rows that will be carried out
    bad         integer,                            -- lines left out, each with its reason in import_fault
    same        integer,                            -- lines that repeat another one, which is taken once
    doubted     integer,                            -- lines that are taken, and of which something is to be said
    encoding    text,
    notes       text[] NOT NULL DEFAULT '{}',       -- what follows from an approval; then what else was seen
    chunks      integer,
    rows_digest bytea CHECK (octet_length(rows_digest) = 32),        -- SHA-256 over the chunks' digests
    next_chunk  integer NOT NULL DEFAULT 0,         -- the first that is not carried out yet
    outcome     text NOT NULL DEFAULT '{}',         -- what became of the rows: word -> how many
    why         text,                               -- of one that could not be read, was dropped, or waits to be checked
    created_by  uuid NOT NULL REFERENCES account,
    created_at  timestamptz NOT NULL,
    checked_at  timestamptz,
    change_id   uuid REFERENCES change,
    approved_at timestamptz,
    done_at     timestamptz,
    CHECK (state BETWEEN 1 AND 6),
    CHECK ((state IN (3, 4)) = (change_id IS NOT NULL)),
    CHECK (state NOT IN (2, 3, 4) OR (good IS NOT NULL AND rows_digest IS NOT NULL AND chunks IS NOT NULL)),
    CHECK (state NOT IN (3, 4) OR (next_chunk <= chunks AND step <= good))  -- never more than was approved
);
CREATE INDEX import_tenant ON import (tenant_id, id);
CREATE INDEX import_waits ON import (id) WHERE state IN (1, 3);

-- The file itself, sealed as it came in; gone once it is checked.
CREATE TABLE import_part (
    import_id uuid NOT NULL REFERENCES import,
    tenant_id uuid,
    n         integer NOT NULL CHECK (n >= 0),
    part_ct   bytea NOT NULL CHECK (get_byte(part_ct, 0) = 1),
    PRIMARY KEY (import_id, n)
);
ALTER TABLE import_part ALTER part_ct SET STORAGE EXTERNAL;          -- ciphertext does not compress

-- Rows that were found good, many to a chunk, sealed; gone once they are carried out.
CREATE TABLE import_chunk (
    import_id  uuid NOT NULL REFERENCES import,
    tenant_id  uuid,
    n          integer NOT NULL CHECK (n >= 0),
    first_line integer NOT NULL,
    last_line  integer NOT NULL CHECK (last_line >= first_line),
    rows_ct    bytea NOT NULL CHECK (get_byte(rows_ct, 0) = 1),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),     -- SHA-256 of rows_ct
    PRIMARY KEY (import_id, n)
);
ALTER TABLE import_chunk ALTER rows_ct SET STORAGE EXTERNAL;

-- A line that is left out, and why; or one that is taken, and what is to be said of it: words of ours and numbers of
-- lines, nothing of what the line said.
CREATE TABLE import_fault (
    import_id uuid NOT NULL REFERENCES import,
    tenant_id uuid,
    line      integer NOT NULL CHECK (line > 0),
    code      text NOT NULL CHECK (code ~ '^[a-z0-9_-]{1,40}$'),
    hint      text NOT NULL CHECK (char_length(hint) <= 400),
    taken     boolean NOT NULL,
    PRIMARY KEY (import_id, taken, line)
);

-- A step leads on, never back, and what was checked stays as it was.
CREATE FUNCTION import_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.kind, NEW.name, NEW.source, NEW.options, NEW.digest, NEW.octets, NEW.created_by, NEW.created_at)
          IS DISTINCT FROM
          (OLD.id, OLD.kind, OLD.name, OLD.source, OLD.options, OLD.digest, OLD.octets, OLD.created_by, OLD.created_at)
       OR NEW.tenant_id IS DISTINCT FROM OLD.tenant_id
       OR (OLD.state <> 1 AND (NEW.lines, NEW.good, NEW.bad, NEW.same, NEW.doubted, NEW.chunks, NEW.rows_digest) IS DISTINCT FROM
                              (OLD.lines, OLD.good, OLD.bad, OLD.same, OLD.doubted, OLD.chunks, OLD.rows_digest))
       OR NOT (NEW.state = OLD.state OR (OLD.state, NEW.state) IN ((1, 2), (1, 5), (1, 6), (2, 3), (2, 6), (3, 4)))
       OR OLD.state IN (4, 5, 6) THEN
        RAISE EXCEPTION 'an import goes on as it was checked and approved' USING ERRCODE = '42501';
    ELSIF NEW.state = 3 AND OLD.state = 2 AND NOT EXISTS (
            SELECT FROM troth.change c JOIN troth.snapshot s ON s.change_id = c.id
            WHERE c.id = NEW.change_id AND c.kind = 'import' AND c.subject = NEW.id
              AND c.tenant_id IS NOT DISTINCT FROM NEW.tenant_id) THEN
        RAISE EXCEPTION 'an import is carried out with an approval alone' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON import FOR EACH ROW EXECUTE FUNCTION import_guard();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON import FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Parts, rows and faults are written while the file is being checked, and never changed.
CREATE FUNCTION import_rows_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM troth.import i WHERE i.id = NEW.import_id AND i.state = 1
                   AND i.tenant_id IS NOT DISTINCT FROM NEW.tenant_id) THEN
        RAISE EXCEPTION 'rows are added while their file is checked' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['import_part', 'import_chunk', 'import_fault'] LOOP
        EXECUTE format('CREATE TRIGGER guard BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION import_rows_guard()', t);
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION insert_only()', t);
    END LOOP;
END $$;

-- The import that the transaction works for, in the state that is expected, locked; 55000 when it is not so any more.
-- Granted to nobody.
CREATE FUNCTION import_at(p_import uuid, p_state integer) RETURNS import
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE found troth.import;
BEGIN
    SELECT * INTO found FROM troth.import i WHERE i.id = p_import AND i.state = p_state
        AND i.tenant_id IS NOT DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid FOR UPDATE;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'this import has gone on meanwhile: look at it again' USING ERRCODE = '55000';
    END IF;
    RETURN found;
END $$;

CREATE FUNCTION import_entry(p_kind text, p_import import, p_by text, p_what text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY[p_kind], ARRAY[(p_import).tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'digest', 'import', 'of', 'what'],
        ARRAY[p_by, encode((p_import).digest, 'hex'), (p_import).id::text, (p_import).kind, p_what])])
$$;

-- A person hands a file in. Its parts follow in the same transaction.
CREATE FUNCTION import_receive_v1(p_id uuid, p_tenant uuid, p_kind text, p_name text, p_source text, p_options text,
                                  p_digest bytea, p_octets bigint, p_parts integer, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'import:propose', p_tenant);
    made troth.import;
BEGIN
    IF p_tenant IS DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid THEN
        RAISE EXCEPTION 'this is another client''s' USING ERRCODE = '42501';
    END IF;
    INSERT INTO troth.import (id, tenant_id, kind, name, source, options, digest, octets, parts, created_by, created_at)
    VALUES (p_id, p_tenant, p_kind, p_name, p_source, p_options, p_digest, p_octets, p_parts, who.id, troth.now_v1())
    RETURNING * INTO made;
    PERFORM troth.import_entry('privacy:import:receive', made, who.human_id::text, p_kind);
END $$;

CREATE FUNCTION import_part_v1(p_import uuid, p_n integer, p_part bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.import_part (import_id, tenant_id, n, part_ct)
    SELECT i.id, i.tenant_id, p_n, p_part FROM troth.import_at(p_import, 1) AS i WHERE p_n < i.parts
$$;

-- What waits for the worker, of every client: (import, client, its state).
CREATE FUNCTION imports_due_v1(p_most integer) RETURNS TABLE (id uuid, tenant_id uuid, state smallint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT i.id, i.tenant_id, i.state FROM troth.import i WHERE i.state IN (1, 3) ORDER BY i.id LIMIT least(p_most, 1000)
$$;

-- A check begins, or begins again after a kill: from the first line.
CREATE FUNCTION import_begin_v1(p_import uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.import_at(p_import, 1);
    DELETE FROM troth.import_chunk WHERE import_id = p_import;
    DELETE FROM troth.import_fault WHERE import_id = p_import;
    UPDATE troth.import SET step = 0, why = NULL WHERE id = p_import;
END $$;

-- A check that cannot go on now: it begins again later, and until then this is why. False: it has waited an hour.
CREATE FUNCTION import_waits_v1(p_import uuid, p_why text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.import SET why = p_why WHERE id = (troth.import_at(p_import, 1)).id
    RETURNING created_at > troth.now_v1() - interval '1 hour'
$$;

CREATE FUNCTION import_chunk_v1(p_import uuid, p_n integer, p_first integer, p_last integer, p_rows bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.import_chunk (import_id, tenant_id, n, first_line, last_line, rows_ct, digest)
    SELECT i.id, i.tenant_id, p_n, p_first, p_last, p_rows, sha256(p_rows) FROM troth.import_at(p_import, 1) AS i
$$;

CREATE FUNCTION import_faults_v1(p_import uuid, p_lines integer[], p_codes text[], p_hints text[],
                                 p_taken boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.import_fault (import_id, tenant_id, line, code, hint, taken)
    SELECT i.id, i.tenant_id, u.line, u.code, u.hint, p_taken
    FROM troth.import_at(p_import, 1) AS i, unnest(p_lines, p_codes, p_hints) AS u(line, code, hint)
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION import_step_v1(p_import uuid, p_step bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ UPDATE troth.import SET step = p_step WHERE id = (troth.import_at(p_import, 1)).id $$;

-- All of it was looked at. The digest over the chunks is made here, of what lies in the table.
CREATE FUNCTION import_checked_v1(p_import uuid, p_encoding text, p_notes text[], p_lines integer, p_good integer,
                                  p_bad integer, p_same integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.import_at(p_import, 1);
    DELETE FROM troth.import_fault d WHERE d.import_id = p_import AND d.taken AND EXISTS (
        SELECT FROM troth.import_fault f WHERE f.import_id = p_import AND NOT f.taken AND f.line = d.line);
    UPDATE troth.import SET state = 2, checked_at = troth.now_v1(), encoding = p_encoding, notes = p_notes, lines = p_lines,
        step = p_lines, good = p_good, bad = p_bad, same = p_same,
        doubted = (SELECT count(*) FROM troth.import_fault f WHERE f.import_id = p_import AND f.taken),
        chunks = (SELECT count(*) FROM troth.import_chunk c WHERE c.import_id = p_import),
        rows_digest = sha256(coalesce((SELECT string_agg(c.digest, ''::bytea ORDER BY c.n) FROM troth.import_chunk c
                                       WHERE c.import_id = p_import), ''))
    WHERE id = p_import;
    DELETE FROM troth.import_part WHERE import_id = p_import;
END $$;

-- It cannot be read as a whole, so nothing of it is kept but why.
CREATE FUNCTION import_unreadable_v1(p_import uuid, p_why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.import_at(p_import, 1);
    DELETE FROM troth.import_part WHERE import_id = p_import;
    DELETE FROM troth.import_chunk WHERE import_id = p_import;
    DELETE FROM troth.import_fault WHERE import_id = p_import;
    UPDATE troth.import SET state = 5, why = p_why, done_at = troth.now_v1() WHERE id = p_import;
END $$;

-- A person lets go of one that is not approved; an open change of it could not be approved any more.
CREATE FUNCTION import_drop_v1(p_import uuid, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    i troth.import;
    who troth.account;
BEGIN
    SELECT * INTO i FROM troth.import WHERE id = p_import FOR UPDATE;
    who := troth.allowed(p_session, 'import:propose', i.tenant_id);
    IF i.id IS NULL OR i.state NOT IN (1, 2) THEN
        RAISE EXCEPTION 'this import is approved or over already' USING ERRCODE = '55000';
    ELSIF EXISTS (SELECT FROM troth.change c WHERE c.kind = 'import' AND c.subject = p_import AND c.state = 1
                  AND c.expires_at > troth.now_v1()) THEN
        RAISE EXCEPTION 'it waits for a second person: withdraw its change first' USING ERRCODE = '55000';
    END IF;
    DELETE FROM troth.import_part WHERE import_id = p_import;
    DELETE FROM troth.import_chunk WHERE import_id = p_import;
    UPDATE troth.import SET state = 6, done_at = troth.now_v1(), why = 'discarded' WHERE id = p_import;
    PERFORM troth.import_entry('privacy:import:drop', i, who.human_id::text, i.kind);
END $$;

-- What nobody proposed in 14 days, and no open change names, is let go; the reasons of lines go 90 days after the end.
CREATE FUNCTION imports_tidy_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    i troth.import;
    n integer := 0;
BEGIN
    FOR i IN SELECT * FROM troth.import WHERE state = 2 AND checked_at < troth.now_v1() - interval '14 days'
             AND NOT EXISTS (SELECT FROM troth.change c WHERE c.kind = 'import' AND c.subject = import.id AND c.state = 1)
             ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED LOOP
        DELETE FROM troth.import_chunk WHERE import_id = i.id;
        UPDATE troth.import SET state = 6, done_at = troth.now_v1(), why = 'nobody proposed it for 14 days' WHERE id = i.id;
        PERFORM troth.import_entry('privacy:import:drop', i, '', i.kind);
        n := n + 1;
    END LOOP;
    DELETE FROM troth.import_fault WHERE import_id IN (
        SELECT o.id FROM troth.import o WHERE o.done_at < troth.now_v1() - interval '90 days' ORDER BY o.id LIMIT 100);
    RETURN n;
END $$;

-- Approved: what two people read is what lies here, to the last row (approve_v1).
CREATE FUNCTION apply_import(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE a jsonb := c.artefact::jsonb;
BEGIN
    UPDATE troth.import i SET state = 3, step = 0, change_id = c.id, approved_at = troth.now_v1()
    WHERE i.id = c.subject AND i.state = 2 AND i.tenant_id IS NOT DISTINCT FROM c.tenant_id
      AND (i.kind, encode(i.digest, 'hex'), encode(i.rows_digest, 'hex')) = (a ->> 'of', a ->> 'sha256', a ->> 'rows_sha256')
      AND (i.lines, i.good, i.bad, i.same) = ((a ->> 'lines')::integer, (a ->> 'rows')::integer,
                                              (a ->> 'left_out')::integer, (a ->> 'repeated')::integer);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what was checked is not what is proposed, or is gone: import the file again' USING ERRCODE = '55000';
    END IF;
END $$;

-- One chunk was carried out, in this transaction; the last one ends the import. True: there is more.
CREATE FUNCTION import_applied_v1(p_import uuid, p_n integer, p_rows integer, p_outcome text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    i troth.import := troth.import_at(p_import, 3);
    made troth.import;
BEGIN
    IF i.next_chunk <> p_n THEN
        RAISE EXCEPTION 'this import has gone on meanwhile: look at it again' USING ERRCODE = '55000';
    END IF;
    UPDATE troth.import SET next_chunk = p_n + 1, step = step + p_rows, outcome = (
        SELECT coalesce(jsonb_object_agg(k, n), '{}')::text FROM (
            SELECT key AS k, sum(value::bigint) AS n
            FROM (SELECT * FROM jsonb_each_text(i.outcome::jsonb) UNION ALL SELECT * FROM jsonb_each_text(p_outcome::jsonb)) AS b
            GROUP BY key) AS summed)
    WHERE id = p_import RETURNING * INTO made;
    DELETE FROM troth.import_chunk WHERE import_id = p_import AND n = p_n;
    IF made.next_chunk < made.chunks THEN
        RETURN true;
    END IF;
    UPDATE troth.import SET state = 4, done_at = troth.now_v1() WHERE id = p_import;
    PERFORM troth.import_entry('privacy:import:apply', made, '', made.outcome);
    RETURN false;
END $$;

-- For the functions that carry out rows: (client) of an approved import that the transaction works for. Granted to nobody.
CREATE FUNCTION import_carrying(p_import uuid, p_kind text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE i troth.import := troth.import_at(p_import, 3);
BEGIN
    IF i.kind <> p_kind THEN
        RAISE EXCEPTION 'this import brings something else' USING ERRCODE = '42501';
    END IF;
    RETURN i.tenant_id;
END $$;
