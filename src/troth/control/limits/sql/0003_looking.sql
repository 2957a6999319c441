-- Unusual volumes, for the pages, and for the control of LIM-3.

-- Clients by how near their last 24 hours are to what is unusual: the one looked at, or those with most of it.
CREATE FUNCTION volume_watch_v1(p_most integer)
RETURNS TABLE (tenant_id uuid, tenant_name text, recent bigint, previous bigint[], counted_at timestamptz, reviewed bigint,
               reviewed_at timestamptz, percent integer, floor bigint, action text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT g.tenant_id, t.name, g.recent + g.since, g.previous, g.counted_at, g.reviewed, g.reviewed_at, g.percent,
           g.floor, g.action
    FROM troth.looked_at() AS own, troth.volume_gauge g JOIN troth.tenant t ON t.id = g.tenant_id
    WHERE own IS NULL OR g.tenant_id = own
    ORDER BY (g.recent + g.since)::numeric / greatest(1, (SELECT sum(x) FROM unnest(g.previous) AS x), g.floor) DESC, t.name
    LIMIT p_most
$$;

-- Anomalies, newest first, of the client looked at or of all, or one of them. p_open: those alone, those that are over
-- alone, or NULL. `release`: the open change that would lift the pause.
CREATE FUNCTION anomalies_v1(p_before timestamptz, p_open boolean, p_one uuid, p_most integer)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_name text, pause_id uuid, cause text, action text, at timestamptz,
               review_due timestamptz, n bigint, of_n bigint, threshold integer, floor bigint, sentence text,
               released_at timestamptz, release_change uuid, looked_at timestamptz, release uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.id, a.tenant_id, t.name, a.pause_id, a.cause, a.action, a.at, a.review_due, a.n, a.of_n, a.threshold,
           a.floor, a.sentence, p.released_at, p.release_change,
           (SELECT min(l.at) FROM troth.anomaly_look l WHERE l.anomaly_id = a.id),
           (SELECT c.id FROM troth.change c WHERE c.kind = 'release' AND c.subject = a.pause_id AND c.state = 1
            AND c.expires_at > troth.now_v1() ORDER BY c.proposed_at DESC LIMIT 1)
    FROM troth.looked_at() AS own, troth.anomaly a JOIN troth.pause p ON p.id = a.pause_id
    JOIN troth.tenant t ON t.id = a.tenant_id
    WHERE (own IS NULL OR a.tenant_id = own) AND a.at < p_before AND (p_open IS NULL OR p_open = (p.released_at IS NULL))
      AND (p_one IS NULL OR a.id = p_one)
    ORDER BY a.at DESC LIMIT p_most
$$;

-- Accepted by hour, 240 hours to the moment: of the client that is looked at, to now; of an anomaly, some hours beyond it
-- while they are kept, else as they were found. `ends_at`: the end of the last hour.
CREATE FUNCTION volume_hours_v1() RETURNS TABLE (ends_at timestamptz, hours bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT e.at, troth.volume_hours(own, e.at) FROM troth.looked_at() AS own,
        (SELECT date_bin('5 minutes', troth.now_v1(), 'epoch') + interval '5 minutes' AS at) AS e
    WHERE own IS NOT NULL
$$;
CREATE FUNCTION anomaly_hours_v1(p_anomaly uuid) RETURNS TABLE (ends_at timestamptz, hours bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE WHEN k.kept THEN k.ends ELSE a.at END, CASE WHEN k.kept THEN troth.volume_hours(a.tenant_id, k.ends) ELSE a.hours END
    FROM troth.looked_at() AS own, troth.anomaly a,
        LATERAL (SELECT least(n.now, a.at + interval '12 hours') AS ends,
                        least(n.now, a.at + interval '12 hours') - interval '240 hours' > n.now - interval '12 days' AS kept
                 FROM (SELECT troth.now_v1() AS now) AS n) AS k
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own)
$$;

-- Mail held for an anomaly's pause that waits still, by category and template, of the first p_most.
CREATE FUNCTION anomaly_groups_v1(p_anomaly uuid, p_most integer)
RETURNS TABLE (category_id uuid, category text, template_id uuid, template text, n bigint, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.category_id, (SELECT g.code FROM troth.governed g WHERE g.subject = h.category_id), h.template_id,
           (SELECT g.code FROM troth.governed g WHERE g.subject = h.template_id), count(*), min(h.ends_at)
    FROM troth.looked_at() AS own, troth.anomaly a CROSS JOIN LATERAL (
        SELECT m.* FROM troth.held_mail m WHERE m.pause_id = a.pause_id AND m.outcome IS NULL LIMIT p_most) AS h
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) GROUP BY h.category_id, h.template_id ORDER BY 5 DESC, 2, 4
$$;
CREATE FUNCTION anomaly_held_v1(p_anomaly uuid, p_after uuid, p_most integer)
RETURNS TABLE (message_id uuid, category text, template text, at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.message_id, (SELECT g.code FROM troth.governed g WHERE g.subject = h.category_id),
           (SELECT g.code FROM troth.governed g WHERE g.subject = h.template_id), h.at, h.ends_at
    FROM troth.looked_at() AS own, troth.anomaly a JOIN troth.held_mail h ON h.pause_id = a.pause_id
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) AND h.outcome IS NULL AND h.message_id > p_after
    ORDER BY h.message_id LIMIT p_most
$$;
-- What became of it, of the first p_most: outcome NULL waits.
CREATE FUNCTION anomaly_outcomes_v1(p_anomaly uuid, p_most integer) RETURNS TABLE (outcome smallint, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.outcome, count(*) FROM troth.looked_at() AS own, troth.anomaly a CROSS JOIN LATERAL (
        SELECT m.outcome FROM troth.held_mail m WHERE m.pause_id = a.pause_id LIMIT p_most) AS h
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) GROUP BY 1
$$;
CREATE FUNCTION anomaly_looks_v1(p_anomaly uuid) RETURNS TABLE (at timestamptz, words text, account_id uuid, name_ct bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.at, l.words, l.account_id, c.name_ct FROM troth.looked_at() AS own, troth.anomaly_look l
    JOIN troth.account c ON c.id = l.account_id
    WHERE l.anomaly_id = p_anomaly AND (own IS NULL OR l.tenant_id = own) ORDER BY l.at LIMIT 20
$$;

-- What the control of LIM-3 counts: rows, how many are wrong, and an example of those.
CREATE FUNCTION volume_fact_v1(p_name text, p_since timestamptz)
RETURNS TABLE (tenant_id uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE now timestamptz := troth.now_v1();
BEGIN
    CASE p_name
    WHEN 'volumes' THEN RETURN QUERY
        -- each sealed hour's slots against the events that the sequencer counted, which another role wrote: test keys' mail
        -- is accepted, cancelled and not counted
        SELECT h.tenant_id, sum(h.counted)::bigint, count(*) FILTER (WHERE h.bad),
               min(to_char(h.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"h"')) FILTER (WHERE h.bad)
        FROM (SELECT g.tenant_id, e.hour, coalesce(s.n, 0) AS counted,
                     coalesce(s.n, 0) > e.accepted OR coalesce(s.n, 0) < e.accepted - e.cancelled AS bad
              FROM troth.volume_gauge g JOIN troth.tenant t ON t.id = g.tenant_id AND t.kind = 1,
              LATERAL (SELECT x.hour, coalesce(sum(y.n) FILTER (WHERE y.kind = 1), 0) AS accepted,
                              coalesce(sum(y.n) FILTER (WHERE y.kind = 6), 0) AS cancelled
                       FROM generate_series(date_trunc('hour', greatest(g.first_at, now - interval '9 days'), 'UTC'),
                                            now - interval '2 hours', interval '1 hour') AS x(hour)
                       LEFT JOIN troth.event_tally y ON y.tenant_id = g.tenant_id AND y.hour = x.hour AND y.kind IN (1, 6)
                       GROUP BY x.hour) AS e
              LEFT JOIN LATERAL (SELECT sum(v.n) AS n FROM troth.volume_slot v WHERE v.tenant_id = g.tenant_id
                                 AND v.at >= e.hour AND v.at < e.hour + interval '1 hour') AS s ON true) AS h
        GROUP BY h.tenant_id;
    WHEN 'anomalies' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM troth.anomaly a LEFT JOIN troth.pause p ON p.id = a.pause_id,
        LATERAL (SELECT p.id IS NULL OR p.tenant_id IS DISTINCT FROM a.tenant_id OR p.started_by <> 'anomaly'
            OR p.effect <> a.action OR p.category_id IS NOT NULL OR abs(extract(epoch FROM p.started_at - a.at)) > 60
            OR p.released_at IS NOT NULL AND NOT EXISTS (SELECT FROM troth.change c WHERE c.id = p.release_change
                AND c.kind = 'release' AND c.subject = p.id AND c.state = 2 AND c.proposer_human <> c.decider_human)
            OR NOT EXISTS (SELECT FROM troth.ledger_leaf l WHERE l.log_id = 1 AND l.kind = 'sending:anomaly:raise'
                           AND l.tenant_id = a.tenant_id AND l.leaf LIKE '%' || a.id::text || '%')
               AND NOT EXISTS (SELECT FROM troth.ledger_pending q WHERE q.kind = 'sending:anomaly:raise'
                               AND q.leaf LIKE '%' || a.id::text || '%') AS bad) AS b
        WHERE a.at >= p_since GROUP BY 1;
    WHEN 'reviews' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE r.at > a.review_due), min(a.id::text) FILTER (WHERE r.at > a.review_due)
        FROM troth.anomaly a JOIN troth.pause p ON p.id = a.pause_id,
        LATERAL (SELECT coalesce(least(p.released_at, (SELECT min(l.at) FROM troth.anomaly_look l WHERE l.anomaly_id = a.id)),
                                 now) AS at) AS r
        WHERE a.at >= p_since GROUP BY 1;
    WHEN 'sent while stopped' THEN RETURN QUERY
        -- whole hours within the stop; what was marked before it has its answer by then
        SELECT p.tenant_id, count(DISTINCT p.id), count(y.n), min(p.id::text) FILTER (WHERE y.n IS NOT NULL)
        FROM troth.pause p LEFT JOIN troth.event_tally y ON y.tenant_id = p.tenant_id AND y.kind = 8
             AND y.hour >= p.started_at + interval '1 hour' AND y.hour + interval '1 hour' <= coalesce(p.released_at, now)
        WHERE p.started_by = 'anomaly' AND p.effect = 'stop-delivery' AND p.started_at >= p_since GROUP BY 1;
    WHEN 'held' THEN RETURN QUERY
        -- held mail that is neither in the spool nor at its end is lost
        SELECT h.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(h.message_id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.held_mail o WHERE o.at >= p_since ORDER BY o.message_id DESC LIMIT 20000) AS h
        LEFT JOIN troth.message m ON m.id = h.message_id,
        LATERAL (SELECT m.id IS NULL OR m.state IN (2, 3, 4, 7, 9, 10)
                        AND NOT EXISTS (SELECT FROM troth.spool s WHERE s.message_id = h.message_id) AS bad) AS b
        GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
