-- What a receipt is made of. Each is a function that the pages use as well (control/ledger/sql/0003_receipts.sql).

-- name: receipt_messages
SELECT * FROM receipt_messages_v1(%(tenant)b, %(email)b, NULL);

-- name: receipt_events
SELECT * FROM receipt_events_v1(%(tenant)b, %(messages)b::uuid[]);

-- name: receipt_versions
SELECT * FROM receipt_versions_v1(%(tenant)b, %(email)b);

-- name: receipt_head
SELECT * FROM receipt_head_v1();

-- name: receipt_batches
SELECT * FROM receipt_batches_v1(%(indexes)b::bigint[]);

-- name: receipt_nodes
SELECT level, index, hash FROM ledger_hashes_v1(%(levels)b::smallint[], %(numbers)b::bigint[]);
