-- What recipients do with their own page, and the notices that may not be mailed to them.

-- erase_own_v1, export_own_v1: 0005_proving.sql

-- ---- abuse, as a recipient tells of it ------------------------------------------------------------------------

-- One open report a message: pressing twice tells nothing new. Its words, and what came of it, are sealed under the
-- person's key; of somebody who was erased already, no words are kept.
CREATE TABLE abuse_report (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    message_id uuid NOT NULL UNIQUE,
    person_id  uuid NOT NULL REFERENCES person,
    category_id uuid NOT NULL,
    at         timestamptz NOT NULL,
    words_ct   bytea CHECK (get_byte(words_ct, 0) = 2),
    closed_at  timestamptz,
    closed_by  uuid,
    outcome_ct bytea CHECK (get_byte(outcome_ct, 0) = 2),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NOT NULL OR outcome_ct IS NULL)),
    CHECK (octet_length(words_ct) <= 16000 AND octet_length(outcome_ct) <= 16000)
);
CREATE INDEX abuse_report_open ON abuse_report (at) WHERE closed_at IS NULL;
CREATE INDEX abuse_report_newest ON abuse_report (tenant_id, at);

CREATE FUNCTION report_abuse_v1(p_id uuid, p_message uuid, p_words bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH told AS (
        INSERT INTO troth.abuse_report (id, tenant_id, message_id, person_id, category_id, at, words_ct)
        SELECT p_id, m.tenant_id, m.id, m.person_id, m.category_id, troth.now_v1(), p_words
        FROM troth.message m WHERE m.id = p_message
        ON CONFLICT DO NOTHING RETURNING id, tenant_id, message_id),
    entry AS (
        SELECT troth.ledger_entry(ARRAY['privacy:abuse:report'], ARRAY[tenant_id],
            ARRAY[troth.leaf_json(ARRAY['message', 'report'], ARRAY[message_id::text, id::text])]) FROM told)
    SELECT EXISTS (SELECT FROM told, entry)
$$;

-- Whether somebody's words can still be sealed. Granted to nobody.
CREATE FUNCTION has_key(p_person uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT EXISTS (SELECT FROM troth.person p WHERE p.id = p_person AND p.data_key IS NOT NULL) $$;

CREATE FUNCTION abuse_close_v1(p_report uuid, p_outcome bytea, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    found troth.abuse_report;
    who troth.account;
BEGIN
    SELECT * INTO found FROM troth.abuse_report WHERE id = p_report FOR UPDATE;
    who := troth.allowed(p_session, 'abuse:close', found.tenant_id);
    IF found.id IS NULL OR found.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'this report is not open' USING ERRCODE = '55000';
    ELSIF p_outcome IS NULL AND troth.has_key(found.person_id) THEN
        RAISE EXCEPTION 'say what came of it' USING ERRCODE = '22023';
    END IF;
    UPDATE troth.abuse_report SET closed_at = troth.now_v1(), closed_by = who.id, outcome_ct = p_outcome WHERE id = p_report;
    PERFORM troth.ledger_entry(ARRAY['privacy:abuse:close'], ARRAY[found.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'report'], ARRAY[who.human_id::text, p_report::text])]);
END $$;

-- ---- serve otherwise ------------------------------------------------------------------------------------------

-- A notice that the law asks for, to somebody who may not be mailed: the client firm serves it another way, before `due`,
-- which is when the notice would have been of no use in the mail either. Opened with the event that says `suppressed`,
-- whoever writes it. What is written of how it was done is sealed under the person's key, as above.
CREATE TABLE serve_otherwise (
    message_id  uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    person_id   uuid NOT NULL REFERENCES person,
    category_id uuid NOT NULL,
    opened_at   timestamptz NOT NULL,
    due         timestamptz NOT NULL CHECK (due > opened_at),
    done_at     timestamptz,
    done_by     uuid,
    how         text CHECK (how IN ('post', 'by-hand', 'telephone', 'portal', 'other', 'not-needed')),
    note_ct     bytea CHECK (get_byte(note_ct, 0) = 2),
    CHECK ((done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (how IS NULL)),
    CHECK (octet_length(note_ct) <= 16000 AND (done_at IS NOT NULL OR note_ct IS NULL))
);
CREATE INDEX serve_otherwise_open ON serve_otherwise (tenant_id, due) WHERE done_at IS NULL;
CREATE INDEX serve_otherwise_newest ON serve_otherwise (tenant_id, opened_at);

CREATE FUNCTION open_service() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE told bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM fresh WHERE kind = 5) THEN -- suppressed
        RETURN NULL;
    END IF;
    WITH asked AS (
        SELECT DISTINCT m.id, m.tenant_id, m.person_id, m.category_id, troth.now_v1() AS now, make_interval(mins => coalesce(
                   (s.artefact::jsonb #>> '{policy,delivery,lifetime_minutes}')::integer,
                   troth.policy_number(m.tenant_id, 'delivery', 'lifetime_minutes', false), 4320)) AS lasts
        FROM fresh f JOIN troth.message m ON m.id = f.message_id JOIN troth.email e ON e.id = m.email_id
        JOIN troth.snapshot s ON s.id = e.category_snapshot
        WHERE f.kind = 5 AND s.artefact::jsonb ->> 'legal_class' = 'required'),
    opened AS (
        INSERT INTO troth.serve_otherwise (message_id, tenant_id, person_id, category_id, opened_at, due)
        SELECT id, tenant_id, person_id, category_id, now, now + lasts FROM asked
        ON CONFLICT DO NOTHING RETURNING message_id, tenant_id)
    SELECT troth.ledger_entry(array_agg(text 'privacy:service:open'), array_agg(tenant_id),
        array_agg(troth.leaf_json(ARRAY['message'], ARRAY[message_id::text]))) INTO told FROM opened HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER to_service AFTER INSERT ON event REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION open_service();

CREATE FUNCTION serve_otherwise_v1(p_message uuid, p_how text, p_note bytea, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    found troth.serve_otherwise;
    who troth.account;
BEGIN
    SELECT * INTO found FROM troth.serve_otherwise WHERE message_id = p_message FOR UPDATE;
    who := troth.allowed(p_session, 'service:done', found.tenant_id);
    IF found.message_id IS NULL OR found.done_at IS NOT NULL THEN
        RAISE EXCEPTION 'this notice waits for nobody' USING ERRCODE = '55000';
    ELSIF p_how IN ('other', 'not-needed') AND p_note IS NULL AND troth.has_key(found.person_id) THEN
        RAISE EXCEPTION 'say which way, or why it need not be served' USING ERRCODE = '22023';
    END IF;
    UPDATE troth.serve_otherwise SET done_at = troth.now_v1(), done_by = who.id, how = p_how, note_ct = p_note
    WHERE message_id = p_message;
    PERFORM troth.ledger_entry(ARRAY['privacy:service:done'], ARRAY[found.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'how', 'late', 'message'], ARRAY[who.human_id::text, p_how,
        CASE WHEN found.due < troth.now_v1() THEN 'yes' ELSE 'no' END, p_message::text])]);
END $$;

-- What waits, for the first page: of the client that is looked at, or of all.
CREATE FUNCTION services_waiting_v1(p_most integer)
RETURNS TABLE (tenant_id uuid, tenant_name text, n bigint, due timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id, t.name, count(*), min(s.due)
    FROM troth.looked_at() AS own, troth.serve_otherwise s JOIN troth.tenant t ON t.id = s.tenant_id
    WHERE s.done_at IS NULL AND (own IS NULL OR s.tenant_id = own)
    GROUP BY t.id, t.name ORDER BY min(s.due) LIMIT p_most
$$;

-- Reports that nobody has answered, for the first page of the operator's staff.
CREATE FUNCTION abuse_waiting_v1(p_most integer)
RETURNS TABLE (tenant_id uuid, tenant_name text, n bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id, t.name, count(*), min(r.at)
    FROM troth.looked_at() AS own, troth.abuse_report r JOIN troth.tenant t ON t.id = r.tenant_id
    WHERE r.closed_at IS NULL AND (own IS NULL OR r.tenant_id = own)
    GROUP BY t.id, t.name ORDER BY min(r.at) LIMIT p_most
$$;

-- Whom a confirmation link is of, with the keys that seal what they agreed to. Holding the link's secret is the right to
-- it; the keys are wrapped, and open nothing by themselves.
CREATE FUNCTION confirmation_keys_v1(p_secret bytea)
RETURNS TABLE (tenant_id uuid, person_id uuid, tenant_name text, keyset bytea, data_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.tenant_id, p.id, t.name, t.keyset, p.data_key
    FROM troth.confirmation c JOIN troth.person p ON p.id = c.person_id JOIN troth.tenant t ON t.id = p.tenant_id
    WHERE c.secret_hash = sha256(p_secret) AND c.used_at IS NOT NULL AND p.status = 2
$$;
