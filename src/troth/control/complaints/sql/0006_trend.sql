-- The trend of complaints: what was complained about beside what was sent, by week, client, template and provider. Sent
-- messages are counted before they are asked about: a client's by the sequencer (event_tally), a template's here.

-- How many messages that were accepted in an hour (UTC) for a template were sent by then.
CREATE TABLE template_hour (
    tenant_id uuid NOT NULL REFERENCES tenant,
    subject   uuid NOT NULL REFERENCES governed (subject),
    hour      timestamptz NOT NULL,
    sent      bigint NOT NULL CHECK (sent > 0),
    PRIMARY KEY (tenant_id, subject, hour)
);
CREATE INDEX template_hour_hour ON template_hour (hour);

-- Hours that were counted, and when.
CREATE TABLE template_hour_read (
    hour    timestamptz PRIMARY KEY,
    read_at timestamptz NOT NULL
);

-- Counts the hours that are due, the newest first, p_most of them; how many. Of the time before it first ran, and of one
-- that the clock leapt over, only hours in which something happened are due: an empty one keeps none of them waiting. An
-- hour is counted while it lasts (every ten minutes), when it is over, and every six hours for three days more: what was
-- put off is sent later.
CREATE FUNCTION template_hours_v1(p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    first timestamptz := date_trunc('hour', now - interval '92 days', 'UTC');
    due timestamptz;
    counted integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7424, 1);
    FOR due IN
        SELECT h FROM generate_series(first, date_trunc('hour', now, 'UTC'), interval '1 hour') AS h
        LEFT JOIN troth.template_hour_read r ON r.hour = h
        WHERE (r.hour IS NULL AND (h + interval '1 hour' > now OR EXISTS (
                  -- what is accepted as an hour ends happens in the next
                  SELECT FROM troth.event_tally y WHERE y.hour IN (h, h + interval '1 hour'))))
           OR (r.read_at < h + interval '1 hour' AND (now - r.read_at >= interval '10 minutes' OR now >= h + interval '1 hour'))
           OR (r.read_at < h + interval '3 days' AND now - r.read_at >= interval '6 hours')
        ORDER BY h DESC LIMIT p_most
    LOOP
        INSERT INTO troth.template_hour AS t (tenant_id, subject, hour, sent)
        SELECT m.tenant_id, s.subject, due, count(*)
        FROM troth.message m
        JOIN troth.email e ON e.id = m.email_id AND e.template_snapshot IS NOT NULL
        JOIN troth.snapshot s ON s.id = e.template_snapshot
        WHERE m.id >= troth.uuid7_floor(due) AND m.id < troth.uuid7_floor(due + interval '1 hour')
          AND (m.state IN (5, 6) OR (m.state IN (7, 8) AND EXISTS (SELECT FROM troth.event v WHERE v.message_id = m.id AND v.kind = 8)))
        GROUP BY 1, 2
        ON CONFLICT (tenant_id, subject, hour) DO UPDATE SET sent = excluded.sent WHERE t.sent < excluded.sent;
        INSERT INTO troth.template_hour_read AS r (hour, read_at) VALUES (due, now)
        ON CONFLICT (hour) DO UPDATE SET read_at = excluded.read_at;
        counted := counted + 1;
    END LOOP;
    RETURN counted;
END $$;

-- Clients of whom figures are shown: the one that is looked at; else the one that is asked for, or all.
CREATE FUNCTION complaint_clients(p_client uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id FROM troth.looked_at() AS own, troth.tenant t
    WHERE (own IS NULL OR t.id = own) AND (p_client IS NULL OR t.id = p_client)
$$;

-- What was sent, by client and week (Monday, UTC) in [p_from, p_until): of one template, or of all.
CREATE FUNCTION complaint_sent(p_clients uuid[], p_from timestamptz, p_until timestamptz, p_template uuid)
RETURNS TABLE (tenant_id uuid, week date, sent bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    SELECT g.tenant_id, (g.week AT TIME ZONE 'UTC')::date,
           greatest(coalesce(sum(g.n) FILTER (WHERE g.kind = 8), 0), coalesce(sum(g.n) FILTER (WHERE g.kind = 10), 0))::bigint
    FROM (SELECT y.tenant_id, date_bin('7 days', y.hour, timestamptz '2024-01-01 00:00Z') AS week, y.kind, y.n
          FROM troth.event_tally y
          WHERE p_template IS NULL AND y.tenant_id = ANY (p_clients) AND y.kind IN (8, 10) AND y.hour >= p_from AND y.hour < p_until
          UNION ALL
          SELECT h.tenant_id, date_bin('7 days', h.hour, timestamptz '2024-01-01 00:00Z'), 8, h.sent
          FROM troth.template_hour h
          WHERE h.subject = p_template AND h.tenant_id = ANY (p_clients) AND h.hour >= p_from AND h.hour < p_until) AS g
    GROUP BY g.tenant_id, g.week
$$;

-- Complaints in [p_from, p_until), a message counted once, by whoever told first. `source`: the loop's id, or how else it came.
CREATE FUNCTION complaint_told(p_clients uuid[], p_from timestamptz, p_until timestamptz, p_template uuid, p_source text)
RETURNS TABLE (tenant_id uuid, subject uuid, source text, at timestamptz, case_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    SELECT c.tenant_id, c.template_subject, coalesce(c.loop_id::text, c.via), c.at, c.case_id
    FROM troth.complaint c
    WHERE c.tenant_id = ANY (p_clients) AND c.at >= p_from AND c.at < p_until
      AND (p_template IS NULL OR c.template_subject = p_template)
      AND (p_source IS NULL OR coalesce(c.loop_id::text, c.via) = p_source)
      AND NOT EXISTS (SELECT FROM troth.complaint o WHERE o.message_id = c.message_id AND (o.at, o.id) < (c.at, c.id))
$$;

CREATE FUNCTION complaint_weeks_v1(p_from timestamptz, p_until timestamptz, p_client uuid, p_template uuid, p_source text)
RETURNS TABLE (week date, sent bigint, complained bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH mine AS MATERIALIZED (SELECT array_agg(c) AS ids FROM troth.complaint_clients(p_client) AS c)
    SELECT g.week, sum(g.sent)::bigint, sum(g.complained)::bigint
    FROM (SELECT s.week, s.sent, 0 AS complained FROM mine, troth.complaint_sent(mine.ids, p_from, p_until, p_template) AS s
          UNION ALL
          SELECT (date_trunc('week', t.at, 'UTC') AT TIME ZONE 'UTC')::date, 0, 1
          FROM mine, troth.complaint_told(mine.ids, p_from, p_until, p_template, p_source) AS t) AS g
    GROUP BY 1 ORDER BY 1
$$;

-- The same by client, template or source; the most complaints first. `flagged`: the template waits for its review.
-- Of a source nothing is sent: who reads where is not kept. `subject` NULL: what had no template.
CREATE FUNCTION complaint_by_v1(p_by text, p_from timestamptz, p_until timestamptz, p_client uuid, p_template uuid, p_source text,
                                p_most integer)
RETURNS TABLE (id text, name text, client text, sent bigint, complained bigint, last_at timestamptz, case_id uuid, reference text,
               flagged boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH mine AS MATERIALIZED (SELECT array_agg(c) AS ids FROM troth.complaint_clients(p_client) AS c),
    told AS (
        SELECT CASE p_by WHEN 'client' THEN t.tenant_id::text WHEN 'template' THEN t.subject::text ELSE t.source END AS id,
               CASE WHEN p_by = 'template' THEN t.tenant_id END AS tenant_id, count(*) AS n, max(t.at) AS last_at,
               (array_agg(t.case_id ORDER BY t.at DESC))[1] AS case_id
        FROM mine, troth.complaint_told(mine.ids, p_from, p_until, p_template, p_source) AS t GROUP BY 1, 2),
    sent AS (
        SELECT s.tenant_id::text AS id, NULL::uuid AS tenant_id, sum(s.sent) AS n
        FROM mine, troth.complaint_sent(mine.ids, p_from, p_until, p_template) AS s WHERE p_by = 'client' GROUP BY 1
        UNION ALL
        SELECT h.subject::text, h.tenant_id, sum(h.sent) FROM mine, troth.template_hour h
        WHERE p_by = 'template' AND h.tenant_id = ANY (mine.ids) AND h.hour >= p_from AND h.hour < p_until
          AND (p_template IS NULL OR h.subject = p_template) GROUP BY 1, 2),
    both_of AS (
        SELECT coalesce(t.id, s.id) AS id, coalesce(t.tenant_id, s.tenant_id) AS tenant_id, coalesce(s.n, 0) AS sent,
               coalesce(t.n, 0) AS complained, t.last_at, t.case_id
        FROM told t FULL JOIN sent s ON s.id = t.id AND s.tenant_id IS NOT DISTINCT FROM t.tenant_id
        ORDER BY 4 DESC, 3 DESC, 1 LIMIT p_most)
    SELECT b.id, coalesce(CASE p_by WHEN 'client' THEN (SELECT n.name FROM troth.tenant n WHERE n.id = b.id::uuid)
               WHEN 'template' THEN (SELECT g.code FROM troth.governed g WHERE g.subject = b.id::uuid)
               ELSE (SELECT l.provider FROM troth.feedback_loop l WHERE l.id::text = b.id) END, b.id, ''),
           (SELECT n.name FROM troth.tenant n WHERE n.id = b.tenant_id), b.sent::bigint, b.complained, b.last_at, b.case_id,
           (SELECT f.reference FROM troth.case_file f WHERE f.id = b.case_id),
           p_by = 'template' AND EXISTS (SELECT FROM troth.template_flag f WHERE f.subject::text = b.id AND f.cleared_at IS NULL)
    FROM both_of b ORDER BY b.complained DESC, b.sent DESC, 2, 1
$$;

-- What there is to choose from: clients, templates that were sent or complained about, sources that told.
CREATE FUNCTION complaint_choices_v1(p_from timestamptz, p_client uuid, p_most integer) RETURNS TABLE (what text, id text, name text, client text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH mine AS MATERIALIZED (SELECT array_agg(c) AS ids FROM troth.complaint_clients(p_client) AS c)
    (SELECT 'client', t.id::text, t.name, NULL FROM troth.looked_at() AS own, troth.tenant t
     WHERE own IS NULL AND t.kind = 1 ORDER BY t.name LIMIT p_most)
    UNION ALL
    (SELECT 'template', g.subject::text, g.code, t.name FROM mine, troth.governed g JOIN troth.tenant t ON t.id = g.tenant_id
     WHERE g.kind = 'template' AND g.tenant_id = ANY (mine.ids) ORDER BY g.code, t.name LIMIT p_most)
    UNION ALL
    (SELECT 'source', x.id, coalesce((SELECT l.provider FROM troth.feedback_loop l WHERE l.id::text = x.id), x.id), NULL
     FROM (SELECT DISTINCT t.source AS id FROM mine, troth.complaint_told(mine.ids, p_from, 'infinity', NULL, NULL) AS t) AS x
     ORDER BY 3 LIMIT p_most)
$$;

-- Until when messages were counted by template; NULL: never.
CREATE FUNCTION template_hours_read_v1() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT r.read_at FROM troth.template_hour_read r ORDER BY r.hour DESC LIMIT 1 $$;
