-- The sequencer's own statements, role troth_ledger: what waits, the tree's right edge, and what is added to it.

-- name: ledger_lead
-- One sequencer at a time; the lock goes with its session.
SELECT pg_try_advisory_lock(7403);

-- name: ledger_now
SELECT now_v1();

-- name: ledger_key
SELECT vkey FROM ledger_key WHERE log_id = 1;

-- name: ledger_key_add
INSERT INTO ledger_key (log_id, vkey, created_at) VALUES (1, %(vkey)b, %(at)b);

-- name: ledger_size
SELECT coalesce(max(index) + 1, 0) FROM ledger_leaf WHERE log_id = 1;

-- name: ledger_nodes
-- The frontier: a handful of nodes by key, level 0 being the leaves' own hashes.
SELECT n.level, n.index, n.hash FROM ledger_node n
WHERE n.log_id = 1 AND (n.level, n.index) IN (
    SELECT * FROM unnest(%(levels)b::smallint[], %(indexes)b::bigint[]))
UNION ALL
SELECT 0::smallint, l.index, l.leaf_hash FROM ledger_leaf l
WHERE l.log_id = 1 AND l.index = ANY(ARRAY(
    SELECT i FROM unnest(%(levels)b::smallint[], %(indexes)b::bigint[]) AS u(v, i) WHERE v = 0));

-- name: ledger_entries
SELECT id, tenant_id, kind, at, leaf, leaf_hash FROM ledger_pending WHERE log_id = 1 ORDER BY id LIMIT %(most)b;

-- name: ledger_events
SELECT id, first_at, last_at, hashes, tally_tenant, tally_hour, tally_kind, tally_n
FROM event_pending WHERE log_id = 1 ORDER BY id LIMIT %(most)b;

-- name: ledger_leaves_add
INSERT INTO ledger_leaf (log_id, index, tenant_id, kind, at, leaf, leaf_hash)
SELECT 1, * FROM unnest(%(index)b::bigint[], %(tenant_id)b::uuid[], %(kind)b::text[], %(at)b::timestamptz[],
                        %(leaf)b::text[], %(leaf_hash)b::bytea[]);

-- name: ledger_batch_add
INSERT INTO ledger_batch (log_id, index, events, first_at, last_at, hashes)
VALUES (1, %(index)b, %(events)b, %(first_at)b, %(last_at)b, %(hashes)b);

-- name: ledger_nodes_add
INSERT INTO ledger_node (log_id, level, index, hash)
SELECT 1, * FROM unnest(%(levels)b::smallint[], %(indexes)b::bigint[], %(hashes)b::bytea[]);

-- name: ledger_checkpoint_add
INSERT INTO ledger_checkpoint (log_id, size, root, at, note) VALUES (1, %(size)b, %(root)b, %(at)b, %(note)b);

-- name: ledger_checkpoint_at
SELECT note FROM ledger_checkpoint WHERE log_id = 1 AND size = %(size)b;

-- name: ledger_checkpoint_newest
SELECT note FROM ledger_checkpoint WHERE log_id = 1 ORDER BY size DESC LIMIT 1;

-- name: ledger_entries_drop
DELETE FROM ledger_pending WHERE id = ANY(%(ids)b::bigint[]);

-- name: ledger_events_drop
DELETE FROM event_pending WHERE id = ANY(%(ids)b::bigint[]);

-- name: ledger_tally
-- In one order, though there is one sequencer: a second one may be taking over.
INSERT INTO event_tally (tenant_id, hour, kind, n)
SELECT * FROM unnest(%(tenants)b::uuid[], %(hours)b::timestamptz[], %(kinds)b::smallint[], %(counts)b::bigint[])
ORDER BY 1, 2, 3
ON CONFLICT (tenant_id, hour, kind) DO UPDATE SET n = event_tally.n + EXCLUDED.n;

-- name: ledger_behind
SELECT ledger_behind_v1(%(seen)b::bigint);
