-- The hot queue: claim, mark, and what a worker must know of what it claimed.

-- name: claim
-- Rows whose time has come, whatever their state. One that was marked (4) stays so: it may have been sent. A held one
-- is due because its hold or its life is over, or because two people let it go. The floor (the oldest due of the last claim less 2 s) keeps the scan
-- off index entries that a long snapshot keeps dead. A clock behind the high-water mark claims nothing.
WITH picked AS (
    SELECT message_id, state, due FROM spool
    WHERE due <= %(now)b AND due >= %(floor)b
      AND NOT EXISTS (SELECT FROM clock_mark WHERE high_water > %(now)b + interval '5 seconds')
    ORDER BY due LIMIT %(limit)b FOR UPDATE SKIP LOCKED),
taken AS (
    -- = ANY(ARRAY(...)): autovacuum leaves the spool believed empty, and a join would then scan the whole key
    UPDATE spool SET token = token + 1, due = %(now)b + %(lease)b,
        lost_claims = lost_claims + (state = 3)::int,
        state = CASE WHEN state = 4 THEN 4 ELSE 3 END
    WHERE message_id = ANY(ARRAY(SELECT message_id FROM picked))
    RETURNING message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,
              template_snapshot, domain_id, lifetime_ends, token, attempts, schedule, schedule_attempts,
              first_failed_at, lost_claims, counted, on_consent)
SELECT t.*, p.state AS was, p.due AS was_due,
       EXISTS (SELECT FROM release_order r WHERE r.message_id = t.message_id) AS released
FROM taken t JOIN picked p USING (message_id) ORDER BY p.due;

-- name: load
-- What composing needs, for a claimed batch. `told` is the state that the events tell; the spool's may be ahead of it.
SELECT b.message_id, b.body_ct, p.data_key, p.address_ct, t.keyset, m.state AS told, e.scheduled_at,
       p.timezone, t.timezone AS tenant_timezone, t.name AS tenant_name, t.postal_address
FROM message_body b
JOIN message m ON m.id = b.message_id
JOIN email e ON e.id = m.email_id
JOIN person p ON p.id = m.person_id
JOIN tenant t ON t.id = b.tenant_id
WHERE b.message_id = ANY(%(ids)b::uuid[]) AND m.id = ANY(%(ids)b::uuid[]);

-- name: person_keys
-- Keys of the other recipients whom a message's header names; an erased one has none.
SELECT id, tenant_id, data_key, address_ct FROM person WHERE id = ANY(%(ids)b::uuid[]);

-- name: mark
-- The linearisation point. Nothing goes to the wire unless this statement says 0 for it; it looks again at suppression,
-- pauses, approval, the recipient and their consent, the domain, the lifetime, the quiet hours and the route's warm-up, as
-- committed when it began; the clock is read once, and one that stands behind its highest mark lets nothing through.
WITH clock AS MATERIALIZED (SELECT now_v1() AS now),
watch AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM clock_mark m WHERE m.high_water > clock.now + interval '5 seconds') AS behind FROM clock),
want AS (SELECT * FROM unnest(%(ids)b::uuid[], %(tokens)b::bigint[], %(quiet_from)b::timestamptz[])
         AS w(id, token, quiet_from)),
held AS (
    SELECT s.* FROM spool s
    WHERE s.message_id = ANY(%(ids)b::uuid[]) ORDER BY s.message_id FOR UPDATE),
judged AS (
    SELECT w.id, CASE
        WHEN s.message_id IS NULL OR s.token <> w.token OR s.state <> 3 THEN 9
        WHEN watch.behind THEN 12
        WHEN s.lifetime_ends <= clock.now THEN 7
        WHEN p.id IS NULL OR p.status = 4 THEN 5
        WHEN EXISTS (SELECT FROM opt_out o WHERE o.tenant_id = s.tenant_id AND o.blind_index = s.blind_index
                     AND o.category_id = s.category_id AND NOT EXISTS (
                         SELECT FROM opt_in i WHERE i.tenant_id = o.tenant_id AND i.blind_index = o.blind_index
                         AND i.category_id = o.category_id AND i.created_at > o.created_at)) THEN 1
        WHEN EXISTS (SELECT FROM suppression x WHERE x.blind_index = s.blind_index
                     AND NOT (overridden_v1(s.tenant_id, x.blind_index, x.reason, x.source, clock.now, clock.now)
                              AND overrides_count_v1(s.tenant_id, s.email_id))) THEN 1
        WHEN s.on_consent AND consent_stands_v1(s.tenant_id, s.person_id, s.category_id, clock.now) <> 'held' THEN
             CASE consent_stands_v1(s.tenant_id, s.person_id, s.category_id, clock.now) WHEN 'withdrawn' THEN 13 ELSE 7 END
        WHEN NOT (p.status = 2 AND coalesce(p.expires_at > clock.now, true)
                  OR t.kind = 2 AND p.status = 1) THEN 4   -- Troth's own mail may ask for the confirmation
        WHEN t.state <> 1 OR EXISTS (SELECT FROM pause u WHERE u.released_at IS NULL AND u.effect = 'stop-delivery'
                     AND (u.tenant_id IS NULL OR u.tenant_id = s.tenant_id)
                     AND (u.category_id IS NULL OR u.category_id = s.category_id)) THEN 2
        WHEN c.retired IS DISTINCT FROM false OR cs.id IS NULL OR EXISTS (
                 SELECT FROM revocation r WHERE r.snapshot_id IN (s.category_snapshot, s.template_snapshot)) THEN 3
        WHEN s.template_snapshot IS NOT NULL AND (ts.id IS NULL OR tg.retired IS DISTINCT FROM false) THEN 3
        WHEN coalesce(d.ready_until <= clock.now, true) OR dg.retired IS DISTINCT FROM false OR EXISTS (
                 SELECT FROM revocation r WHERE r.snapshot_id = dg.snapshot_id) THEN 6
        WHEN w.quiet_from <= clock.now THEN 10
        ELSE 0 END AS verdict
    FROM want w CROSS JOIN clock CROSS JOIN watch
    LEFT JOIN held s ON s.message_id = w.id
    LEFT JOIN person p ON p.id = s.person_id AND p.tenant_id = s.tenant_id
    LEFT JOIN tenant t ON t.id = s.tenant_id
    LEFT JOIN governed c ON c.subject = s.category_id AND c.tenant_id = s.tenant_id
    LEFT JOIN snapshot cs ON cs.id = s.category_snapshot AND cs.tenant_id = s.tenant_id
    LEFT JOIN snapshot ts ON ts.id = s.template_snapshot AND ts.tenant_id = s.tenant_id
    LEFT JOIN governed tg ON tg.subject = ts.subject
    LEFT JOIN domain_state d ON d.domain_id = s.domain_id AND d.tenant_id = s.tenant_id
    LEFT JOIN governed dg ON dg.subject = s.domain_id AND dg.tenant_id = s.tenant_id),
-- A route that is being warmed up gives what is left of its day, the oldest first: one row, locked until the commit,
-- whose constraint stands behind the arithmetic. A route without a schedule has no cap and touches no row.
passed AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY id) AS place FROM judged WHERE verdict = 0),
ramp AS MATERIALIZED (SELECT route_cap_v1(%(route)b, clock.now) AS cap, (SELECT count(*)::int FROM passed) AS asked FROM clock),
taken AS (
    INSERT INTO route_day AS d (route, day, cap, used, asked, granted, held)
    SELECT %(route)b, (clock.now AT TIME ZONE 'UTC')::date, ramp.cap, least(ramp.cap, ramp.asked), ramp.asked,
           least(ramp.cap, ramp.asked), ramp.asked - least(ramp.cap, ramp.asked)
    FROM ramp CROSS JOIN clock WHERE ramp.cap IS NOT NULL AND ramp.asked > 0
    ON CONFLICT (route, day) DO UPDATE
    SET cap = greatest(EXCLUDED.cap, d.used), asked = EXCLUDED.asked,
        granted = greatest(0, least(EXCLUDED.cap - d.used, EXCLUDED.asked)),
        used = d.used + greatest(0, least(EXCLUDED.cap - d.used, EXCLUDED.asked)),
        held = d.held + EXCLUDED.asked - greatest(0, least(EXCLUDED.cap - d.used, EXCLUDED.asked))
    RETURNING granted),
final AS (
    SELECT j.id, CASE WHEN j.verdict = 0 AND ramp.cap IS NOT NULL
                           AND p.place > coalesce((SELECT granted FROM taken), 0) THEN 11 ELSE j.verdict END AS verdict
    FROM judged j CROSS JOIN ramp LEFT JOIN passed p USING (id)),
marked AS (
    UPDATE spool SET state = 4, attempts = attempts + 1, due = (SELECT now FROM clock) + %(lease)b
    WHERE message_id = ANY(ARRAY(SELECT id FROM final WHERE verdict = 0))
    RETURNING message_id)
SELECT f.id, f.verdict FROM final f;

-- name: unmark
-- Marked but not started in time, and nothing of it on the wire: back to the queue, the token moves.
UPDATE spool SET state = 2, due = %(due)b, token = token + 1, attempts = attempts - 1
WHERE (message_id, token) IN (SELECT * FROM unnest(%(ids)b::uuid[], %(tokens)b::bigint[]))
  AND message_id = ANY(%(ids)b::uuid[]) AND state = 4
RETURNING message_id;

-- name: give_back
-- Claimed but not marked (a graceful stop, or not enough time): back to the queue as if never claimed.
UPDATE spool SET state = 2, due = %(due)b, token = token + 1
WHERE (message_id, token) IN (SELECT * FROM unnest(%(ids)b::uuid[], %(tokens)b::bigint[]))
  AND message_id = ANY(%(ids)b::uuid[]) AND state = 3
RETURNING message_id;

-- name: renew
-- A worker that is alive but slow keeps its claims.
UPDATE spool SET due = %(now)b::timestamptz + %(lease)b::interval
WHERE (message_id, token) IN (SELECT * FROM unnest(%(ids)b::uuid[], %(tokens)b::bigint[]))
  AND message_id = ANY(%(ids)b::uuid[])
RETURNING message_id;

-- name: release_change
SELECT change_id FROM release_order WHERE message_id = %(id)b;

-- name: signing_keys
-- The active key of each approved domain, and bounce.<domain> as its return path while that holds in the DNS. It is cached
-- for a few seconds only, so that a rotation is soon seen; the key before it stays published for a week at the least.
SELECT k.domain_id, k.tenant_id, d.name, k.selector, k.bits, k.private_ct, t.keyset,
       CASE WHEN d.path_until > now_v1() THEN 'bounce.' || d.name END AS return_path
FROM dkim_key k JOIN tenant t ON t.id = k.tenant_id
JOIN domain_state d ON d.domain_id = k.domain_id AND d.tenant_id = k.tenant_id
JOIN governed g ON g.subject = k.domain_id AND g.tenant_id = k.tenant_id
WHERE k.domain_id = ANY(%(domains)b::uuid[]) AND k.state = 'active';

-- name: live_tenants
-- Whose policy rules the retries of a claimed batch.
SELECT t.id AS tenant_id, t.plan, p.code AS programme, p.profile
FROM tenant t JOIN programme p ON p.id = t.programme_id WHERE t.id = ANY(%(tenants)b::uuid[]);

-- name: live_policies
-- The policy documents in force above tenants and of these tenants, and the categories, which carry one too. A stopped
-- one still binds what was accepted under it: dropping its level would loosen the rest.
SELECT g.subject, g.tenant_id, g.kind, g.code, s.artefact
FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'policy' AND (g.tenant_id IS NULL OR g.tenant_id = ANY(%(tenants)b::uuid[]))
   OR g.subject = ANY(%(categories)b::uuid[]);

-- name: depth
SELECT count(*) FILTER (WHERE due <= now_v1()) AS waiting, count(*) AS all, min(due) AS oldest FROM spool;
