-- The clock as the gate takes it.

-- name: steady
-- With whether it stands behind what was seen of it: then overrides, keys and looks at domains that are over would count
-- again, and hours that are spent would be open.
SELECT n.now, EXISTS (SELECT FROM clock_mark WHERE high_water > n.now + interval '5 seconds') AS behind
FROM (SELECT now_v1() AS now OFFSET 0) AS n;
