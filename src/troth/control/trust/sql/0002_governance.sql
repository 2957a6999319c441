-- What the controls of changes and of records look with: attempts that are undone, and counts. Like claim_attempt_v1 and
-- claim_fact_v1, which answer for the rest.

-- Somebody new with this role, a client's (NULL: of the staff), in an open session with both factors. Granted to nobody.
CREATE FUNCTION attempt_somebody(p_tenant uuid, p_role text, p_secret bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    made uuid := gen_random_uuid();
BEGIN
    INSERT INTO troth.human (id, created_at) VALUES (made, now);
    INSERT INTO troth.account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)
    VALUES (made, made, p_tenant, p_role, '\x01', '\x01', sha256(uuid_send(made)), now);
    INSERT INTO troth.session (account_id, secret_hash, kind, methods, opened_at, seen_at, proved_at, second_factor_at,
                               expires_at, ends_at)
    VALUES (made, sha256(p_secret), 'page', '{password,totp}', now, now, now, now, now + interval '1 minute',
            now + interval '1 minute');
    RETURN made;
END $$;

-- One person proposes, `how` says what is tried then. The answer is the SQLSTATE of the refusal, 'accepted', 'unable' where
-- the proposal itself was not taken, or 'nothing there'.
--   own      the same person approves            other    another one approves (which works)
--   author   who wrote on the draft approves     digest   another one approves other words than these
--   forged   a version is written without a yes  moved    what is in force is moved to a version that is not new
--   unnamed  somebody whose role may not, proposes
CREATE FUNCTION governance_attempt_v1(p_kind text, p_how text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    one bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    two bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    proposer uuid;
    other uuid;
    firm uuid := (SELECT id FROM troth.tenant WHERE kind = 1 ORDER BY id LIMIT 1);
    change uuid := gen_random_uuid();
    draft uuid := gen_random_uuid();
    digest bytea;
    n bigint := 1;
BEGIN
    IF firm IS NULL THEN
        RETURN 'nothing there';
    END IF;
    BEGIN
        proposer := troth.attempt_somebody(NULL, 'owner', one);
        other := troth.attempt_somebody(NULL, 'owner', two);
        DELETE FROM troth.designation WHERE tenant_id = firm;
        INSERT INTO troth.designation (tenant_id, account_id, place, named_at)
        VALUES (firm, proposer, 1, troth.now_v1()), (firm, other, 2, troth.now_v1());
        BEGIN
            IF p_how = 'author' THEN
                PERFORM troth.draft_save_v1(draft, firm, p_kind, NULL, 'attempt', '{}', 0, two);
            ELSE
                draft := NULL;
            END IF;
            IF p_how = 'unnamed' THEN
                UPDATE troth.account SET role = 'support' WHERE id = proposer;
                DELETE FROM troth.designation WHERE account_id = proposer;
            END IF;
            digest := troth.propose_v1(change, p_kind, firm, gen_random_uuid(), 'attempt-' || change, '{"attempt":"x"}',
                                       'an attempt', one, draft);
        EXCEPTION WHEN OTHERS THEN
            IF p_how = 'unnamed' THEN
                RAISE;
            END IF;
            RAISE EXCEPTION 'unable' USING ERRCODE = 'TR002';
        END;
        CASE p_how
        WHEN 'unnamed' THEN n := 1;
        WHEN 'own' THEN PERFORM troth.approve_v1(change, digest, one);
        WHEN 'other', 'author' THEN PERFORM troth.approve_v1(change, digest, two);
        WHEN 'digest' THEN PERFORM troth.approve_v1(change, sha256('other words'), two);
        WHEN 'forged' THEN
            INSERT INTO troth.snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id,
                                        proposer_human, approver_human, approved_at)
            SELECT gen_random_uuid(), c.kind, c.tenant_id, c.subject, c.code, 1, c.artefact, c.digest, c.id, proposer, other,
                   troth.now_v1() FROM troth.change c WHERE c.id = change;
        WHEN 'moved' THEN
            UPDATE troth.governed g SET snapshot_id = g.snapshot_id
            WHERE g.subject = (SELECT subject FROM troth.governed WHERE kind = p_kind ORDER BY subject LIMIT 1);
            GET DIAGNOSTICS n = ROW_COUNT;
        END CASE;
        IF n = 0 THEN
            RAISE EXCEPTION 'nothing' USING ERRCODE = 'TR003';
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
    EXCEPTION
        WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
        WHEN SQLSTATE 'TR002' THEN RETURN 'unable';
        WHEN SQLSTATE 'TR003' THEN RETURN 'nothing there';
        WHEN OTHERS THEN RETURN SQLSTATE;
    END;
END $$;

-- Changing and deleting what is kept, as the tables' owner, undone whatever comes of it; answers as above.
CREATE FUNCTION record_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE n bigint;
BEGIN
    CASE p_name
    WHEN 'access-update' THEN UPDATE troth.access_log SET what = 'x' WHERE id = (SELECT max(id::text)::uuid FROM troth.access_log);
    WHEN 'access-delete' THEN DELETE FROM troth.access_log WHERE id = (SELECT max(id::text)::uuid FROM troth.access_log);
    WHEN 'request-update' THEN UPDATE troth.api_request SET status = 200 WHERE id = (SELECT max(id::text)::uuid FROM troth.api_request);
    WHEN 'request-delete' THEN DELETE FROM troth.api_request WHERE id = (SELECT max(id::text)::uuid FROM troth.api_request);
    WHEN 'approval-update' THEN UPDATE troth.approval SET at = troth.now_v1() WHERE change_id = (SELECT change_id FROM troth.approval LIMIT 1);
    WHEN 'approval-delete' THEN DELETE FROM troth.approval WHERE change_id = (SELECT change_id FROM troth.approval LIMIT 1);
    END CASE;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RETURN 'nothing there';
    END IF;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Counts by client, as claim_fact_v1's. `approved <kind>`: versions, and those that not enough others approved, or of which
-- the ledger does not tell the same.
CREATE FUNCTION governance_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE most CONSTANT integer := 150000;
BEGIN
    CASE
    WHEN p_fact LIKE 'approved %' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.kind, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind LIKE 'governance:change:%'
            UNION ALL SELECT l.kind, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind LIKE 'governance:change:%'),
        entry AS MATERIALIZED (
            SELECT t.kind, (t.leaf ->> 'change')::uuid AS change, t.leaf ->> 'digest' AS digest, t.leaf ->> 'by' AS by,
                   t.leaf ->> 'before' AS before, t.leaf ->> 'reason' AS reason FROM told t)
        SELECT s.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(s.id::text) FILTER (WHERE b.bad)
        FROM troth.snapshot s LEFT JOIN troth.change c ON c.id = s.change_id,
        LATERAL (SELECT c.id IS NULL OR c.proposer_human = s.approver_human OR c.proposer_human <> s.proposer_human
            OR s.digest <> sha256(convert_to(s.artefact, 'UTF8')) OR c.artefact <> s.artefact OR c.state <> 2
            OR NOT EXISTS (SELECT FROM troth.approval a WHERE a.change_id = s.change_id AND a.digest = s.digest
                           AND a.human_id = s.approver_human)
            OR EXISTS (SELECT FROM troth.approval a JOIN troth.draft_author d ON d.draft_id = c.draft_id AND d.human_id = a.human_id
                       WHERE a.change_id = s.change_id)
            OR s.version > 1 AND NOT EXISTS (SELECT FROM troth.snapshot p WHERE p.kind = s.kind AND p.subject = s.subject
                                             AND p.version = s.version - 1)
            OR NOT EXISTS (SELECT FROM entry e WHERE e.kind = 'governance:change:propose' AND e.change = s.change_id
                           AND e.digest = encode(s.digest, 'hex') AND e.by = s.proposer_human::text
                           AND e.reason = left(c.reason, 4000))
            OR NOT EXISTS (SELECT FROM entry e WHERE e.kind = 'governance:change:approve' AND e.change = s.change_id
                           AND e.digest = encode(s.digest, 'hex') AND e.by = s.approver_human::text
                           AND e.before = coalesce((SELECT encode(p.digest, 'hex') FROM troth.snapshot p
                                WHERE p.kind = s.kind AND p.subject = s.subject AND p.version = s.version - 1), '')) AS bad) AS b
        WHERE s.kind = substr(p_fact, 10) GROUP BY 1;
    WHEN p_fact = 'in force' THEN RETURN QUERY
        SELECT g.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(g.subject::text) FILTER (WHERE b.bad)
        FROM troth.governed g LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id,
        LATERAL (SELECT s.id IS NULL OR (s.subject, s.kind, s.code) <> (g.subject, g.kind, g.code)
            OR s.tenant_id IS DISTINCT FROM g.tenant_id
            OR s.version <> (SELECT max(x.version) FROM troth.snapshot x WHERE x.kind = s.kind AND x.subject = s.subject) AS bad) AS b
        GROUP BY 1;
    WHEN p_fact = 'steps' THEN RETURN QUERY
        -- every change, decided or not, has its entries
        WITH entry AS MATERIALIZED (
            SELECT l.kind, (l.leaf::jsonb ->> 'change')::uuid AS change FROM troth.ledger_leaf l WHERE l.kind LIKE 'governance:change:%'
            UNION ALL SELECT l.kind, (l.leaf::jsonb ->> 'change')::uuid FROM troth.ledger_pending l
            WHERE l.kind LIKE 'governance:change:%')
        SELECT c.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(c.id::text) FILTER (WHERE b.bad)
        FROM troth.change c,
        LATERAL (SELECT NOT EXISTS (SELECT FROM entry e WHERE e.change = c.id AND e.kind = 'governance:change:propose')
            OR c.state <> 1 AND NOT EXISTS (SELECT FROM entry e WHERE e.change = c.id AND e.kind = 'governance:change:'
                || (ARRAY['', 'approve', 'reject', 'withdraw', 'expire'])[c.state])
            OR (c.state = 2) <> EXISTS (SELECT FROM troth.snapshot s WHERE s.change_id = c.id) AS bad) AS b
        GROUP BY 1;
    WHEN p_fact = 'changes' THEN RETURN QUERY
        SELECT c.tenant_id, count(*), 0::bigint, NULL::text FROM troth.change c WHERE c.tenant_id IS NOT NULL GROUP BY 1;
    WHEN p_fact = 'named' THEN RETURN QUERY
        -- what was proposed where individuals are named, since they were: by whom else?
        SELECT c.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(c.id::text) FILTER (WHERE b.bad)
        FROM troth.change c JOIN troth.tenant t ON t.id = c.tenant_id JOIN troth.programme p ON p.id = t.programme_id,
        LATERAL (SELECT s.artefact::jsonb -> 'accounts' AS accounts FROM troth.snapshot s
                 WHERE s.kind = 'designation' AND s.tenant_id = c.tenant_id AND s.approved_at <= c.proposed_at
                 ORDER BY s.version DESC LIMIT 1) AS d,
        LATERAL (SELECT NOT d.accounts ? c.proposer_account::text OR jsonb_array_length(d.accounts) > 2 AS bad) AS b
        WHERE EXISTS (SELECT FROM troth.permission q WHERE q.profile = p.profile AND q.action = c.kind || ':propose' AND q.named)
        GROUP BY 1;
    WHEN p_fact = 'unnamed' THEN RETURN QUERY
        -- clients of such a promise, and those without anybody named or with others than two people approved
        SELECT t.id, 1::bigint, count(*) FILTER (WHERE b.bad), min(t.id::text) FILTER (WHERE b.bad)
        FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id,
        LATERAL (SELECT coalesce((SELECT jsonb_agg(d.account_id::text ORDER BY d.account_id) FROM troth.designation d
                                  WHERE d.tenant_id = t.id), '[]')
            IS DISTINCT FROM (SELECT jsonb_agg(one ORDER BY one::uuid) FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id,
                jsonb_array_elements_text(s.artefact::jsonb -> 'accounts') AS one
                WHERE g.kind = 'designation' AND g.tenant_id = t.id) AS bad) AS b
        WHERE EXISTS (SELECT FROM troth.permission q WHERE q.profile = p.profile AND q.named) GROUP BY t.id;
    WHEN p_fact = 'grants' THEN RETURN QUERY
        -- each account came by an approved grant (or is one of the two of genesis), and is what the last one says
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM troth.account a LEFT JOIN troth.governed g ON g.subject = a.id AND g.kind = 'grant'
        LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id,
        LATERAL (SELECT CASE WHEN s.id IS NULL
            THEN NOT (a.tenant_id IS NULL AND a.role = 'owner' AND a.created_at <= (
                SELECT min(x.proposed_at) FROM troth.change x WHERE x.kind = 'genesis') + interval '1 minute')
            ELSE s.tenant_id IS DISTINCT FROM a.tenant_id OR s.artefact::jsonb ->> 'role' <> a.role
                OR (s.artefact::jsonb ->> 'human')::uuid <> a.human_id
                OR coalesce((s.artefact::jsonb ->> 'retired')::boolean, false) AND a.disabled_at IS NULL END AS bad) AS b
        GROUP BY 1;
    WHEN p_fact = 'closed' THEN RETURN QUERY
        -- whose access ended without an approved change, has an entry that says why
        WITH entry AS MATERIALIZED (
            SELECT l.leaf::jsonb ->> 'account' AS account FROM troth.ledger_leaf l WHERE l.kind = 'people:account:close'
            UNION ALL SELECT l.leaf::jsonb ->> 'account' FROM troth.ledger_pending l WHERE l.kind = 'people:account:close')
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM troth.account a, LATERAL (SELECT a.disabled_why IS NULL OR (a.disabled_why <> 'removed' AND NOT EXISTS (
            SELECT FROM entry e WHERE e.account = a.id::text)) AS bad) AS b
        WHERE a.disabled_at IS NOT NULL GROUP BY 1;
    WHEN p_fact = 'sign-ins' THEN RETURN QUERY
        -- each session of the pages has the entry of its beginning; what ended before its time, that of its end
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(s.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.session WHERE kind = 'page' AND opened_at >= p_since ORDER BY opened_at DESC LIMIT most) AS s
        JOIN troth.account a ON a.id = s.account_id,
        LATERAL (SELECT NOT EXISTS (SELECT FROM troth.access_log l WHERE l.account_id = s.account_id AND l.session_id = s.id
                AND l.kind = 'sign-in' AND l.place IS NOT NULL AND l.detail_ct IS NOT NULL)
            OR s.ended_at IS NOT NULL AND NOT EXISTS (SELECT FROM troth.access_log l WHERE l.account_id = s.account_id
                AND l.session_id = s.id AND l.kind IN ('sign-out', 'session-ended')) AS bad) AS b
        GROUP BY 1;
    WHEN p_fact = 'sign-ins told' THEN RETURN QUERY
        -- the ledger's count of sessions that began is not more than the log's
        WITH entry AS MATERIALIZED (
            SELECT l.tenant_id, l.leaf::jsonb ->> 'session' AS session FROM troth.ledger_leaf l
            WHERE l.kind = 'people:session:open' AND l.at >= p_since ORDER BY l.index DESC LIMIT most)
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(e.session) FILTER (WHERE b.bad)
        FROM entry e, LATERAL (SELECT e.session IS NOT NULL AND NOT EXISTS (
            SELECT FROM troth.access_log l JOIN troth.session s ON s.id = l.session_id AND s.account_id = l.account_id
            WHERE s.id = e.session::uuid AND l.kind = 'sign-in') AS bad) AS b
        GROUP BY 1;
    WHEN p_fact = 'requests' THEN RETURN QUERY
        -- each email of a key was asked for by a request that the log has
        SELECT e.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(e.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.email WHERE id >= troth.uuid7_floor(p_since) AND api_key_id IS NOT NULL
              ORDER BY id DESC LIMIT most) AS e,
        LATERAL (SELECT NOT EXISTS (SELECT FROM troth.api_request r WHERE r.tenant_id = e.tenant_id
                AND r.id >= troth.uuid7_floor(e.created_at - interval '1 minute')
                AND r.id < troth.uuid7_floor(e.created_at + interval '1 minute')
                AND r.api_key_id = e.api_key_id AND r.status BETWEEN 200 AND 299) AS bad) AS b
        GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
