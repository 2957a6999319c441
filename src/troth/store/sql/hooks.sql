-- Webhook deliveries: claim, load, settle, and what an endpoint is found to be. Never a transaction across the network.

-- name: now
-- The governed clock, and the true one beside it: a receiver checks a signature's age by its own clock, which no demo moves.
SELECT now_v1() AS now, clock_timestamp() AS wall;

-- name: endpoints_due
-- Enabled endpoints with something to send now, with how each does. Few rows: one index probe an endpoint.
SELECT w.id, w.tenant_id, w.url_ct, t.keyset, coalesce(h.failures, 0) AS failures
FROM webhook_endpoint w
JOIN tenant t ON t.id = w.tenant_id
LEFT JOIN webhook_health h ON h.endpoint_id = w.id
WHERE w.disabled_at IS NULL AND coalesce(h.quiet_until <= %(now)b::timestamptz, true)
  AND EXISTS (SELECT FROM webhook_outbox o WHERE o.endpoint_id = w.id AND o.state < 3 AND o.due <= %(now)b::timestamptz);

-- name: secrets
-- Those that sign now: newest first.
SELECT id, endpoint_id, secret_ct FROM webhook_secret
WHERE endpoint_id = ANY(%(endpoints)b::uuid[]) AND (ends_at IS NULL OR ends_at > %(now)b::timestamptz)
ORDER BY endpoint_id, ends_at DESC NULLS FIRST, created_at DESC;

-- name: claim
-- Up to `limit` rows of one endpoint, oldest due first, of each message only the first that is not done. A row that
-- waits behind another of its message moves behind it in time, so that it is not looked at in every round; behind one
-- that is under way it stays. `busy`: what this process sends just now, whatever a moved clock makes of its lease.
WITH looked AS (
    SELECT id, message_id FROM webhook_outbox
    WHERE endpoint_id = %(endpoint)b AND state < 3 AND due <= %(now)b::timestamptz AND id <> ALL(%(busy)b::bigint[])
    ORDER BY due, id LIMIT %(look)b FOR UPDATE SKIP LOCKED),
judged AS (
    SELECT l.id, b.id AS behind, b.due, b.state
    FROM looked l LEFT JOIN LATERAL (
        SELECT e.id, e.due, e.state FROM webhook_outbox e
        WHERE e.endpoint_id = %(endpoint)b AND e.message_id = l.message_id AND e.state < 3 AND e.id < l.id
        ORDER BY e.id LIMIT 1) AS b ON true),
moved AS (
    UPDATE webhook_outbox o SET due = greatest(j.due, %(now)b::timestamptz)
    FROM judged j WHERE o.id = j.id AND j.state = 1)
UPDATE webhook_outbox SET state = 2, token = token + 1, attempts = least(attempts + 1, 32767), due = %(now)b::timestamptz + %(lease)b,
    first_at = coalesce(first_at, %(now)b::timestamptz), last_at = %(now)b::timestamptz
WHERE id = ANY(ARRAY(SELECT id FROM judged WHERE behind IS NULL ORDER BY id LIMIT %(limit)b))
RETURNING id, tenant_id, endpoint_id, message_id, kind, source_key, at, token, attempts, first_at;

-- name: load
-- What the payloads of a claimed batch are made of. Rows of a test event, and of messages that retention took, are not here.
SELECT o.id, v.detail_ct, e.id AS email_id, e.created_at, e.scheduled_at, e.template_snapshot, p.id AS person_id,
       p.data_key, p.address_ct, b.body_ct, m.state AS message_state
FROM webhook_outbox o
JOIN message m ON m.id = o.message_id
JOIN email e ON e.id = m.email_id
JOIN person p ON p.id = m.person_id
LEFT JOIN event v ON v.message_id = o.message_id AND v.kind = o.kind AND v.source_key = o.source_key
LEFT JOIN message_body b ON b.message_id = o.message_id
WHERE o.id = ANY(%(ids)b::bigint[]) AND m.id = ANY(%(messages)b::uuid[]);

-- name: load_people
-- The same of events about a recipient, whom `message_id` names.
SELECT o.id, p.id AS person_id, p.data_key, p.address_ct, e.pathway, p.expires_at
FROM webhook_outbox o
JOIN person p ON p.id = o.message_id
LEFT JOIN person_event e ON e.person_id = p.id AND e.kind = o.kind AND e.at = o.at
WHERE o.id = ANY(%(ids)b::bigint[]);

-- name: load_anomalies
-- The same of events about a client's sending: `message_id` names the anomaly.
SELECT o.id, t.code AS client, a.cause, a.action, a.n, a.sentence, a.review_due
FROM webhook_outbox o JOIN anomaly a ON a.id = o.message_id JOIN tenant t ON t.id = a.tenant_id
WHERE o.id = ANY(%(ids)b::bigint[]);

-- name: templates
SELECT id, code, version, artefact FROM snapshot WHERE id = ANY(%(ids)b::uuid[]);

-- name: settle
-- What became of claims that still stand: the others were claimed again, replayed or given up meanwhile.
UPDATE webhook_outbox SET
    state = (%(states)b::smallint[])[array_position(%(ids)b::bigint[], id)],
    due = (%(dues)b::timestamptz[])[array_position(%(ids)b::bigint[], id)],
    last_status = (%(statuses)b::smallint[])[array_position(%(ids)b::bigint[], id)],
    last_error = (%(errors)b::text[])[array_position(%(ids)b::bigint[], id)],
    attempts = attempts - (%(unmade)b::smallint[])[array_position(%(ids)b::bigint[], id)],
    done_at = CASE WHEN (%(states)b::smallint[])[array_position(%(ids)b::bigint[], id)] > 2 THEN %(now)b::timestamptz END
WHERE id = ANY(%(ids)b::bigint[]) AND state = 2
  AND token = (%(tokens)b::bigint[])[array_position(%(ids)b::bigint[], id)]
RETURNING id;

-- name: wake
-- What waited behind a row that is done is due now.
UPDATE webhook_outbox o SET due = least(o.due, %(now)b::timestamptz)
FROM unnest(%(endpoints)b::uuid[], %(messages)b::uuid[]) AS w(endpoint, message)
WHERE o.endpoint_id = w.endpoint AND o.message_id = w.message AND o.state = 1 AND o.due > %(now)b::timestamptz;

-- name: health
-- How an endpoint did in one round: `good` and `bad` attempts, the last of them told last.
INSERT INTO webhook_health AS h (endpoint_id, tenant_id, failing_since, failures, last_success_at, last_attempt_at,
                                 last_status, last_error, quiet_until)
SELECT w.id, w.tenant_id, CASE WHEN %(good)b::boolean THEN NULL ELSE %(now)b::timestamptz END, %(bad)b::integer,
       CASE WHEN %(good)b THEN %(now)b::timestamptz END, %(now)b::timestamptz, %(status)b::smallint, %(error)b::text, %(quiet)b::timestamptz
FROM webhook_endpoint w WHERE w.id = %(endpoint)b
ON CONFLICT (endpoint_id) DO UPDATE SET
    failing_since = CASE WHEN %(good)b THEN NULL ELSE coalesce(h.failing_since, EXCLUDED.failing_since) END,
    failures = CASE WHEN %(good)b THEN 0 ELSE least(h.failures + EXCLUDED.failures, 1000000) END,
    last_success_at = coalesce(EXCLUDED.last_success_at, h.last_success_at),
    last_attempt_at = EXCLUDED.last_attempt_at, last_status = EXCLUDED.last_status, last_error = EXCLUDED.last_error,
    quiet_until = CASE WHEN NOT %(good)b THEN greatest(h.quiet_until, EXCLUDED.quiet_until) END
RETURNING failing_since;

-- name: disable
-- Its trigger gives up what waits and writes the ledger's entry; the notice is due in the same statement.
WITH off AS (
    UPDATE webhook_endpoint SET disabled_at = %(now)b::timestamptz, disabled_why = %(why)b
    WHERE id = %(endpoint)b AND disabled_at IS NULL RETURNING id)
UPDATE webhook_health SET notice = 1, notice_at = NULL, notice_why = NULL
WHERE endpoint_id = ANY(ARRAY(SELECT id FROM off)) RETURNING endpoint_id;

-- name: notices
-- Disabled endpoints whose administrators are still to be told; one that could not be told is tried again each hour.
SELECT w.id, w.tenant_id, t.name AS tenant_name, t.timezone, t.keyset, w.url_ct, w.disabled_at, w.disabled_why,
       h.failing_since, h.last_success_at
FROM webhook_health h
JOIN webhook_endpoint w ON w.id = h.endpoint_id
JOIN tenant t ON t.id = w.tenant_id
WHERE w.disabled_at IS NOT NULL AND (h.notice = 1 OR h.notice = 3 AND h.notice_at < %(now)b::timestamptz - interval '1 hour')
ORDER BY w.disabled_at LIMIT 20;

-- name: noticed
UPDATE webhook_health SET notice = %(notice)b, notice_why = %(why)b, notice_at = %(now)b::timestamptz WHERE endpoint_id = %(endpoint)b;

-- name: admins
SELECT account_id, address_ct FROM webhook_admins_v1(%(tenant)b);

-- name: depth
SELECT count(*) AS waiting, count(*) FILTER (WHERE attempts > 0) AS retrying, min(at) AS oldest
FROM webhook_outbox WHERE state < 3;

-- name: endpoints
SELECT count(*) FILTER (WHERE w.disabled_at IS NULL) AS enabled, count(*) FILTER (WHERE w.disabled_at IS NOT NULL) AS disabled,
       count(*) FILTER (WHERE w.disabled_at IS NULL AND h.failing_since IS NOT NULL) AS failing,
       count(*) FILTER (WHERE h.notice = 3) AS untold
FROM webhook_endpoint w LEFT JOIN webhook_health h ON h.endpoint_id = w.id;

-- name: sweep
-- Seven days after a delivery or the last try, by pieces, so that no long transaction holds the table.
DELETE FROM webhook_outbox WHERE id = ANY(ARRAY(
    SELECT o.id FROM webhook_endpoint w JOIN LATERAL (
        SELECT id FROM webhook_outbox WHERE endpoint_id = w.id AND state > 2 AND done_at < %(now)b::timestamptz - %(kept)b::interval
        ORDER BY done_at LIMIT %(limit)b) AS o ON true
    LIMIT %(limit)b));

-- name: sweep_orphans
-- Of endpoints that were removed, found by one index probe an endpoint.
WITH RECURSIVE named AS (
    (SELECT endpoint_id AS id FROM webhook_outbox ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.endpoint_id FROM webhook_outbox o WHERE o.endpoint_id > n.id ORDER BY o.endpoint_id LIMIT 1)
    FROM named n WHERE n.id IS NOT NULL)
DELETE FROM webhook_outbox WHERE id = ANY(ARRAY(
    SELECT o.id FROM named n JOIN webhook_outbox o ON o.endpoint_id = n.id
    WHERE NOT EXISTS (SELECT FROM webhook_endpoint w WHERE w.id = n.id) LIMIT %(limit)b));

-- name: sweep_stranded
-- Queued by a transaction that had not yet seen its endpoint disabled.
UPDATE webhook_outbox SET state = 4, token = token + 1, done_at = %(now)b::timestamptz, last_error = 'endpoint-disabled'
WHERE state < 3 AND endpoint_id = ANY(ARRAY(SELECT id FROM webhook_endpoint WHERE disabled_at IS NOT NULL));

-- name: sweep_secrets
DELETE FROM webhook_secret WHERE ends_at <= %(now)b::timestamptz;
