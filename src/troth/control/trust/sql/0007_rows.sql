-- Claims: rows against what the ledger was told of them, so that none is forged, emptied or moved without a word.

CREATE INDEX ledger_leaf_rows ON ledger_leaf (kind) WHERE kind IN (
    'governance:version:revoke', 'governance:change:comment', 'sending:anomaly:raise', 'sending:pause:start',
    'sending:clock:stop', 'privacy:consent:record', 'privacy:consent:withdraw', 'privacy:opt-in:record', 'trust:claim:check',
    'people:session:open', 'people:session:end');

-- Counts by client, as claim_fact_v1's.
CREATE FUNCTION row_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first uuid := troth.uuid7_floor(p_since);
    most CONSTANT integer := 150000;
BEGIN
    CASE p_fact
    WHEN 'overrides' THEN RETURN QUERY
        -- each is what two people approved, of entries that are on the list
        SELECT v.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(v.snapshot_id::text) FILTER (WHERE b.bad)
        FROM troth.suppression_override v LEFT JOIN troth.snapshot s ON s.id = v.snapshot_id,
        LATERAL (SELECT s.id IS NULL OR s.kind <> 'override' OR s.tenant_id IS DISTINCT FROM v.tenant_id
            OR s.artefact::jsonb ->> 'blind_index' IS DISTINCT FROM encode(v.blind_index, 'hex')
            OR (s.artefact::jsonb ->> 'expires_at')::timestamptz IS DISTINCT FROM v.expires_at
            OR EXISTS (SELECT FROM unnest(v.covers) AS c WHERE NOT EXISTS (SELECT FROM troth.suppression e
                       WHERE e.blind_index = v.blind_index AND e.reason || ':' || e.source = c)) AS bad) AS b
        GROUP BY 1;
    WHEN 'releases' THEN RETURN QUERY
        -- what was let go, message or stop, was let go by two people, and then
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.id::text) FILTER (WHERE x.bad)
        FROM (SELECT r.tenant_id, r.message_id AS id, NOT EXISTS (
                  SELECT FROM troth.snapshot s WHERE s.change_id = r.change_id AND s.kind = 'release'
                  AND s.tenant_id = r.tenant_id AND s.approved_at <= r.at + interval '10 minutes'
                  AND (s.subject = r.message_id OR EXISTS (
                      SELECT FROM troth.held_order o JOIN troth.held_mail h ON h.pause_id = o.pause_id
                      WHERE o.change_id = r.change_id AND o.act = 'release' AND h.message_id = r.message_id))) AS bad
              FROM troth.release_order r
              UNION ALL
              SELECT p.tenant_id, p.id, NOT EXISTS (
                  SELECT FROM troth.snapshot s WHERE s.change_id = p.release_change AND s.kind = 'release' AND s.subject = p.id
                  AND s.tenant_id IS NOT DISTINCT FROM p.tenant_id
                  AND abs(extract(epoch FROM s.approved_at - p.released_at)) <= 600)
              FROM troth.pause p WHERE p.released_at IS NOT NULL) AS x
        GROUP BY 1;
    WHEN 'pauses told' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.kind, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'sending:pause:start'
            UNION ALL SELECT l.tenant_id, l.kind, l.leaf::jsonb FROM troth.ledger_leaf l WHERE l.kind = 'sending:clock:stop'
            UNION ALL SELECT l.tenant_id, l.kind, l.leaf::jsonb FROM troth.ledger_pending l
            WHERE l.kind IN ('sending:pause:start', 'sending:clock:stop'))
        SELECT t.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(t.leaf ->> 'pause') FILTER (WHERE b.bad)
        FROM told t, LATERAL (SELECT NOT EXISTS (
            SELECT FROM troth.pause p WHERE p.id = (t.leaf ->> 'pause')::uuid AND p.tenant_id IS NOT DISTINCT FROM t.tenant_id
            AND p.effect = coalesce(t.leaf ->> 'effect', p.effect)
            AND coalesce(p.category_id::text, '') = coalesce(t.leaf ->> 'category', '')) AS bad) AS b
        GROUP BY 1;
    WHEN 'revocations' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'governance:version:revoke'
            UNION ALL SELECT l.tenant_id, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind = 'governance:version:revoke'),
        entry AS (SELECT t.tenant_id, (t.leaf ->> 'snapshot')::uuid AS snapshot_id, (t.leaf ->> 'by')::uuid AS revoked_by FROM told t)
        SELECT coalesce(r.tenant_id, e.tenant_id), count(*), count(*) FILTER (WHERE b.bad),
               min(coalesce(r.snapshot_id, e.snapshot_id)::text) FILTER (WHERE b.bad)
        FROM troth.revocation r FULL JOIN entry e ON e.snapshot_id = r.snapshot_id AND e.revoked_by = r.revoked_by
            AND e.tenant_id IS NOT DISTINCT FROM r.tenant_id,
        LATERAL (SELECT r.snapshot_id IS NULL OR e.snapshot_id IS NULL AS bad) AS b GROUP BY 1;
    WHEN 'comments' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'governance:change:comment'
            UNION ALL SELECT l.tenant_id, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind = 'governance:change:comment')
        SELECT coalesce(c.tenant_id, t.tenant_id), count(*), count(*) FILTER (WHERE b.bad),
               min(coalesce(c.id::text, t.leaf ->> 'comment')) FILTER (WHERE b.bad)
        FROM troth.change_comment c FULL JOIN told t ON (t.leaf ->> 'comment')::uuid = c.id
            AND (t.leaf ->> 'change')::uuid = c.change_id AND (t.leaf ->> 'by')::uuid = c.human_id
            AND t.leaf ->> 'words' = encode(sha256(convert_to(c.words, 'UTF8')), 'hex'),
        LATERAL (SELECT c.id IS NULL OR t.leaf IS NULL AS bad) AS b GROUP BY 1;
    WHEN 'decisions' THEN RETURN QUERY
        -- who proposed, approved and decided, by which account and when, is what the ledger was told then; and nothing is
        -- in force that was retired, nor the other way round
        WITH told AS MATERIALIZED (
            SELECT l.kind, l.at, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind LIKE 'governance:change:%'
            UNION ALL SELECT l.kind, l.at, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind LIKE 'governance:change:%'),
        entry AS MATERIALIZED (
            SELECT split_part(t.kind, ':', 3) AS step, t.at, (t.leaf ->> 'change')::uuid AS change, t.leaf ->> 'by' AS by FROM told t),
        seen AS (
            SELECT a.tenant_id, a.change_id, ARRAY['approve', 'endorse'] AS steps, a.human_id AS by, a.at FROM troth.approval a
            UNION ALL SELECT c.tenant_id, c.id, ARRAY['propose'], c.proposer_human, c.proposed_at FROM troth.change c
            UNION ALL SELECT c.tenant_id, c.id, ARRAY[(ARRAY['', 'approve', 'reject', 'withdraw', 'expire'])[c.state]],
                             c.decider_human, c.decided_at FROM troth.change c WHERE c.state <> 1
            UNION ALL SELECT s.tenant_id, s.change_id, ARRAY['approve'], s.approver_human, s.approved_at FROM troth.snapshot s)
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.id::text) FILTER (WHERE x.bad)
        FROM (SELECT s.tenant_id, s.change_id AS id, NOT EXISTS (
                  SELECT FROM entry e WHERE e.change = s.change_id AND e.step = ANY (s.steps)
                  AND (s.by IS NULL OR e.by = s.by::text) AND abs(extract(epoch FROM e.at - s.at)) <= 600) AS bad
              FROM seen s
              UNION ALL
              SELECT a.tenant_id, a.change_id, NOT EXISTS (SELECT FROM troth.account o WHERE o.id = a.account_id AND o.human_id = a.human_id)
              FROM troth.approval a
              UNION ALL
              SELECT c.tenant_id, c.id, NOT EXISTS (SELECT FROM troth.account o WHERE o.id = c.proposer_account AND o.human_id = c.proposer_human)
              FROM troth.change c
              UNION ALL
              -- what is not of its digest may be no JSON at all: the count of versions says so
              SELECT g.tenant_id, s.change_id, CASE WHEN s.digest = sha256(convert_to(s.artefact, 'UTF8'))
                  THEN g.retired IS DISTINCT FROM coalesce((s.artefact::jsonb ->> 'retired')::boolean, false) ELSE true END
              FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id) AS x
        GROUP BY 1;
    WHEN 'anomalies told' THEN RETURN QUERY
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'sending:anomaly:raise'
            UNION ALL SELECT l.tenant_id, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind = 'sending:anomaly:raise')
        SELECT t.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(t.leaf ->> 'anomaly') FILTER (WHERE b.bad)
        FROM told t, LATERAL (SELECT NOT EXISTS (
            SELECT FROM troth.anomaly a WHERE a.id = (t.leaf ->> 'anomaly')::uuid AND a.tenant_id = t.tenant_id
            AND a.pause_id = (t.leaf ->> 'pause')::uuid AND a.cause = t.leaf ->> 'cause' AND a.action = t.leaf ->> 'action'
            AND to_char(a.review_due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') = t.leaf ->> 'review') AS bad) AS b
        GROUP BY 1;
    WHEN 'consents told' THEN RETURN QUERY
        -- as many as were told, the first of each telling among them; of one that was told alone, all that it says
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'privacy:consent:record'
            UNION ALL SELECT l.tenant_id, l.leaf::jsonb FROM troth.ledger_leaf l WHERE l.kind = 'privacy:consent:withdraw'
            UNION ALL SELECT l.tenant_id, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind LIKE 'privacy:consent:%'),
        one AS (
            SELECT t.tenant_id, t.leaf ->> 'consent' AS id, (t.leaf ->> 'count')::bigint AS n, NOT EXISTS (
                SELECT FROM troth.consent c WHERE c.id = (t.leaf ->> 'consent')::uuid AND c.tenant_id = t.tenant_id
                AND ((t.leaf ->> 'count')::bigint > 1 OR t.leaf ->> 'digest' = encode(sha256(convert_to(concat_ws('|', c.id,
                    c.person_id, coalesce(c.category_id::text, ''), c.kind, c.basis, (extract(epoch FROM c.at) * 1000000)::bigint,
                    coalesce(((extract(epoch FROM c.expires_at) * 1000000)::bigint)::text, ''),
                    encode(sha256(coalesce(c.detail_ct, ''::bytea)), 'hex')), 'UTF8')), 'hex'))) AS bad
            FROM told t),
        kept AS (SELECT c.tenant_id, count(*) AS n FROM troth.consent c GROUP BY 1),
        summed AS (SELECT o.tenant_id, sum(o.n)::bigint AS n, count(*) FILTER (WHERE o.bad) AS bad,
                          min(o.id) FILTER (WHERE o.bad) AS example FROM one o GROUP BY 1)
        SELECT coalesce(s.tenant_id, k.tenant_id), coalesce(s.n, 0),
               coalesce(s.bad, 0) + abs(coalesce(s.n, 0) - coalesce(k.n, 0)), coalesce(s.example, 'another number')
        FROM summed s FULL JOIN kept k ON k.tenant_id = s.tenant_id;
    WHEN 'opt-ins told' THEN RETURN QUERY
        -- a way back from an opt-out that nobody asked for would let mail go where it may not
        WITH told AS MATERIALIZED (
            SELECT l.leaf::jsonb ->> 'digest' AS digest FROM troth.ledger_leaf l WHERE l.kind = 'privacy:opt-in:record'
            UNION ALL SELECT l.leaf::jsonb ->> 'digest' FROM troth.ledger_pending l WHERE l.kind = 'privacy:opt-in:record')
        SELECT i.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(i.category_id::text) FILTER (WHERE b.bad)
        FROM troth.opt_in i, LATERAL (SELECT NOT EXISTS (
            SELECT FROM told t WHERE t.digest = troth.opt_in_digest(i)) AS bad) AS b
        GROUP BY 1;
    WHEN 'claims told' THEN RETURN QUERY
        -- what claims stood at is what the ledger was told, neither more nor less, and they stand at the newest of it
        WITH told AS MATERIALIZED (
            SELECT l.leaf_hash, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind = 'trust:claim:check' AND l.at >= p_since
            UNION ALL SELECT l.leaf_hash, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind = 'trust:claim:check'),
        kept AS (SELECT * FROM troth.claim_history h WHERE h.entry IS NOT NULL AND h.checked_at >= p_since + interval '1 hour')
        SELECT NULL::uuid, count(*), count(*) FILTER (WHERE x.bad), min(x.id) FILTER (WHERE x.bad)
        FROM (SELECT h.claim || ' ' || h.id AS id, t.leaf IS NULL OR t.leaf ->> 'claim' <> h.claim OR t.leaf ->> 'state' <> h.state
                  OR t.leaf ->> 'programme' <> coalesce(h.programme_id::text, '') OR t.leaf ->> 'was' <> coalesce(h.was, '')
                  OR t.leaf ->> 'row' <> h.id::text OR t.leaf ->> 'checked_at' <> ((extract(epoch FROM h.checked_at) * 1000000)::bigint)::text
                  OR t.leaf ->> 'evidence' <> encode(sha256(convert_to(h.evidence, 'UTF8')), 'hex') AS bad
              FROM kept h LEFT JOIN told t ON t.leaf_hash = h.entry
              UNION ALL
              SELECT t.leaf ->> 'claim', true FROM told t WHERE t.leaf ? 'row'
              AND NOT EXISTS (SELECT FROM troth.claim_history h WHERE h.id = (t.leaf ->> 'row')::bigint)
              UNION ALL
              SELECT k.claim, true FROM troth.claim_state k WHERE k.state IS DISTINCT FROM (
                  SELECT h.state FROM troth.claim_history h WHERE h.claim = k.claim
                  AND h.programme_id IS NOT DISTINCT FROM k.programme_id ORDER BY h.id DESC LIMIT 1)) AS x;
    WHEN 'sessions told' THEN RETURN QUERY
        -- each session of the pages began when the ledger was told, and of one that was ended the log has as many entries
        WITH told AS MATERIALIZED (
            SELECT l.tenant_id, l.kind, l.at, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l
            WHERE l.kind = 'people:session:open' AND l.at >= p_since
            UNION ALL SELECT l.tenant_id, l.kind, l.at, l.leaf::jsonb FROM troth.ledger_leaf l
            WHERE l.kind = 'people:session:end' AND l.at >= p_since
            UNION ALL SELECT l.tenant_id, l.kind, l.at, l.leaf::jsonb FROM troth.ledger_pending l WHERE l.kind LIKE 'people:session:%'),
        begun AS MATERIALIZED (
            SELECT (t.leaf ->> 'session')::uuid AS id, (t.leaf ->> 'account')::uuid AS account_id, t.at FROM told t
            WHERE t.kind = 'people:session:open'),
        written AS (
            SELECT l.account_id, l.session_id, count(*) AS n FROM troth.access_log l
            WHERE l.id >= first AND l.session_id IS NOT NULL GROUP BY 1, 2)
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.id) FILTER (WHERE x.bad)
        FROM (SELECT a.tenant_id, s.id::text AS id, NOT EXISTS (
                  SELECT FROM begun b WHERE b.id = s.id AND b.account_id = s.account_id
                  AND abs(extract(epoch FROM b.at - s.opened_at)) <= 600) AS bad
              FROM troth.session s JOIN troth.account a ON a.id = s.account_id
              WHERE s.kind = 'page' AND s.opened_at >= p_since + interval '1 hour'
              UNION ALL
              SELECT t.tenant_id, t.leaf ->> 'session', coalesce(w.n, 0) < (t.leaf ->> 'entries')::bigint
              FROM told t LEFT JOIN written w ON w.session_id = (t.leaf ->> 'session')::uuid
                  AND w.account_id = (t.leaf ->> 'account')::uuid
              WHERE t.kind = 'people:session:end' AND t.leaf ? 'entries' AND t.at >= p_since + interval '1 day') AS x
        GROUP BY 1;
    WHEN 'clients' THEN RETURN QUERY
        -- whose clients they are, and on which plan and clock they are counted, is what was approved
        SELECT t.id, count(*), count(*) FILTER (WHERE b.bad), min(t.id::text) FILTER (WHERE b.bad)
        FROM troth.tenant t, LATERAL (SELECT NOT EXISTS (
            SELECT FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id, LATERAL (SELECT s.artefact::jsonb AS a) AS x
            WHERE g.subject = t.id AND s.kind = 'tenant' AND a ->> 'plan' = t.plan AND a ->> 'timezone' = t.timezone
              AND (a ->> 'kind')::smallint = t.kind AND (a ->> 'programme')::uuid = t.programme_id) AS bad) AS b
        GROUP BY 1;
    WHEN 'links' THEN RETURN QUERY
        -- no link served after its end or more often than it may; and what it confirmed came with what its way asks for
        SELECT c.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(c.person_id::text) FILTER (WHERE b.bad)
        FROM troth.confirmation c JOIN troth.person p ON p.id = c.person_id,
        LATERAL (SELECT coalesce(c.used_at > c.expires_at + interval '1 minute', false) OR c.tries > 5
            OR (c.pathway = 'vendor-agreement') <> (c.agreement IS NOT NULL) OR c.pathway = 'multi-step' AND c.code_hash IS NULL
            OR p.status = 2 AND p.pathway = 'vendor-agreement' AND p.agreement IS NULL AS bad) AS b
        GROUP BY 1;
    WHEN 'keys' THEN RETURN QUERY
        -- what a key may beside its scope is what was approved; one that was retired stays as it was
        SELECT k.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(k.id::text) FILTER (WHERE b.bad)
        FROM troth.api_key k LEFT JOIN troth.snapshot s ON s.id = k.snapshot_id,
        LATERAL (SELECT NOT coalesce((s.artefact::jsonb ->> 'retired')::boolean, false) AND (
            k.mode <> CASE WHEN s.artefact::jsonb ->> 'mode' = 'test' THEN 2 ELSE 1 END
            OR k.prefix IS DISTINCT FROM s.artefact::jsonb ->> 'prefix'
            OR k.networks IS DISTINCT FROM ARRAY(SELECT x::cidr FROM jsonb_array_elements_text(
                coalesce(s.artefact::jsonb -> 'networks', '[]')) AS x)) AS bad) AS b
        GROUP BY 1;
    WHEN 'clients counted', 'keys counted', 'templates counted' THEN RETURN QUERY
        -- what was accepted is counted in some window, its own or a later one: all together hold no fewer. What was called
        -- back is given back; mail that asks somebody to confirm is counted by the client for which it asks
        WITH taken AS (
            SELECT o.tenant_id, CASE p_fact WHEN 'clients counted' THEN o.tenant_id WHEN 'keys counted' THEN e.api_key_id
                                ELSE coalesce(v.subject, e.category_id) END AS subject, count(*) AS n
            FROM (SELECT m.id, m.tenant_id, m.email_id, m.state FROM troth.message m WHERE m.id >= first ORDER BY m.id DESC LIMIT most) AS o
            JOIN troth.tenant t ON t.id = o.tenant_id AND t.kind = 1
            JOIN troth.email e ON e.id = o.email_id LEFT JOIN troth.api_key k ON k.id = e.api_key_id
            LEFT JOIN troth.snapshot v ON v.id = e.template_snapshot
            WHERE k.mode IS DISTINCT FROM 2 AND o.state <> 12
              AND (p_fact <> 'keys counted' OR e.api_key_id IS NOT NULL)
            GROUP BY 1, 2),
        summed AS (
            SELECT c.tenant_id, c.subject, sum(c.used) AS n FROM troth.rate_counter c
            WHERE c.scope = CASE p_fact WHEN 'clients counted' THEN 2 WHEN 'keys counted' THEN 3 ELSE 4 END
              AND c.window_start > p_since - interval '26 hours' GROUP BY 1, 2)
        SELECT x.tenant_id, sum(x.n)::bigint, sum(greatest(0, x.n - coalesce(r.n, 0)))::bigint,
               min(x.subject::text) FILTER (WHERE x.n > coalesce(r.n, 0))
        FROM taken x LEFT JOIN summed r USING (tenant_id, subject) GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;

-- Of these event leaf hashes, which a batch seals, those without a row of that time.
CREATE FUNCTION events_gone_v1(p_hashes bytea[], p_from timestamptz, p_until timestamptz) RETURNS SETOF bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h FROM unnest(p_hashes) AS h
    EXCEPT SELECT e.leaf_hash FROM troth.event e WHERE e.at >= p_from AND e.at <= p_until
$$;

-- The first rows of a part of the suppression list's feed, up to the id p_until: how many, and their digest, which no later
-- row changes; `settled`: the newest id that no open transaction stands before.
CREATE FUNCTION suppression_digest_v1(p_part integer, p_parts integer, p_until bigint)
RETURNS TABLE (n bigint, digest text, settled bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    long_ago timestamptz := troth.now_v1() - interval '1 hour';
    low bytea := substring(int8send((p_part::bigint << 32) / p_parts) FROM 5);
    high bytea := CASE WHEN p_part + 1 = p_parts THEN decode(repeat('ff', 33), 'hex')
                       ELSE substring(int8send(((p_part + 1)::bigint << 32) / p_parts) FROM 5) END;
BEGIN
    RETURN QUERY
    SELECT count(*), encode(sha256(coalesce(string_agg(f.blind_index || int2send(f.reason), ''::bytea
                                                       ORDER BY f.blind_index, f.reason), ''::bytea)), 'hex'),
           coalesce((SELECT o.id FROM troth.suppression_feed o WHERE o.created_at <= long_ago ORDER BY o.id DESC LIMIT 1), 0)
    FROM troth.suppression_feed f WHERE f.blind_index >= low AND f.blind_index < high AND f.id <= p_until;
END $$;
