-- What must happen on time: the clock's mark, partitions, and sweeping what has served.

-- name: high_water
INSERT INTO clock_mark (high_water) VALUES (now_v1())
ON CONFLICT (single) DO UPDATE SET high_water = greatest(clock_mark.high_water, EXCLUDED.high_water)
RETURNING high_water;

-- name: make_partitions
SELECT make_partitions_v1();

-- name: lead
-- One process at a time does the duties; the lock goes with its session.
SELECT pg_try_advisory_lock(7402);

-- name: expire_changes
SELECT expire_changes_v1();

-- name: sweep_idempotency
DELETE FROM idempotency WHERE expires_at < now_v1() - interval '1 hour';

-- name: sweep_rates
DELETE FROM rate_counter WHERE window_start < now_v1() - interval '8 days';

-- name: sweep_confirmations
-- Thirty days after their end, whether they were used or not; no sooner, by a trigger.
DELETE FROM confirmation WHERE expires_at <= now_v1() - interval '30 days';

-- name: sweep_codes
DELETE FROM own_code WHERE expires_at <= now_v1() - interval '30 days';

-- name: installation
SELECT id, mode, cell, secrets_ct, operator_keyset FROM installation;
