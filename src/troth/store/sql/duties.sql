-- What must happen on time: the clock's mark, partitions, domain checks, and sweeping what has served.

-- name: high_water
INSERT INTO clock_mark (high_water) VALUES (now_v1())
ON CONFLICT (single) DO UPDATE SET high_water = greatest(clock_mark.high_water, EXCLUDED.high_water)
RETURNING high_water;

-- name: make_partitions
SELECT make_partitions_v1();

-- name: lead
-- One process at a time does the duties; the lock goes with its session.
SELECT pg_try_advisory_lock(7402);

-- name: domains_to_check
-- Each domain with the key that DNS must show, and with the policies whose grace counts.
SELECT d.domain_id, d.tenant_id, d.name, k.selector, k.public_der,
       (SELECT p.artefact FROM governed q JOIN snapshot p ON p.id = q.snapshot_id
        WHERE q.kind = 'policy' AND q.tenant_id IS NULL AND q.code = 'programme:' || h.code AND NOT q.retired) AS promise,
       (SELECT p.artefact FROM governed q JOIN snapshot p ON p.id = q.snapshot_id
        WHERE q.kind = 'policy' AND q.tenant_id IS NULL AND q.code = 'operator' AND NOT q.retired) AS operator,
       (SELECT p.artefact FROM governed q JOIN snapshot p ON p.id = q.snapshot_id
        WHERE q.kind = 'policy' AND q.tenant_id = d.tenant_id AND q.code = 'tenant' AND NOT q.retired) AS tenant
FROM domain_state d
JOIN tenant t ON t.id = d.tenant_id
JOIN programme h ON h.id = t.programme_id
JOIN governed g ON g.subject = d.domain_id AND NOT g.retired
JOIN snapshot s ON s.id = g.snapshot_id
LEFT JOIN dkim_key k ON k.domain_id = d.domain_id AND k.tenant_id = d.tenant_id AND k.retired_at IS NULL
    AND k.selector = s.artefact::jsonb ->> 'selector'
WHERE d.checked_at IS NULL OR d.checked_at < now_v1() - %(age)b::interval
ORDER BY d.checked_at NULLS FIRST LIMIT 100;

-- name: domain_checked
-- A good check moves ready_until on by the grace; a bad one closes at once; a failed look-up leaves it to run out.
UPDATE domain_state SET checked_at = now_v1(), lookup_failed = %(failed)b, findings = %(findings)b::jsonb,
    last_good_at = CASE WHEN %(ready)b THEN now_v1() ELSE last_good_at END,
    ready_until = CASE WHEN %(failed)b THEN ready_until WHEN %(ready)b THEN now_v1() + %(grace)b
                       ELSE 'epoch' END
WHERE domain_id = %(domain)b AND tenant_id = %(tenant)b;

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
