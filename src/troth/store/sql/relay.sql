-- The relay's webhooks: each call is taken once, and what they told is counted.

-- name: relay_begin
-- A call that is new, or that was begun with the very same body and never ended; no row for any other.
INSERT INTO relay_call AS c (relay, token, body) VALUES (%(relay)b, %(token)b, %(body)b)
ON CONFLICT (relay, token) DO UPDATE SET done = c.done WHERE NOT c.done AND c.body = EXCLUDED.body
RETURNING true;

-- name: relay_end
UPDATE relay_call SET done = true WHERE relay = %(relay)b AND token = %(token)b;

-- name: relay_wall
SELECT now_v1() AS now, clock_timestamp() AS wall;

-- name: relay_count
INSERT INTO relay_count AS c (relay, outcome, day, n, at)
SELECT %(relay)b, o, (now_v1() AT TIME ZONE 'UTC')::date, k, now_v1()
FROM unnest(%(outcomes)b::text[], %(numbers)b::bigint[]) AS u(o, k) ORDER BY o
ON CONFLICT (relay, outcome, day) DO UPDATE SET n = c.n + EXCLUDED.n, at = EXCLUDED.at;

-- name: relay_sweep
-- A day longer than the longest time for which a signature may be believed.
DELETE FROM relay_call WHERE seen < clock_timestamp() - interval '2 days';
