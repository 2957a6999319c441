-- The clock as the gate takes it.

-- name: steady
-- With whether it stands behind what was seen of it: then overrides, keys and looks at domains that are over would count
-- again, and hours that are spent would be open.
-- So they would in a database that was rolled back: the sequencer has found that it lacks what its witness saw.
SELECT n.now, EXISTS (SELECT FROM clock_mark WHERE high_water > n.now + interval '5 seconds') AS behind,
       EXISTS (SELECT FROM pause WHERE tenant_id IS NULL AND released_at IS NULL AND started_by = 'ledger') AS rolled_back
FROM (SELECT now_v1() AS now OFFSET 0) AS n;
