-- What the controls of CMP-1 to CMP-3 and FBL-2 try and count.

-- One attempt, made as the tables' owner and undone whatever comes of it. 'complaint': a whole one is carried out on the newest
-- message that nobody complained about, and what it set in motion is looked at; its answer names what was missing, or is
-- 'carried out'. Of all else the SQLSTATE of the refusal, or 'accepted'.
CREATE FUNCTION complaint_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    made uuid := troth.uuid7_now();
    m troth.message;
    said text := 'carried out';
BEGIN
    SELECT * INTO m FROM troth.message x WHERE NOT EXISTS (SELECT FROM troth.complaint c WHERE c.message_id = x.id)
        AND NOT EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = x.blind_index AND s.reason IN (2, 4))
        AND x.created_at > now - interval '90 days' ORDER BY x.id DESC LIMIT 1;
    IF m.id IS NULL OR (p_name LIKE 'change-%' AND NOT EXISTS (SELECT FROM troth.complaint))
       OR (p_name = 'change-mark' AND NOT EXISTS (SELECT FROM troth.template_flag)) THEN
        RETURN 'nothing there';
    END IF;
    IF p_name IN ('complaint', 'without-suppression', 'without-event', 'without-case') THEN
        IF p_name <> 'without-suppression' THEN
            PERFORM troth.suppress_v1(ARRAY[m.blind_index], ARRAY[2::smallint], ARRAY['attempt'], ARRAY[m.tenant_id], ARRAY[NULL::bytea]);
        END IF;
        IF p_name <> 'without-event' THEN
            INSERT INTO troth.event (message_id, kind, source_key, tenant_id, at, leaf_hash)
            VALUES (m.id, 14, 'attempt', m.tenant_id, now, sha256('attempt'));
        END IF;
        PERFORM troth.case_open_v1(made, 'incident', 'complaint', 'complaint:attempt', 'An attempt', '', m.tenant_id, NULL,
            CASE WHEN p_name = 'without-case' THEN NULL ELSE m.id END, NULL, NULL, ARRAY['review'], ARRAY[now + interval '1 hour'], NULL);
        PERFORM troth.complaint_v1(made, m.id, 'attempt', made, NULL, 'attempt', 'abuse', now);
        IF NOT EXISTS (SELECT FROM troth.complaint c WHERE c.id = made) THEN
            said := 'no record';
        ELSIF EXISTS (SELECT FROM troth.complaint c WHERE c.id = made AND c.template_snapshot IS NOT NULL AND NOT EXISTS (
            SELECT FROM troth.template_flag f WHERE f.snapshot_id = c.template_snapshot AND f.cleared_at IS NULL)) THEN
            said := 'no mark';
        END IF;
        IF p_name = 'complaint' THEN
            RAISE EXCEPTION '%', said USING ERRCODE = 'TR002';
        END IF;
    END IF;
    CASE p_name
    WHEN 'without-suppression', 'without-event', 'without-case' THEN NULL;
    WHEN 'change-complaint' THEN UPDATE troth.complaint SET came_at = at;
    WHEN 'change-delete' THEN DELETE FROM troth.complaint;
    WHEN 'change-mark' THEN DELETE FROM troth.template_flag;
    WHEN 'let-go' THEN
        INSERT INTO troth.pause (id, tenant_id, effect, reason, started_by, started_at)
        VALUES (made, m.tenant_id, 'stop-delivery', 'an attempt', 'complaints', now);
        PERFORM troth.case_open_v1(troth.uuid7_now(), 'incident', 'complaint-pattern', 'complaints:' || made, 'An attempt', '',
            m.tenant_id, NULL, NULL, NULL, NULL, '{}', '{}', NULL);
        UPDATE troth.pause SET released_at = now + interval '1 second', release_change = (SELECT id FROM troth.change LIMIT 1)
        WHERE id = made;
    ELSE
        RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
    END CASE;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN SQLSTATE 'TR002' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Counts by client: how many there are of a fact, how many of them are not as promised, and one of those.
CREATE FUNCTION complaint_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first uuid := troth.uuid7_floor(p_since);
    moment interval := interval '1 minute'; -- one transaction, its clocks several readings
BEGIN
    CASE p_fact
    WHEN 'told' THEN RETURN QUERY -- each event has its record, and each record its event
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, NOT EXISTS (SELECT FROM troth.complaint c WHERE c.message_id = e.message_id
                  AND c.source_key = e.source_key AND c.at BETWEEN e.at - moment AND e.at + moment) AS bad
              FROM troth.event e WHERE e.kind = 14 AND e.message_id >= first
              UNION ALL
              SELECT c.tenant_id, c.message_id, true FROM troth.complaint c WHERE c.message_id >= first
              AND NOT EXISTS (SELECT FROM troth.event e WHERE e.message_id = c.message_id AND e.kind = 14
                              AND e.source_key = c.source_key)) AS x
        GROUP BY 1;
    WHEN 'suppressed' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT c.tenant_id, c.message_id, NOT EXISTS (
                  SELECT FROM troth.message m JOIN troth.suppression s ON s.blind_index = m.blind_index
                  WHERE m.id = c.message_id AND s.reason IN (2, 4) AND s.created_at <= c.at + moment) AS bad
              FROM troth.complaint c WHERE c.at >= p_since AND c.message_id >= first) AS x
        GROUP BY 1;
    WHEN 'cases' THEN RETURN QUERY -- an incident, with its clock of review and what is known of the recipient
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT c.tenant_id, c.message_id, NOT EXISTS (
                  SELECT FROM troth.case_file f JOIN troth.case_clock k ON k.case_id = f.id AND k.name = 'review'
                  JOIN troth.case_entry e ON e.id = f.id
                  WHERE f.id = c.case_id AND f.kind = 'incident' AND f.tenant_id = c.tenant_id AND f.opened_at <= c.at + moment
                  AND e.words_ct IS NOT NULL) AS bad
              FROM troth.complaint c WHERE c.at >= p_since) AS x
        GROUP BY 1;
    WHEN 'reviews', 'client-success' THEN RETURN QUERY
        -- Reopened before it was due, or within a day of being resolved, an incident was not reviewed: the time that it had
        -- goes on. One that is open without any clock is late.
        WITH RECURSIVE k AS MATERIALIZED (
            SELECT f.id, f.tenant_id, f.reference, c.started_at, c.due_at, c.met_at, c.void_at,
                   row_number() OVER (PARTITION BY f.id ORDER BY c.round) AS i
            FROM troth.case_file f JOIN troth.case_clock c ON c.case_id = f.id
            WHERE f.kind = 'incident' AND f.cause = 'complaint' AND f.opened_at >= p_since
              AND c.name = CASE p_fact WHEN 'reviews' THEN 'review' ELSE 'told' END),
        e AS (
            SELECT k.*, k.due_at AS ends FROM k WHERE k.i = 1
            UNION ALL
            SELECT k.*, CASE WHEN k.started_at < greatest(e.ends, e.met_at + interval '1 day') THEN least(e.ends, k.due_at)
                             ELSE k.due_at END
            FROM e JOIN k ON k.id = e.id AND k.i = e.i + 1),
        x AS (
            SELECT e.tenant_id, e.reference, e.void_at IS NULL AND coalesce(e.met_at, troth.now_v1()) > e.ends AS late FROM e
            UNION ALL
            SELECT f.tenant_id, f.reference, true FROM troth.case_file f
            WHERE p_fact = 'reviews' AND f.kind = 'incident' AND f.cause = 'complaint' AND f.opened_at >= p_since
              AND f.state IN ('open', 'acknowledged') AND NOT EXISTS (SELECT FROM troth.case_clock c WHERE c.case_id = f.id
                  AND c.name = 'review' AND c.met_at IS NULL AND c.void_at IS NULL))
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.late), min(x.reference) FILTER (WHERE x.late) FROM x GROUP BY 1;
    WHEN 'findings' THEN RETURN QUERY -- what the review found is written down
        SELECT f.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(f.reference) FILTER (WHERE b.bad)
        FROM troth.case_file f, LATERAL (SELECT NOT EXISTS (SELECT FROM troth.case_entry e WHERE e.case_id = f.id AND e.kind = 'resolve'
            AND e.by_account IS NOT NULL AND octet_length(e.words_ct) >= 40) AS bad) AS b
        WHERE f.kind = 'incident' AND f.cause = 'complaint' AND f.opened_at >= p_since AND f.state IN ('resolved', 'closed')
        GROUP BY 1;
    WHEN 'marks' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT c.tenant_id, c.message_id,
                     NOT EXISTS (SELECT FROM troth.template_flag f WHERE f.snapshot_id = c.template_snapshot
                                 AND f.since <= c.at + moment AND (f.cleared_at IS NULL OR f.cleared_at >= c.at))
                     OR EXISTS (SELECT FROM troth.message m JOIN troth.email e ON e.id = m.email_id
                                WHERE m.id = c.message_id AND e.template_snapshot IS DISTINCT FROM c.template_snapshot) AS bad
              FROM troth.complaint c JOIN troth.message y ON y.id = c.message_id
              JOIN troth.email z ON z.id = y.email_id AND z.template_snapshot IS NOT NULL
              WHERE c.at >= p_since AND c.message_id >= first) AS x
        GROUP BY 1;
    WHEN 'sent while stopped' THEN RETURN QUERY -- what was on the wire when the stop began has two minutes to be recorded
        SELECT p.tenant_id, count(*), count(*) FILTER (WHERE s.bad), min(p.id::text) FILTER (WHERE s.bad)
        FROM troth.pause p, LATERAL (SELECT EXISTS (SELECT FROM troth.event e WHERE e.tenant_id = p.tenant_id AND e.kind = 8
            AND e.message_id >= first AND e.at > p.started_at + interval '2 minutes'
            AND e.at < coalesce(p.released_at, 'infinity')) AS bad) AS s
        WHERE p.started_by = 'complaints' AND p.started_at >= p_since GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;

-- The clocks of complaints' incidents, as they were started (`opened_at`: of a later round, when that began): whether their times are the promise's is for the control.
CREATE FUNCTION complaint_clocks_v1(p_tenant uuid, p_since timestamptz)
RETURNS TABLE (reference text, name text, opened_at timestamptz, due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT f.reference, k.name, CASE k.round WHEN 1 THEN f.opened_at ELSE k.started_at END, k.due_at
    FROM troth.looked_at() AS own, troth.case_file f JOIN troth.case_clock k ON k.case_id = f.id
    WHERE f.tenant_id = p_tenant AND (own IS NULL OR own = p_tenant) AND f.kind = 'incident' AND f.cause = 'complaint'
      AND f.opened_at >= p_since
    ORDER BY f.opened_at DESC LIMIT 2000
$$;

-- How many of a client's complaints made a pattern of p_number messages within p_hours, and how many of those stopped nobody.
CREATE FUNCTION complaint_patterns_v1(p_tenant uuid, p_number integer, p_hours integer, p_since timestamptz)
RETURNS TABLE (n bigint, unstopped bigint, example text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT count(*), count(*) FILTER (WHERE NOT x.stopped), min(x.id::text) FILTER (WHERE NOT x.stopped)
    FROM (SELECT c.id,
                 EXISTS (SELECT FROM troth.pause p WHERE p.tenant_id = p_tenant AND p.started_by = 'complaints'
                         AND p.effect = 'stop-delivery' AND p.started_at <= c.at + interval '1 minute'
                         AND (p.released_at IS NULL OR p.released_at > c.at)) AS stopped
          FROM troth.looked_at() AS own, troth.complaint c
          WHERE c.tenant_id = p_tenant AND (own IS NULL OR own = p_tenant) AND c.at >= p_since AND p_number <= (
              SELECT count(DISTINCT o.message_id) FROM troth.complaint o WHERE o.tenant_id = p_tenant AND o.at <= c.at
              AND o.at > greatest(c.at - make_interval(hours => p_hours), (
                  SELECT max(p.released_at) FROM troth.pause p WHERE p.tenant_id = p_tenant AND p.started_by = 'complaints'
                  AND p.released_at <= c.at)))
          ORDER BY c.at DESC LIMIT 2000) AS x
$$;

-- How long it took from a report's arrival until all that it sets in motion was done: counts by client.
CREATE FUNCTION complaint_times_v1(p_tenant uuid, p_within interval, p_since timestamptz)
RETURNS TABLE (n bigint, within bigint, slowest interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT count(*), count(*) FILTER (WHERE c.at - c.came_at <= p_within), max(c.at - c.came_at)
    FROM troth.looked_at() AS own, troth.complaint c
    WHERE c.tenant_id = p_tenant AND (own IS NULL OR own = p_tenant) AND c.at >= p_since
$$;
