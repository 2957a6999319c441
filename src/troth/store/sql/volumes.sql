-- How much each client had accepted, what is held for it, and the watch over both. The gauge is locked first and in one
-- order, by those who accept and by the watch; slots are written by whoever holds their gauge.

-- name: lock
SELECT tenant_id, counted_at, recent + since AS recent, previous,
       CASE WHEN reviewed_at > now_v1() - interval '24 hours' THEN reviewed ELSE 0 END AS reviewed
FROM volume_gauge WHERE tenant_id = ANY(%(tenants)b::uuid[]) ORDER BY tenant_id FOR UPDATE;

-- name: begin
-- A client's first message: it has no past, or one whose gauge was lost, which the recount finds.
INSERT INTO volume_gauge (tenant_id, first_at, counted_at, recent, previous)
SELECT t, coalesce((SELECT min(s.at) FROM volume_slot s WHERE s.tenant_id = t), slot.at), slot.at, 0, '{}'
FROM unnest(%(tenants)b::uuid[]) AS u(t), (SELECT date_bin('5 minutes', now_v1(), 'epoch') AS at) AS slot
ORDER BY t ON CONFLICT DO NOTHING;

-- name: recount
-- A fresh count of gauges that this transaction has locked.
SELECT volume_recount_v1(%(tenants)b::uuid[]);

-- name: add
-- What an accepting transaction took; its gauges are locked by it.
UPDATE volume_gauge g SET since = g.since + u.n
FROM unnest(%(tenants)b::uuid[], %(amounts)b::bigint[]) AS u(t, n) WHERE g.tenant_id = u.t;

-- name: slot
INSERT INTO volume_slot (tenant_id, at, n)
SELECT t, date_bin('5 minutes', %(now)b::timestamptz, 'epoch'), n
FROM unnest(%(tenants)b::uuid[], %(amounts)b::bigint[]) AS u(t, n) ORDER BY t
ON CONFLICT (tenant_id, at) DO UPDATE SET n = volume_slot.n + EXCLUDED.n;

-- name: raise
SELECT anomaly_raise_v1(%(tenant)b, %(cause)b, %(action)b, %(minutes)b::integer, %(n)b::bigint, %(of_n)b::bigint,
                        %(threshold)b::integer, %(floor)b::bigint, %(sentence)b);

-- name: hold
-- For the pause of the watch that is in force, which may be a moment old; or was a moment ago.
INSERT INTO held_mail (message_id, tenant_id, pause_id, category_id, template_id, at, ends_at)
SELECT u.i, u.t, p.id, u.c, u.w, %(now)b, u.e
FROM unnest(%(ids)b::uuid[], %(tenants)b::uuid[], %(categories)b::uuid[], %(templates)b::uuid[],
            %(ends)b::timestamptz[]) AS u(i, t, c, w, e)
CROSS JOIN LATERAL (SELECT id FROM pause WHERE tenant_id = u.t AND started_by = 'anomaly'
                    ORDER BY released_at IS NULL DESC, started_at DESC LIMIT 1) AS p;

-- name: watched
-- Clients to look at, in the order of their locks, with which policies rule them.
SELECT g.tenant_id, t.plan, p.code AS programme, p.profile, g.counted_at <= now_v1() AS moved
FROM volume_gauge g JOIN tenant t ON t.id = g.tenant_id JOIN programme p ON p.id = t.programme_id
WHERE t.kind = 1 AND t.state = 1 AND g.tenant_id > %(after)b
ORDER BY g.tenant_id LIMIT %(most)b;

-- name: doubt
-- The clock was seen to jump, ahead or (less than nothing) back.
INSERT INTO volume_doubt (until, ahead)
VALUES (clock_timestamp() + interval '24 hours', greatest(%(ahead)b::interval, interval '0'))
ON CONFLICT (single) DO UPDATE SET until = greatest(volume_doubt.until, EXCLUDED.until),
    ahead = greatest(CASE WHEN volume_doubt.until > clock_timestamp() THEN volume_doubt.ahead ELSE interval '0' END
                     + %(ahead)b::interval, interval '0');

-- name: wall
SELECT clock_timestamp();

-- name: policies
-- The documents in force above tenants and of these tenants.
SELECT g.tenant_id, g.code, g.snapshot_id, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'policy' AND NOT g.retired AND (g.tenant_id IS NULL OR g.tenant_id = ANY(%(tenants)b::uuid[]));

-- name: shown
-- The numbers that the pages show beside the volume.
UPDATE volume_gauge SET percent = %(percent)b::integer, floor = %(floor)b::bigint, action = %(action)b WHERE tenant_id = %(tenant)b
  AND (percent, floor, action) IS DISTINCT FROM (%(percent)b::integer, %(floor)b::bigint, %(action)b);

-- name: shares
-- What was answered, taken, bounced and complained about in these hours; since the last release, where one was later.
SELECT w.tenant_id, coalesce(sum(y.n) FILTER (WHERE y.kind IN (8, 11)), 0)::bigint AS answered,
       coalesce(sum(y.n) FILTER (WHERE y.kind = 8), 0)::bigint AS taken,
       coalesce(sum(y.n) FILTER (WHERE y.kind = 11), 0)::bigint AS bounced,
       coalesce(sum(y.n) FILTER (WHERE y.kind = 14), 0)::bigint AS complained
FROM (SELECT u.t AS tenant_id, greatest(now_v1() - make_interval(hours => u.h), (SELECT max(p.released_at) FROM pause p
      WHERE p.tenant_id = u.t AND p.started_by = 'anomaly')) AS since
      FROM unnest(%(tenants)b::uuid[], %(hours)b::integer[]) AS u(t, h)) AS w
JOIN event_tally y ON y.tenant_id = w.tenant_id AND y.hour > w.since AND y.kind IN (8, 11, 14)
GROUP BY w.tenant_id;

-- name: overdue
SELECT anomaly_overdue_v1();

-- name: sweep_slots
-- While the clock is in doubt nothing is old for sure.
DELETE FROM volume_slot WHERE at < now_v1() - interval '12 days'
  AND NOT EXISTS (SELECT FROM volume_doubt WHERE until > clock_timestamp());

-- name: sweep_held
DELETE FROM held_mail WHERE outcome IS NOT NULL AND ends_at < now_v1() - interval '90 days';

-- name: orders
-- What people decided of held mail, oldest first, that is not yet carried out.
SELECT change_id, tenant_id, pause_id, act, messages, categories, templates, at
FROM held_order WHERE done_at IS NULL ORDER BY at LIMIT 20;

-- name: ordered
-- The next messages that an order means, from the last one on: held still, and not let go by another order.
SELECT h.message_id FROM held_mail h JOIN spool s ON s.message_id = h.message_id AND s.state = 10
WHERE h.pause_id = %(pause)b AND h.outcome IS NULL AND h.message_id > %(after)b AND h.at <= %(at)b
  AND (%(messages)b::uuid[] IS NULL OR h.message_id = ANY(%(messages)b::uuid[]))
  AND (%(categories)b::uuid[] IS NULL OR h.category_id = ANY(%(categories)b::uuid[]))
  AND (%(templates)b::uuid[] IS NULL OR h.template_id = ANY(%(templates)b::uuid[]))
  AND NOT EXISTS (SELECT FROM release_order r WHERE r.message_id = h.message_id)
ORDER BY h.message_id LIMIT %(most)b;

-- name: release
SELECT held_release_v1(%(change)b, %(ids)b::uuid[]);

-- name: take_held
-- What is to be refused, locked; what was let go meanwhile stays.
SELECT s.message_id, s.tenant_id, s.person_id, s.blind_index, s.state, s.due, s.lifetime_ends, s.attempts, p.data_key,
       t.keyset
FROM spool s JOIN person p ON p.id = s.person_id JOIN tenant t ON t.id = s.tenant_id
WHERE s.message_id = ANY(%(ids)b::uuid[]) AND s.state = 10
  AND NOT EXISTS (SELECT FROM release_order r WHERE r.message_id = s.message_id)
ORDER BY s.message_id FOR UPDATE OF s;

-- name: done
UPDATE held_order SET n = n + %(n)b, done_at = CASE WHEN %(over)b THEN now_v1() END WHERE change_id = %(change)b;

-- name: settled
-- What became of held mail, of the next ones: what is out of the state `held` was released, refused by an order, over, or
-- withdrawn or suppressed meanwhile. The last one that was looked at, and how many were.
WITH looked AS (
    SELECT message_id FROM held_mail WHERE outcome IS NULL AND message_id > %(after)b ORDER BY message_id LIMIT %(most)b),
left_it AS (
    SELECT m.id, CASE m.state WHEN 13 THEN 3 WHEN 11 THEN 4
           WHEN 12 THEN CASE WHEN EXISTS (SELECT FROM event e WHERE e.message_id = m.id AND e.kind = 6
                                          AND starts_with(e.source_key, 'release:')) THEN 2 ELSE 4 END
           ELSE 1 END AS outcome
    FROM message m WHERE m.id = ANY(ARRAY(SELECT message_id FROM looked)) AND m.state <> 10),
told AS (
    UPDATE held_mail h SET outcome = (SELECT l.outcome FROM left_it l WHERE l.id = h.message_id)
    WHERE h.message_id = ANY(ARRAY(SELECT id FROM left_it)) RETURNING 1)
SELECT (array_agg(message_id ORDER BY message_id DESC))[1], count(*), (SELECT count(*) FROM told) FROM looked;
