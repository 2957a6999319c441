-- Claims: what their controls found last, its history, and the two functions through which a control sees what its role
-- may not: attempts that the owner of the tables makes and never keeps, and counts that no client can be read from.

-- The newest finding of each control: for a programme, or (NULL) for the installation.
CREATE TABLE claim_state (
    claim        text NOT NULL CHECK (claim ~ '^[A-Z]{3}-[1-9][0-9]?$'),
    programme_id uuid REFERENCES programme,
    state        text NOT NULL CHECK (state IN ('holds', 'fails', 'stale', 'no data yet')),
    evidence     text NOT NULL CHECK (jsonb_typeof(evidence::jsonb) = 'object'),
    checked_at   timestamptz NOT NULL,
    since        timestamptz NOT NULL,                            -- of this state
    told_at      timestamptz NOT NULL,                            -- when the ledger last heard of it
    UNIQUE NULLS NOT DISTINCT (claim, programme_id)
);

-- What the ledger heard: each change of state, and once a day that nothing changed. The leaf holds the evidence's hash.
CREATE TABLE claim_history (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim        text NOT NULL,
    programme_id uuid,
    state        text NOT NULL,
    evidence     text NOT NULL,
    checked_at   timestamptz NOT NULL
);
CREATE INDEX claim_history_claim ON claim_history (claim, programme_id, checked_at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON claim_history FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON claim_history FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- These are for good, too: nobody empties them at one stroke.
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON suppression_feed FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON opt_out FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON revocation FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE FUNCTION claim_record_v1(p_claims text[], p_programmes uuid[], p_states text[], p_evidence text[])
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    each record;
    old troth.claim_state;
BEGIN
    PERFORM pg_advisory_xact_lock(7413);
    FOR each IN SELECT c, p, s, e FROM unnest(p_claims, p_programmes, p_states, p_evidence) AS u(c, p, s, e) ORDER BY c, p LOOP
        SELECT * INTO old FROM troth.claim_state WHERE claim = each.c AND programme_id IS NOT DISTINCT FROM each.p;
        INSERT INTO troth.claim_state AS k (claim, programme_id, state, evidence, checked_at, since, told_at)
        VALUES (each.c, each.p, each.s, each.e, now, now, now)
        ON CONFLICT (claim, programme_id) DO UPDATE SET state = EXCLUDED.state, evidence = EXCLUDED.evidence,
            checked_at = now, since = CASE WHEN k.state = EXCLUDED.state THEN k.since ELSE now END,
            told_at = CASE WHEN k.state = EXCLUDED.state AND k.told_at > now - interval '1 day' THEN k.told_at ELSE now END;
        IF old.state IS NULL OR old.state <> each.s OR old.told_at <= now - interval '1 day' THEN
            INSERT INTO troth.claim_history (claim, programme_id, state, evidence, checked_at)
            VALUES (each.c, each.p, each.s, each.e, now);
            PERFORM troth.ledger_entry(ARRAY['trust:claim:check'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
                ARRAY['claim', 'evidence', 'programme', 'state'],
                ARRAY[each.c, encode(sha256(convert_to(each.e, 'UTF8')), 'hex'), coalesce(each.p::text, ''), each.s])]);
        END IF;
    END LOOP;
    RETURN now;
END $$;

-- One attempt to break a promise, made as the tables' owner, which no run-time role is, and undone whatever comes of it.
-- The answer is the SQLSTATE of the refusal, 'accepted', or 'nothing there' where there is no row to try it on.
CREATE FUNCTION claim_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    made uuid := gen_random_uuid();
    firm uuid := (SELECT id FROM troth.tenant ORDER BY id LIMIT 1);
    mine bytea := sha256(uuid_send(made));
    key uuid := (overlay(troth.uuid7_floor(now)::text PLACING right(made::text, 23) FROM 14))::uuid;
    n bigint := 1;
BEGIN
    IF firm IS NULL THEN
        RETURN 'nothing there';
    END IF;
    CASE p_name
    WHEN 'suppression-delete' THEN
        INSERT INTO troth.suppression (blind_index, reason, source, created_at) VALUES (mine, 1, 'attempt', now);
        DELETE FROM troth.suppression WHERE blind_index = mine;
    WHEN 'suppression-update' THEN
        INSERT INTO troth.suppression (blind_index, reason, source, created_at) VALUES (mine, 1, 'attempt', now);
        UPDATE troth.suppression SET blind_index = sha256(mine) WHERE blind_index = mine;
    WHEN 'suppression-plain' THEN
        INSERT INTO troth.suppression (blind_index, reason, source, address_ct, created_at)
        VALUES (mine, 1, 'attempt', convert_to('a@b.example', 'UTF8'), now);
    WHEN 'feed-delete' THEN
        WITH fed AS (INSERT INTO troth.suppression_feed (blind_index, reason, created_at) VALUES (mine, 1, now))
        SELECT 1 INTO n;
        DELETE FROM troth.suppression_feed WHERE blind_index = mine;
    WHEN 'opt-out-delete' THEN
        INSERT INTO troth.opt_out (tenant_id, blind_index, category_id, source, created_at) VALUES (firm, mine, made, 'attempt', now);
        DELETE FROM troth.opt_out WHERE blind_index = mine;
    WHEN 'dkim-short' THEN
        INSERT INTO troth.dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)
        VALUES (made, firm, made, 'attempt', 1024, '\x01', '\x00', now);
    WHEN 'dkim-plain' THEN
        INSERT INTO troth.dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)
        VALUES (made, firm, made, 'attempt', 2048, convert_to('-----BEGIN', 'UTF8'), '\x00', now);
    WHEN 'person-plain' THEN
        INSERT INTO troth.person (id, tenant_id, blind_index, address_ct, data_key, salt, created_at)
        VALUES (made, firm, mine, convert_to('a@b.example', 'UTF8'), '\x01', mine, now);
    WHEN 'person-keyless' THEN
        INSERT INTO troth.person (id, tenant_id, blind_index, address_ct, data_key, salt, created_at)
        VALUES (made, firm, mine, '\x02', NULL, mine, now);
    WHEN 'person-unproven' THEN
        INSERT INTO troth.person (id, tenant_id, blind_index, address_ct, data_key, salt, status, created_at)
        VALUES (made, firm, mine, '\x02', '\x01', mine, 2, now);
    WHEN 'account-plain' THEN
        INSERT INTO troth.account (id, human_id, role, name_ct, address_ct, address_index, created_at)
        SELECT made, h.id, 'auditor', convert_to('A. Name', 'UTF8'), '\x01', mine, now FROM troth.human h LIMIT 1;
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'body-plain' THEN
        INSERT INTO troth.message_body (message_id, tenant_id, body_ct) VALUES (key, firm, convert_to('Dear A', 'UTF8'));
    WHEN 'event-plain' THEN
        INSERT INTO troth.event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash)
        VALUES (key, 1, 'attempt', firm, now, convert_to('{"to":"a@b.example"}', 'UTF8'), mine);
    WHEN 'email-uncategorised' THEN
        INSERT INTO troth.email (id, tenant_id, category_id, policy_digest, created_at, recipients)
        VALUES (key, firm, made, mine, now, 1);
    WHEN 'email-update' THEN
        INSERT INTO troth.email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)
        VALUES (key, firm, made, made, mine, now, 1);
        UPDATE troth.email SET category_id = key WHERE id = key;
    WHEN 'event-delete' THEN
        INSERT INTO troth.event (message_id, kind, source_key, tenant_id, at, leaf_hash) VALUES (key, 1, 'attempt', firm, now, mine);
        DELETE FROM troth.event WHERE message_id = key;
    WHEN 'event-update' THEN
        INSERT INTO troth.event (message_id, kind, source_key, tenant_id, at, leaf_hash) VALUES (key, 1, 'attempt', firm, now, mine);
        UPDATE troth.event SET at = now + interval '1 day' WHERE message_id = key;
    WHEN 'snapshot-forged' THEN
        INSERT INTO troth.snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id, proposer_human,
                                    approver_human, approved_at)
        SELECT made, s.kind, s.tenant_id, s.subject, s.code, 2000000000, s.artefact, s.digest, s.change_id, s.proposer_human,
               s.approver_human, now FROM troth.snapshot s LIMIT 1;
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'snapshot-update' THEN
        UPDATE troth.snapshot SET artefact = '{}' WHERE id = (SELECT id FROM troth.snapshot LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'snapshot-delete' THEN
        DELETE FROM troth.snapshot WHERE id = (SELECT id FROM troth.snapshot LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'change-update' THEN
        UPDATE troth.change SET artefact = '{}' WHERE id = (SELECT id FROM troth.change LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'key-unscoped' THEN
        INSERT INTO troth.api_key (id, tenant_id, name, prefix, hash, expires_at, created_at)
        VALUES (made, firm, 'attempt', 'attempt', mine, now, now);
    WHEN 'rate-over' THEN
        INSERT INTO troth.rate_counter (tenant_id, scope, subject, window_start, used, cap) VALUES (firm, 3, made, now, 2, 1);
    WHEN 'leaf-update' THEN
        UPDATE troth.ledger_leaf SET leaf = '{}' WHERE (log_id, index) = (SELECT log_id, index FROM troth.ledger_leaf LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'leaf-delete' THEN
        DELETE FROM troth.ledger_leaf WHERE (log_id, index) = (SELECT log_id, max(index) FROM troth.ledger_leaf GROUP BY 1 LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'checkpoint-delete' THEN
        DELETE FROM troth.ledger_checkpoint WHERE (log_id, size) = (SELECT log_id, max(size) FROM troth.ledger_checkpoint GROUP BY 1 LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSE
        RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
    END CASE;
    IF n = 0 THEN
        RETURN 'nothing there';
    END IF;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Counts over all clients, by client: how many there are, how many are wrong, and the id of one that is.
CREATE FUNCTION claim_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first uuid := troth.uuid7_floor(p_since);
    -- between the mark, which looks, and the record of the answer lies the SMTP conversation
    talk interval := interval '10 minutes';
    most integer := 150000; -- the newest so many: a check takes seconds, whatever there is
BEGIN
    CASE p_fact
    WHEN 'sent-suppressed' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, EXISTS (
                  SELECT FROM troth.suppression s WHERE s.blind_index = m.blind_index AND s.created_at < e.at - talk
                  AND NOT troth.overridden_v1(e.tenant_id, s.blind_index, s.reason, s.source, e.at - talk, e.at))
                  OR EXISTS (SELECT FROM troth.opt_out o WHERE o.tenant_id = e.tenant_id AND o.blind_index = m.blind_index
                             AND o.category_id = m.category_id AND o.created_at < e.at - talk
                             AND NOT EXISTS (SELECT FROM troth.opt_in i WHERE i.tenant_id = o.tenant_id
                                 AND i.blind_index = o.blind_index AND i.category_id = o.category_id
                                 AND i.created_at > o.created_at AND i.created_at <= e.at)) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 8 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              JOIN troth.message m ON m.id = e.message_id) AS x
        GROUP BY 1;
    WHEN 'sent-unverified' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id,
                     p.id IS NULL OR p.tenant_id <> e.tenant_id OR coalesce(p.erased_at < e.at - talk, false)
                     OR t.kind IS DISTINCT FROM 2 AND ( -- Troth's own mail is what asks for the confirmation
                         coalesce(least(p.verified_at, (SELECT min(c.used_at) FROM troth.confirmation c WHERE c.person_id = p.id))
                                  > e.at, true)
                         OR coalesce(p.expires_at < e.at - talk, false)) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 8 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              LEFT JOIN troth.message m ON m.id = e.message_id
              LEFT JOIN troth.person p ON p.id = m.person_id
              LEFT JOIN troth.tenant t ON t.id = e.tenant_id) AS x
        GROUP BY 1;
    WHEN 'verified' THEN RETURN QUERY
        -- each way of verifying leaves its trace; a link's is its row, which is kept 30 days
        SELECT p.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(p.id::text) FILTER (WHERE b.bad)
        FROM troth.person p, LATERAL (SELECT CASE
            WHEN p.pathway <> 'system' THEN p.verified_at > greatest(p_since, troth.now_v1() - interval '30 days')
                AND NOT EXISTS (SELECT FROM troth.confirmation c WHERE c.person_id = p.id AND c.tenant_id = p.tenant_id
                                AND c.pathway = p.pathway AND c.used_at <= p.verified_at + interval '1 second')
                AND NOT EXISTS (SELECT FROM troth.person_import i WHERE i.person_id = p.id AND i.verified
                                AND i.tenant_id = p.tenant_id AND i.at = p.verified_at) -- which two people approved
            -- one of our own people: the account of that address, which two people granted
            WHEN p.pathway = 'system' THEN NOT EXISTS (
                SELECT FROM troth.account a JOIN troth.tenant t ON t.id = p.tenant_id
                WHERE a.address_index = p.blind_index AND t.kind = 2)
            ELSE true END AS bad) AS b
        WHERE p.status = 2 GROUP BY 1;
    WHEN 'email-category' THEN RETURN QUERY
        WITH version AS MATERIALIZED (
            SELECT v.id, v.kind, v.tenant_id, v.subject, v.approved_at, v.artefact::jsonb ->> 'legal_class' AS legal_class,
                   (SELECT r.revoked_at FROM troth.revocation r WHERE r.snapshot_id = v.id) AS revoked_at
            FROM troth.snapshot v WHERE v.kind IN ('category', 'template'))
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.id, s.id IS NULL OR s.kind <> 'category' OR s.tenant_id IS DISTINCT FROM e.tenant_id
                     OR s.subject <> e.category_id OR s.approved_at > e.created_at
                     OR coalesce(s.legal_class NOT IN ('transactional', 'relationship', 'required'), true)
                     OR coalesce(s.revoked_at < e.created_at - talk, false) AS bad
              FROM (SELECT * FROM troth.email WHERE id >= first ORDER BY id DESC LIMIT most) AS e
              LEFT JOIN version s ON s.id = e.category_snapshot
              UNION ALL
              SELECT m.tenant_id, m.id, e.id IS NULL OR e.tenant_id <> m.tenant_id OR e.category_id <> m.category_id
              FROM (SELECT * FROM troth.message WHERE id >= first ORDER BY id DESC LIMIT most) AS m
              LEFT JOIN troth.email e ON e.id = m.email_id) AS x
        GROUP BY 1;
    WHEN 'email-template' THEN RETURN QUERY
        WITH version AS MATERIALIZED (
            SELECT v.id, v.kind, v.tenant_id, v.code, v.approved_at, v.artefact::jsonb ->> 'category' AS category,
                   v.artefact::jsonb -> 'raw' AS raw,
                   (SELECT r.revoked_at FROM troth.revocation r WHERE r.snapshot_id = v.id) AS revoked_at
            FROM troth.snapshot v WHERE v.kind IN ('category', 'template'))
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(e.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.email WHERE id >= first ORDER BY id DESC LIMIT most) AS e
        LEFT JOIN version s ON s.id = e.template_snapshot
        LEFT JOIN version c ON c.id = e.category_snapshot,
        LATERAL (SELECT CASE WHEN e.template_snapshot IS NULL THEN c.raw IS DISTINCT FROM 'true'::jsonb
            ELSE s.id IS NULL OR s.kind <> 'template' OR s.tenant_id IS DISTINCT FROM e.tenant_id OR s.approved_at > e.created_at
                 OR s.category IS DISTINCT FROM c.code OR coalesce(s.revoked_at < e.created_at - talk, false)
            END AS bad) AS b
        GROUP BY 1;
    WHEN 'email-key' THEN RETURN QUERY
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(e.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.email WHERE id >= first ORDER BY id DESC LIMIT most) AS e
        LEFT JOIN troth.api_key k ON k.id = e.api_key_id
        LEFT JOIN troth.tenant t ON t.id = e.tenant_id
        LEFT JOIN troth.snapshot c ON c.id = e.category_snapshot
        LEFT JOIN LATERAL (SELECT s.artefact::jsonb -> 'categories' AS may FROM troth.snapshot s
                           WHERE s.kind = 'api-key' AND s.subject = e.api_key_id AND s.approved_at <= e.created_at
                           ORDER BY s.version DESC LIMIT 1) AS a ON true,
        LATERAL (SELECT CASE WHEN e.api_key_id IS NULL THEN t.kind IS DISTINCT FROM 2
            ELSE k.id IS NULL OR k.tenant_id <> e.tenant_id OR a.may IS NULL AND NOT EXISTS (
                     SELECT FROM troth.snapshot s WHERE s.kind = 'api-key' AND s.subject = e.api_key_id AND s.approved_at <= e.created_at)
                 OR jsonb_typeof(a.may) = 'array' AND NOT coalesce(a.may ? c.code, false)
                 OR coalesce(k.revoked_at < e.created_at - talk, false) OR k.expires_at < e.created_at - talk
            END AS bad) AS b
        GROUP BY 1;
    WHEN 'api-keys' THEN RETURN QUERY
        SELECT k.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(k.id::text) FILTER (WHERE b.bad)
        FROM troth.api_key k LEFT JOIN troth.snapshot s ON s.id = k.snapshot_id,
        LATERAL (SELECT s.id IS NULL OR s.kind <> 'api-key' OR s.subject <> k.id OR s.tenant_id IS DISTINCT FROM k.tenant_id
            OR s.artefact::jsonb ->> 'hash' IS DISTINCT FROM encode(k.hash, 'hex') AS bad) AS b
        GROUP BY 1;
    WHEN 'key-rates' THEN RETURN QUERY
        SELECT r.tenant_id, count(*), count(*) FILTER (WHERE r.used > r.cap), min(r.subject::text) FILTER (WHERE r.used > r.cap)
        FROM troth.rate_counter r WHERE r.scope = 3 GROUP BY 1;
    WHEN 'snapshots' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.leaf::jsonb ->> 'change' AS change, l.leaf::jsonb ->> 'digest' AS digest FROM troth.ledger_leaf l
            WHERE l.kind = 'governance:change:approve'
            UNION ALL
            SELECT l.leaf::jsonb ->> 'change', l.leaf::jsonb ->> 'digest' FROM troth.ledger_pending l
            WHERE l.kind = 'governance:change:approve')
        SELECT NULL::uuid, count(*), count(*) FILTER (WHERE b.bad), min(s.id::text) FILTER (WHERE b.bad)
        FROM troth.snapshot s LEFT JOIN troth.change c ON c.id = s.change_id,
        LATERAL (SELECT c.id IS NULL OR c.state <> 2 OR c.digest <> s.digest OR c.subject <> s.subject OR c.kind <> s.kind
            OR c.tenant_id IS DISTINCT FROM s.tenant_id OR c.code <> s.code
            OR c.proposer_human IS DISTINCT FROM s.proposer_human OR c.decider_human IS DISTINCT FROM s.approver_human
            OR s.proposer_human = s.approver_human OR s.digest <> sha256(convert_to(s.artefact, 'UTF8'))
            OR NOT EXISTS (SELECT FROM told WHERE told.change = s.change_id::text AND told.digest = encode(s.digest, 'hex')) AS bad) AS b;
    WHEN 'governed' THEN RETURN QUERY
        SELECT g.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(g.subject::text) FILTER (WHERE b.bad)
        FROM troth.governed g LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id,
        LATERAL (SELECT s.id IS NULL OR s.subject <> g.subject OR s.kind <> g.kind OR s.code <> g.code
            OR s.tenant_id IS DISTINCT FROM g.tenant_id AS bad) AS b
        GROUP BY 1;
    WHEN 'message-events' THEN RETURN QUERY
        SELECT m.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(m.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.message WHERE id >= first ORDER BY id DESC LIMIT most) AS m,
        LATERAL (SELECT NOT EXISTS (SELECT FROM troth.event e WHERE e.message_id = m.id AND e.kind = 1)
            OR m.state IN (5, 6, 7, 8, 9, 10, 11, 12, 13, 14) AND NOT EXISTS (
                SELECT FROM troth.event e WHERE e.message_id = m.id AND e.kind = (ARRAY[8, 10, 9, 11, 12, 3, 5, 6, 7, 13])[m.state - 4]) AS bad) AS b
        GROUP BY 1;
    WHEN 'orphans' THEN RETURN QUERY
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE m.id IS NULL OR m.tenant_id <> e.tenant_id),
               min(e.message_id::text) FILTER (WHERE m.id IS NULL OR m.tenant_id <> e.tenant_id)
        FROM (SELECT * FROM troth.event WHERE message_id >= first ORDER BY message_id DESC LIMIT most) AS e
        LEFT JOIN troth.message m ON m.id = e.message_id GROUP BY 1;
    WHEN 'event-tally' THEN RETURN QUERY
        -- the sequencer counted each event as it sealed it: there may be more by now, never fewer
        SELECT y.tenant_id, sum(y.n)::bigint, count(*) FILTER (WHERE coalesce(x.n, 0) < y.n),
               min(to_char(y.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"h, kind "') || y.kind) FILTER (WHERE coalesce(x.n, 0) < y.n)
        FROM troth.event_tally y
        LEFT JOIN (SELECT e.tenant_id, date_trunc('hour', e.at, 'UTC') AS hour, e.kind, count(*) AS n FROM troth.event e
                   WHERE e.at >= date_trunc('hour', p_since, 'UTC') GROUP BY 1, 2, 3) AS x
            ON x.tenant_id = y.tenant_id AND x.hour = y.hour AND x.kind = y.kind
        WHERE y.hour >= date_trunc('hour', p_since, 'UTC') GROUP BY 1;
    WHEN 'line' THEN RETURN QUERY
        SELECT NULL::uuid, (SELECT count(*) FROM troth.ledger_pending) + (SELECT count(*) FROM troth.event_pending), 0::bigint,
            least((SELECT min(p.at) FROM troth.ledger_pending p), (SELECT min(p.at) FROM troth.event_pending p))::text;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
