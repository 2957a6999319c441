-- Events and what they do to a message. flow/events.py is the only caller.

-- name: insert_events
-- A duplicate report is one event: the key is message, kind and source. What was new also goes to the outbox of each
-- endpoint of its tenant that hears of its kind, in the same transaction and in the order told: nothing of a kind that
-- nobody hears of. A disabled endpoint's rows are given up at once, there to be replayed.
WITH told AS (
    INSERT INTO event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash)
    SELECT * FROM unnest(%(message_id)b::uuid[], %(kind)b::smallint[], %(source_key)b::text[], %(tenant_id)b::uuid[],
                         %(at)b::timestamptz[], %(detail_ct)b::bytea[], %(leaf_hash)b::bytea[])
    ON CONFLICT DO NOTHING
    RETURNING message_id, kind, source_key, tenant_id, at),
queued AS (
    INSERT INTO webhook_outbox (tenant_id, endpoint_id, message_id, kind, source_key, at, due, state, done_at, last_error)
    SELECT t.tenant_id, w.id, t.message_id, t.kind, t.source_key, t.at, t.at,
           CASE WHEN w.disabled_at IS NULL THEN 1 ELSE 4 END, CASE WHEN w.disabled_at IS NOT NULL THEN t.at END,
           CASE WHEN w.disabled_at IS NOT NULL THEN 'endpoint-disabled' END
    FROM (SELECT *, row_number() OVER () AS n FROM told) AS t
    JOIN webhook_endpoint w ON w.tenant_id = t.tenant_id AND t.kind = ANY(w.kinds)
    ORDER BY t.n)
SELECT message_id, kind FROM told;

-- name: lock_spool
-- The rows of a batch that still carry the claim's token, locked in one order.
SELECT s.message_id, s.state FROM spool s
JOIN unnest(%(ids)b::uuid[], %(tokens)b::bigint[]) AS w(id, token) ON s.message_id = w.id AND s.token = w.token
WHERE s.message_id = ANY(%(ids)b::uuid[])
ORDER BY s.message_id FOR UPDATE OF s;

-- name: drop_spool
DELETE FROM spool WHERE message_id = ANY(%(ids)b::uuid[]);

-- name: keep_spool
-- Back into the spool: each row gets its own new state, time and schedule. The token moves, so that whoever held the
-- old claim can do no more.
UPDATE spool SET token = token + 1,
    state = (%(states)b::smallint[])[array_position(%(ids)b::uuid[], message_id)],
    due = (%(dues)b::timestamptz[])[array_position(%(ids)b::uuid[], message_id)],
    schedule = (%(schedules)b::text[])[array_position(%(ids)b::uuid[], message_id)],
    schedule_attempts = (%(schedule_attempts)b::smallint[])[array_position(%(ids)b::uuid[], message_id)],
    first_failed_at = (%(first_failed)b::timestamptz[])[array_position(%(ids)b::uuid[], message_id)],
    lost_claims = (%(lost)b::smallint[])[array_position(%(ids)b::uuid[], message_id)],
    counted = coalesce((%(counted)b::timestamptz[])[array_position(%(ids)b::uuid[], message_id)], counted),
    counted_day = coalesce((%(counted_days)b::timestamptz[])[array_position(%(ids)b::uuid[], message_id)], counted_day)
WHERE message_id = ANY(%(ids)b::uuid[]);

-- name: set_states
-- The cache of the events. An illegal step is refused by the trigger made from rules/states.py.
UPDATE message SET state_at = %(now)b,
    state = (%(states)b::smallint[])[array_position(%(ids)b::uuid[], id)]
WHERE id = ANY(%(ids)b::uuid[]);

-- name: lock_messages
-- For reports that come from outside the spool: the state and the person's key, so that the detail can be sealed.
SELECT m.id, m.tenant_id, m.person_id, m.category_id, m.blind_index, m.state, p.data_key, t.keyset
FROM message m JOIN person p ON p.id = m.person_id JOIN tenant t ON t.id = m.tenant_id
WHERE m.id = ANY(%(ids)b::uuid[])
ORDER BY m.id FOR UPDATE OF m;

-- name: lock_places
-- Before lock_messages, in the order in which workers lock: a report waits for whoever settles the same message.
SELECT message_id, state, attempts FROM spool WHERE message_id = ANY(%(ids)b::uuid[]) ORDER BY message_id FOR UPDATE;

-- name: told_already
-- A report that is known is the same event, whatever was made of it the first time.
SELECT EXISTS (SELECT FROM event WHERE message_id = %(id)b AND source_key = %(source_key)b);

-- name: told_later
-- How often others told of a message after the next hop took it, by what was made of it.
SELECT count(*) FROM event WHERE message_id = %(id)b AND kind = %(kind)b AND source_key ~ '^(dsn|mailgun|ses):';

-- name: went_out
-- The newest attempt that the next hop took, and whether its letter is still here.
SELECT p.address_ct, e.source_key, e.detail_ct,
       EXISTS (SELECT FROM message_body b WHERE b.message_id = m.id) AS letter
FROM message m JOIN person p ON p.id = m.person_id
LEFT JOIN LATERAL (SELECT source_key, detail_ct FROM event WHERE message_id = m.id AND kind = 8
                   ORDER BY length(source_key) DESC, source_key DESC LIMIT 1) AS e ON true
WHERE m.id = %(id)b;

-- name: reached
-- Whom a message was for, so that a notification's recipients can be compared.
SELECT m.tenant_id, m.person_id, p.data_key, p.address_ct, t.keyset
FROM message m JOIN person p ON p.id = m.person_id JOIN tenant t ON t.id = m.tenant_id WHERE m.id = %(id)b;

-- name: put_back
-- A message that the next hop gave back, as it stood before it was sent. Its limits were counted long ago.
INSERT INTO spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,
    template_snapshot, domain_id, state, due, lifetime_ends, attempts, schedule, schedule_attempts, first_failed_at,
    counted, on_consent)
SELECT m.id, m.tenant_id, m.email_id, m.person_id, m.blind_index, m.category_id, e.category_snapshot,
    e.template_snapshot, %(domain)b, 7, %(due)b, %(ends)b, %(attempts)b, %(schedule)b, %(schedule_attempts)b, %(first)b,
    m.created_at, %(consent)b
FROM message m JOIN email e ON e.id = m.email_id WHERE m.id = %(id)b;

-- name: take_for_cancel
-- What may still be called back: anything not yet marked. Locked, so that a mark waits and then finds it gone.
SELECT s.message_id, s.tenant_id, s.person_id, s.blind_index, s.state, s.due, s.lifetime_ends, s.attempts, p.data_key,
       t.keyset, s.counted, s.counted_day, s.on_consent, p.timezone
FROM spool s JOIN person p ON p.id = s.person_id JOIN tenant t ON t.id = s.tenant_id
WHERE s.tenant_id = %(tenant)b AND s.email_id = %(email)b AND s.state <> 4
ORDER BY s.message_id FOR UPDATE OF s;

-- name: email_facts
-- What governed an email of this tenant when it was accepted.
SELECT e.id, e.category_id, e.template_snapshot, t.subject AS template_subject, e.scheduled_at, k.hash AS key_hash,
       k.id AS key_id
FROM email e LEFT JOIN api_key k ON k.id = e.api_key_id LEFT JOIN snapshot t ON t.id = e.template_snapshot
WHERE e.tenant_id = %(tenant)b AND e.id = %(email)b;

-- name: reschedule
-- Each message's new place, as the gate judged it. The token moves, so that a claim made meanwhile marks nothing.
UPDATE spool SET token = token + 1,
    state = (%(state)b::smallint[])[array_position(%(message_id)b::uuid[], message_id)],
    due = (%(due)b::timestamptz[])[array_position(%(message_id)b::uuid[], message_id)],
    lifetime_ends = (%(lifetime_ends)b::timestamptz[])[array_position(%(message_id)b::uuid[], message_id)],
    counted = (%(counted)b::timestamptz[])[array_position(%(message_id)b::uuid[], message_id)],
    counted_day = (%(counted_day)b::timestamptz[])[array_position(%(message_id)b::uuid[], message_id)],
    on_consent = (%(on_consent)b::boolean[])[array_position(%(message_id)b::uuid[], message_id)]
WHERE message_id = ANY(%(message_id)b::uuid[]);

-- name: suppress
SELECT suppress_v1(%(indexes)b::bytea[], %(reasons)b::smallint[], %(sources)b::text[], %(tenants)b::uuid[],
                   %(addresses)b::bytea[]);

-- name: opt_out
SELECT opt_out_v1(%(tenant)b, %(index)b, %(category)b, %(source)b);

-- name: release_orders_drop
DELETE FROM release_order WHERE message_id = ANY(%(ids)b::uuid[]);
