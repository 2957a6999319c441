-- What the gate asks and writes. Facts are read in one pipelined round trip a batch, at the accepting transaction's start.

-- name: now
SELECT now_v1();

-- name: keys_by_hash
-- The keys of a batch with their tenant: everything about the caller. Hashes are unique across tenants; a rotated
-- key has two for a while, both of them within the scope of the version in force.
SELECT h.hash, k.id AS key_id, k.tenant_id, k.snapshot_id AS scope_snapshot, h.ends_at AS expires_at, k.revoked_at,
       k.networks, k.mode = 2 AS test, h.last_used_at,
       t.programme_id, t.code AS tenant_code, t.name AS tenant_name, t.kind AS tenant_kind, t.state AS tenant_state,
       t.timezone, t.plan, t.keyset, t.postal_address, p.code AS programme_code, p.domain AS programme_domain,
       p.profile,
       k.id = g.subject AND NOT g.retired AND r.snapshot_id IS NULL AS approved
FROM api_key_secret h
JOIN api_key k ON k.id = h.key_id
JOIN tenant t ON t.id = k.tenant_id
JOIN programme p ON p.id = t.programme_id
LEFT JOIN governed g ON g.subject = k.id
LEFT JOIN revocation r ON r.snapshot_id = k.snapshot_id
WHERE h.hash = ANY(%(hashes)b::bytea[]);

-- name: keys_used
SELECT api_keys_used_v1(%(hashes)b::bytea[]);

-- name: tenants_by_id
-- The same shape for Troth's own mail, which has no key.
SELECT t.id AS tenant_id, t.programme_id, t.code AS tenant_code, t.name AS tenant_name, t.kind AS tenant_kind,
       t.state AS tenant_state, t.timezone, t.plan, t.keyset, t.postal_address, p.code AS programme_code,
       p.domain AS programme_domain, p.profile
FROM tenant t JOIN programme p ON p.id = t.programme_id
WHERE t.id = ANY(%(tenants)b::uuid[]);

-- name: system_tenant
SELECT s.id FROM tenant t JOIN tenant s ON s.programme_id = t.programme_id AND s.kind = 2 WHERE t.id = %(tenant)b;

-- name: pauses
SELECT tenant_id, category_id, effect, started_by FROM pause
WHERE released_at IS NULL AND (tenant_id IS NULL OR tenant_id = ANY(%(tenants)b::uuid[]));

-- name: governed
-- What is in force for these tenants: categories, templates, policies of tenant, programme and installation.
SELECT g.tenant_id, g.kind, g.code, g.subject, g.snapshot_id, g.retired, s.version, s.digest,
       r.snapshot_id IS NOT NULL AS revoked
FROM governed g
JOIN snapshot s ON s.id = g.snapshot_id
LEFT JOIN revocation r ON r.snapshot_id = g.snapshot_id
WHERE (g.tenant_id = ANY(%(tenants)b::uuid[]) AND g.kind IN ('category', 'template', 'policy', 'domain'))
   OR (g.tenant_id IS NULL AND g.kind = 'policy');

-- name: pinned
-- Versions that requests name themselves. A snapshot is an approved version; one of a retired template stays retired.
SELECT s.tenant_id, s.kind, s.code, s.subject, s.id AS snapshot_id, g.retired, s.version, s.digest,
       r.snapshot_id IS NOT NULL AS revoked
FROM unnest(%(tenants)b::uuid[], %(codes)b::text[], %(versions)b::integer[]) AS u(tenant, code, version)
JOIN governed g ON g.tenant_id = u.tenant AND g.kind = 'template' AND g.code = u.code
JOIN snapshot s ON s.kind = 'template' AND s.subject = g.subject AND s.version = u.version
LEFT JOIN revocation r ON r.snapshot_id = s.id;

-- name: proposed
-- What waits for its second person, so that the answer can say so instead of "unknown".
SELECT tenant_id, kind, code FROM change
WHERE state = 1 AND tenant_id = ANY(%(tenants)b::uuid[]) AND kind IN ('category', 'template');

-- name: snapshots
-- Immutable, so each is read once a process. The database checks the digest against the artefact at every insert.
SELECT id, kind, tenant_id, subject, code, version, artefact, digest FROM snapshot WHERE id = ANY(%(ids)b::uuid[]);

-- name: domain_states
-- A domain that was retired or stopped is not ready, whatever its DNS says.
SELECT d.tenant_id, d.name, d.domain_id,
       CASE WHEN g.retired IS NOT DISTINCT FROM false AND r.snapshot_id IS NULL THEN d.ready_until
            ELSE 'epoch' END AS ready_until,
       d.checked_at, d.last_good_at, d.lookup_failed, d.findings
FROM domain_state d
LEFT JOIN governed g ON g.subject = d.domain_id AND g.tenant_id = d.tenant_id
LEFT JOIN revocation r ON r.snapshot_id = g.snapshot_id
WHERE d.tenant_id = ANY(%(tenants)b::uuid[]);

-- name: people
-- One row for every (tenant, index) asked about, in the order asked; person columns are NULL for strangers. Of several
-- entries the one given is the one that weighs most: none is overridden unless all are, and one's own is told first.
SELECT w.n, p.id AS person_id, p.data_key, p.status, p.pathway, p.verified_at, p.expires_at, p.timezone,
       x.reason, coalesce(x.own, false) AS own, coalesce(x.overridden, false) AS overridden,
       ARRAY(SELECT o.category_id FROM opt_out o WHERE o.tenant_id = w.tenant AND o.blind_index = w.idx
             AND NOT EXISTS (SELECT FROM opt_in i WHERE i.tenant_id = o.tenant_id AND i.blind_index = o.blind_index
                             AND i.category_id = o.category_id AND i.created_at > o.created_at)) AS opted_out
FROM unnest(%(tenants)b::uuid[], %(indexes)b::bytea[]) WITH ORDINALITY AS w(tenant, idx, n)
LEFT JOIN person p ON p.tenant_id = w.tenant AND p.blind_index = w.idx
LEFT JOIN LATERAL (
    SELECT s.reason, coalesce(s.tenant_id = w.tenant, false) AS own, o.overridden
    FROM suppression s
    CROSS JOIN LATERAL (SELECT overridden_v1(w.tenant, s.blind_index, s.reason, s.source, %(now)b, %(now)b) AS overridden) AS o
    WHERE s.blind_index = w.idx
    ORDER BY o.overridden, 2 DESC, s.reason NOT IN (2, 4), s.reason <> 3, s.reason LIMIT 1) AS x ON true
ORDER BY w.n;

-- name: idempotency_find
SELECT tenant_id, key_hash, fingerprint, answer FROM idempotency
WHERE (tenant_id, key_hash) IN (SELECT * FROM unnest(%(tenants)b::uuid[], %(keys)b::bytea[])) AND expires_at > %(now)b;

-- name: idempotency_take
-- Sorted, so that two batches with the same keys wait rather than deadlock. A key whose time is over is taken again.
INSERT INTO idempotency (tenant_id, key_hash, fingerprint, answer, created_at, expires_at)
SELECT t, k, f, a, %(now)b, e
FROM unnest(%(tenants)b::uuid[], %(keys)b::bytea[], %(prints)b::bytea[], %(answers)b::text[], %(ends)b::timestamptz[])
     AS u(t, k, f, a, e)
ORDER BY t, k
ON CONFLICT (tenant_id, key_hash) DO UPDATE
SET fingerprint = EXCLUDED.fingerprint, answer = EXCLUDED.answer, created_at = EXCLUDED.created_at,
    expires_at = EXCLUDED.expires_at
WHERE idempotency.expires_at <= EXCLUDED.created_at
RETURNING tenant_id, key_hash;

-- name: idempotency_drop
-- A request that was refused after all: only 2xx answers are kept.
DELETE FROM idempotency
WHERE (tenant_id, key_hash) IN (SELECT * FROM unnest(%(tenants)b::uuid[], %(keys)b::bytea[]));

-- name: idempotency_replace
UPDATE idempotency SET answer = %(answer)b WHERE tenant_id = %(tenant)b AND key_hash = %(key)b;

-- name: rate_reserve
-- Counters are locked in one order and reserved in the same statement; one that cannot take all that the batch asks of
-- it is left alone and returns no row, but is locked with the others: locked later, it would be out of order. What is
-- more than a cap asks for 0 here, and its row counts for nothing. rate_never_exceeded stands behind the WHERE.
INSERT INTO rate_counter (tenant_id, scope, subject, window_start, used, cap)
SELECT t, c, s, w, CASE WHEN n <= l THEN n ELSE 0 END, l
FROM unnest(%(tenants)b::uuid[], %(scopes)b::smallint[], %(subjects)b::uuid[], %(starts)b::timestamptz[],
            %(amounts)b::integer[], %(caps)b::integer[]) AS u(t, c, s, w, n, l)
ORDER BY t, c, s, w
ON CONFLICT (tenant_id, scope, subject, window_start) DO UPDATE
SET used = rate_counter.used + EXCLUDED.used, cap = EXCLUDED.cap
WHERE rate_counter.used + EXCLUDED.used <= EXCLUDED.cap
RETURNING tenant_id, scope, subject, window_start, used;

-- name: rate_lock
-- For the counters that could not take the whole batch: locked, with what is used, so that it can be shared out.
INSERT INTO rate_counter (tenant_id, scope, subject, window_start, used, cap)
SELECT t, c, s, w, 0, l
FROM unnest(%(tenants)b::uuid[], %(scopes)b::smallint[], %(subjects)b::uuid[], %(starts)b::timestamptz[],
            %(caps)b::integer[]) AS u(t, c, s, w, l)
ORDER BY t, c, s, w
ON CONFLICT (tenant_id, scope, subject, window_start) DO UPDATE SET cap = greatest(rate_counter.used, EXCLUDED.cap)
RETURNING tenant_id, scope, subject, window_start, used;

-- name: rate_adjust
-- What was shared out of locked counters (positive), and what refused requests give back (negative). The rows are
-- locked by this transaction already.
UPDATE rate_counter r SET used = r.used + u.n
FROM unnest(%(tenants)b::uuid[], %(scopes)b::smallint[], %(subjects)b::uuid[], %(starts)b::timestamptz[],
            %(amounts)b::integer[]) AS u(t, c, s, w, n)
WHERE r.tenant_id = u.t AND r.scope = u.c AND r.subject = u.s AND r.window_start = u.w;

-- name: rate_free
-- Of windows that have not begun: what was counted there and will not go there. Locked in the one order first.
WITH freed AS (
    SELECT * FROM unnest(%(tenants)b::uuid[], %(scopes)b::smallint[], %(subjects)b::uuid[], %(starts)b::timestamptz[],
                         %(amounts)b::integer[]) AS u(t, c, s, w, n)),
locked AS MATERIALIZED (
    SELECT r.tenant_id, r.scope, r.subject, r.window_start FROM rate_counter r
    WHERE (r.tenant_id, r.scope, r.subject, r.window_start) IN (SELECT t, c, s, w FROM freed)
    ORDER BY 1, 2, 3, 4 FOR UPDATE)
UPDATE rate_counter r SET used = greatest(0, r.used - u.n)
FROM freed u JOIN locked l ON l.tenant_id = u.t AND l.scope = u.c AND l.subject = u.s AND l.window_start = u.w
WHERE r.tenant_id = u.t AND r.scope = u.c AND r.subject = u.s AND r.window_start = u.w;

-- name: insert_emails
INSERT INTO email (id, tenant_id, api_key_id, category_id, category_snapshot, template_snapshot, policy_digest,
                   created_at, scheduled_at, recipients)
SELECT * FROM unnest(%(id)b::uuid[], %(tenant_id)b::uuid[], %(api_key_id)b::uuid[], %(category_id)b::uuid[],
    %(category_snapshot)b::uuid[], %(template_snapshot)b::uuid[], %(policy_digest)b::bytea[],
    %(created_at)b::timestamptz[], %(scheduled_at)b::timestamptz[], %(recipients)b::smallint[]);

-- name: insert_messages
INSERT INTO message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct,
                     facts_ct, state, state_at)
SELECT i, e, t, p, b, c, f, a, d, k, s, a
FROM unnest(%(id)b::uuid[], %(email_id)b::uuid[], %(tenant_id)b::uuid[], %(person_id)b::uuid[],
    %(blind_index)b::bytea[], %(category_id)b::uuid[], %(field)b::smallint[], %(created_at)b::timestamptz[],
    %(decision_ct)b::bytea[], %(facts_ct)b::bytea[], %(state)b::smallint[]) AS u(i, e, t, p, b, c, f, a, d, k, s);

-- name: insert_bodies
INSERT INTO message_body (message_id, tenant_id, body_ct)
SELECT * FROM unnest(%(id)b::uuid[], %(tenant_id)b::uuid[], %(body_ct)b::bytea[]);

-- name: insert_spool
INSERT INTO spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,
                   template_snapshot, domain_id, state, due, lifetime_ends, counted, counted_day, on_consent)
SELECT * FROM unnest(%(id)b::uuid[], %(tenant_id)b::uuid[], %(email_id)b::uuid[], %(person_id)b::uuid[],
    %(blind_index)b::bytea[], %(category_id)b::uuid[], %(category_snapshot)b::uuid[], %(template_snapshot)b::uuid[],
    %(domain_id)b::uuid[], %(state)b::smallint[], %(due)b::timestamptz[], %(lifetime_ends)b::timestamptz[],
    %(counted)b::timestamptz[], %(counted_day)b::timestamptz[], %(on_consent)b::boolean[]);

-- name: insert_requests
INSERT INTO api_request (id, tenant_id, api_key_id, at, method, route, status, problem, email_id, decision_ct,
                         facts_ct)
SELECT * FROM unnest(%(id)b::uuid[], %(tenant_id)b::uuid[], %(api_key_id)b::uuid[], %(at)b::timestamptz[],
    %(method)b::text[], %(route)b::text[], %(status)b::smallint[], %(problem)b::text[], %(email_id)b::uuid[],
    %(decision_ct)b::bytea[], %(facts_ct)b::bytea[]);
