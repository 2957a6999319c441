-- Claims about how much is sent: what the controls of LIM-1, LIM-2 and EML-6 count and try.

-- Counts over all clients, by client: how many there are, how many are wrong, and one that is.
CREATE FUNCTION limit_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first uuid := troth.uuid7_floor(p_since);
    most integer := 150000; -- the newest so many: a check takes seconds, whatever there is
BEGIN
    CASE p_fact
    WHEN 'client-counters', 'template-counters' THEN RETURN QUERY
        -- a counter above its cap, or a cap above every number that its programme ever promised
        SELECT r.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(r.subject::text) FILTER (WHERE b.bad)
        FROM troth.rate_counter r
        JOIN troth.tenant t ON t.id = r.tenant_id JOIN troth.programme p ON p.id = t.programme_id
        CROSS JOIN LATERAL (SELECT max((s.artefact::jsonb -> 'limits' ->> (
                ARRAY['tenant_hour', 'tenant_day', 'key_hour', 'template_hour', 'recipient_template_day'])[r.scope])::bigint) AS most
            FROM troth.snapshot s WHERE s.kind = 'policy' AND s.tenant_id IS NULL AND s.code = 'programme:' || p.code) AS promised
        -- what one address is asked by all clients together stands with a system tenant, and is no promise of its programme
        CROSS JOIN LATERAL (SELECT r.used > r.cap
            OR coalesce(r.cap > promised.most, true) AND (t.kind = 1 OR r.scope <> 5) AS bad) AS b
        WHERE r.scope = ANY (CASE p_fact WHEN 'client-counters' THEN ARRAY[1, 2] ELSE ARRAY[4, 5] END)
        GROUP BY 1;
    WHEN 'client-uncounted' THEN RETURN QUERY
        -- what was accepted is counted in some day, its own or a later one: all days together hold no fewer. Mail that
        -- asks somebody to confirm is the system tenant's, and counted by the client for which it asks
        SELECT m.tenant_id, m.n, greatest(0, m.n - coalesce(r.n, 0))::bigint, m.tenant_id::text
        FROM (SELECT m.tenant_id, count(*) AS n
              FROM (SELECT o.tenant_id, o.email_id FROM troth.message o WHERE o.id >= first ORDER BY o.id DESC LIMIT most) AS m
              JOIN troth.tenant t ON t.id = m.tenant_id AND t.kind = 1
              JOIN troth.email e ON e.id = m.email_id LEFT JOIN troth.api_key k ON k.id = e.api_key_id
              WHERE k.mode IS DISTINCT FROM 2 GROUP BY 1) AS m
        LEFT JOIN (SELECT c.tenant_id, sum(c.used) AS n FROM troth.rate_counter c
                   WHERE c.scope = 2 AND c.subject = c.tenant_id AND c.window_start > p_since - interval '26 hours'
                   GROUP BY 1) AS r ON r.tenant_id = m.tenant_id;
    WHEN 'recipients-flooded' THEN RETURN QUERY
        -- by the messages themselves: what went at once, of one template to one recipient in one day of the client's
        WITH sent AS (
            SELECT o.tenant_id, o.blind_index, coalesce(v.subject, e.category_id) AS what,
                   (o.created_at AT TIME ZONE t.timezone)::date AS day, count(*) AS n
            FROM (SELECT * FROM troth.message m WHERE m.id >= first ORDER BY m.id DESC LIMIT most) AS o
            JOIN troth.tenant t ON t.id = o.tenant_id
            JOIN troth.email e ON e.id = o.email_id LEFT JOIN troth.snapshot v ON v.id = e.template_snapshot
            LEFT JOIN troth.api_key k ON k.id = e.api_key_id
            WHERE e.scheduled_at IS NULL AND k.mode IS DISTINCT FROM 2
              AND NOT EXISTS (SELECT FROM troth.event h WHERE h.message_id = o.id AND h.kind = 3) -- held: counted later
            GROUP BY 1, 2, 3, 4)
        SELECT s.tenant_id, sum(s.n)::bigint, count(*) FILTER (WHERE s.n > promised.most), max(s.what::text) FILTER (WHERE s.n > promised.most)
        FROM sent s JOIN troth.tenant t ON t.id = s.tenant_id JOIN troth.programme p ON p.id = t.programme_id
        CROSS JOIN LATERAL (SELECT max((x.artefact::jsonb -> 'limits' ->> 'recipient_template_day')::bigint) AS most
            FROM troth.snapshot x WHERE x.kind = 'policy' AND x.tenant_id IS NULL AND x.code = 'programme:' || p.code) AS promised
        GROUP BY 1;
    WHEN 'route-days' THEN RETURN QUERY
        -- each day of a route against every schedule that was ever approved for it
        SELECT NULL::uuid, count(*), count(*) FILTER (WHERE b.bad), min(d.route || ' ' || d.day) FILTER (WHERE b.bad)
        FROM troth.route_day d CROSS JOIN LATERAL (
            SELECT max((s.artefact::jsonb -> 'caps' ->> (d.day - (s.artefact::jsonb ->> 'starts')::date))::bigint) AS most,
                   bool_or(d.day - (s.artefact::jsonb ->> 'starts')::date >= jsonb_array_length(s.artefact::jsonb -> 'caps')
                           OR coalesce((s.artefact::jsonb ->> 'retired')::boolean, false)) AS free
            FROM troth.snapshot s WHERE s.kind = 'route' AND s.code = d.route) AS allowed
        CROSS JOIN LATERAL (SELECT d.used > d.cap
            OR NOT coalesce(allowed.free, false) AND d.used > coalesce(allowed.most, 0) AS bad) AS b
        WHERE d.day >= (p_since AT TIME ZONE 'UTC')::date;
    WHEN 'route-sent' THEN RETURN QUERY
        -- by the messages themselves, on days that were a schedule's from their first minutes to their end. In these first
        -- minutes an answer may still be to the day before: with all days together they are counted where that day was a
        -- schedule's too, and sent no more than it counted
        WITH tried AS (
            SELECT (e.at AT TIME ZONE 'UTC')::date AS day, count(*) AS n,
                   count(*) FILTER (WHERE (e.at AT TIME ZONE 'UTC')::time >= time '00:10') AS late
            FROM (SELECT v.at, v.kind, v.source_key FROM troth.event v WHERE v.message_id >= first
                  ORDER BY v.message_id DESC LIMIT most) AS e
            WHERE e.kind IN (8, 9, 11) AND e.source_key LIKE 'attempt:%'
            GROUP BY 1),
        ruled AS (
            SELECT g.code AS route, x.day
            FROM troth.governed g
            CROSS JOIN LATERAL (SELECT o::date AS day FROM generate_series(
                p_since AT TIME ZONE 'UTC' - interval '1 day', troth.now_v1() AT TIME ZONE 'UTC' + interval '1 day', '1 day') AS o) AS x
            CROSS JOIN LATERAL (
                SELECT bool_and(NOT coalesce((s.artefact::jsonb ->> 'retired')::boolean, false)
                                AND x.day - (s.artefact::jsonb ->> 'starts')::date < jsonb_array_length(s.artefact::jsonb -> 'caps')) AS kept
                FROM troth.snapshot s
                WHERE s.kind = 'route' AND s.code = g.code AND s.approved_at < (x.day + 1)::timestamp AT TIME ZONE 'UTC'
                  AND s.approved_at >= (SELECT max(b.approved_at) FROM troth.snapshot b WHERE b.kind = 'route' AND b.code = g.code
                                        AND b.approved_at <= x.day::timestamp AT TIME ZONE 'UTC' + interval '10 minutes')) AS s
            WHERE g.kind = 'route' AND g.tenant_id IS NULL AND s.kept),
        days AS (
            SELECT d.day, sum(d.used) AS used, coalesce(max(t.n), 0) AS n, coalesce(max(t.late), 0) AS late,
                   bool_and(EXISTS (SELECT FROM ruled b WHERE b.route = d.route AND b.day = d.day - 1)) AS before
            FROM troth.route_day d JOIN ruled USING (route, day) LEFT JOIN tried t ON t.day = d.day
            WHERE d.day >= (p_since AT TIME ZONE 'UTC')::date
            GROUP BY 1),
        summed AS (
            SELECT x.day, x.used, x.late, CASE WHEN x.before AND coalesce((SELECT t.n FROM tried t WHERE t.day = x.day - 1), 0)
                       <= coalesce((SELECT sum(o.used) FROM troth.route_day o WHERE o.day = x.day - 1), 0) THEN x.n ELSE x.late END AS n
            FROM days x)
        SELECT NULL::uuid, coalesce(sum(x.late), 0)::bigint, count(*) FILTER (WHERE x.late > x.used) + coalesce(sum(x.n) > sum(x.used), false)::integer,
               coalesce(min(x.day::text) FILTER (WHERE x.late > x.used), 'all days together')
        FROM summed x;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;

-- Attempts that are always undone: the SQLSTATE that answered, or 'accepted'.
CREATE FUNCTION limit_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    firm uuid;
BEGIN
    SELECT t.id INTO firm FROM troth.tenant t ORDER BY t.id LIMIT 1;
    IF firm IS NULL THEN
        RETURN 'nothing there';
    END IF;
    CASE p_name
    WHEN 'client-over' THEN
        INSERT INTO troth.rate_counter (tenant_id, scope, subject, window_start, used, cap)
        VALUES (firm, 1, gen_random_uuid(), troth.now_v1(), 6, 5);
    WHEN 'client-raised' THEN
        INSERT INTO troth.rate_counter (tenant_id, scope, subject, window_start, used, cap)
        VALUES (firm, 2, firm, 'epoch', 5, 5);
        UPDATE troth.rate_counter SET used = used + 1 WHERE tenant_id = firm AND scope = 2 AND window_start = 'epoch';
    WHEN 'recipient-over' THEN
        INSERT INTO troth.rate_counter (tenant_id, scope, subject, window_start, used, cap)
        VALUES (firm, 5, gen_random_uuid(), troth.now_v1(), 2, 1);
    WHEN 'route-over' THEN
        INSERT INTO troth.route_day (route, day, cap, used, asked, granted) VALUES ('none', '2000-01-01', 5, 6, 6, 6);
    WHEN 'route-raised' THEN
        INSERT INTO troth.route_day (route, day, cap, used, asked, granted) VALUES ('none', '2000-01-01', 5, 5, 5, 5);
        UPDATE troth.route_day SET used = used + 1 WHERE route = 'none';
    ELSE
        RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
    END CASE;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
