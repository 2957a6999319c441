-- Sending domains as the duties keep them: which to ask the DNS about, what it said, and their keys' steps.

-- name: to_check
-- Each domain with the key that DNS must show, the policies whose grace counts, and those that somebody asks about now.
SELECT d.domain_id, d.tenant_id, d.name, k.selector, k.public_der, d.last_good_at, d.ready_until > now_v1() AS open,
       d.broken_at, t.keyset, now_v1() AS at,
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
LEFT JOIN dkim_key k ON k.domain_id = d.domain_id AND k.tenant_id = d.tenant_id AND k.state = 'active'
WHERE d.checked_at IS NULL OR d.checked_at < now_v1() - %(age)b::interval OR d.look_asked_at > d.checked_at
ORDER BY d.look_asked_at > d.checked_at DESC NULLS LAST, d.checked_at NULLS FIRST LIMIT 100;

-- name: other_keys
-- The keys of these domains that are not in force and whose records matter: waiting ones, and those before.
SELECT id, domain_id, selector, public_der, state, seen_at, overlap_ends FROM dkim_key
WHERE domain_id = ANY(%(domains)b::uuid[]) AND state IN ('pending', 'overlapping') ORDER BY created_at;

-- name: checked
-- A good check moves ready_until on by the grace; a bad one closes at once; a failed look-up leaves it to run out. It is of
-- the time at which it began, for an answer may be as old as that; what began earlier says nothing against a later one.
UPDATE domain_state SET checked_at = %(at)b::timestamptz, lookup_failed = %(failed)b, findings = %(findings)b::jsonb,
    views = %(views)b::jsonb,
    last_good_at = CASE WHEN %(ready)b THEN %(at)b::timestamptz ELSE last_good_at END,
    broken_at = CASE WHEN %(ready)b THEN NULL WHEN %(failed)b THEN broken_at
                     WHEN last_good_at IS NOT NULL THEN coalesce(broken_at, %(at)b::timestamptz) END,
    path_until = CASE WHEN %(failed)b THEN path_until WHEN %(path)b THEN %(at)b::timestamptz + %(grace)b ELSE 'epoch' END,
    ready_until = CASE WHEN %(failed)b THEN ready_until WHEN %(ready)b THEN %(at)b::timestamptz + %(grace)b
                       ELSE 'epoch' END
WHERE domain_id = %(domain)b AND tenant_id = %(tenant)b AND (checked_at IS NULL OR checked_at <= %(at)b::timestamptz)
RETURNING broken_at;

-- name: due
-- Domains whose active key is older than the schedule, and which are in order: a new key is made for each.
SELECT d.domain_id, d.tenant_id, d.name, t.keyset FROM dkim_key k
JOIN domain_state d ON d.domain_id = k.domain_id JOIN tenant t ON t.id = k.tenant_id
JOIN governed g ON g.subject = d.domain_id AND NOT g.retired
WHERE k.state = 'active' AND k.active_at <= now_v1() - %(after)b::interval AND d.ready_until > now_v1()
  AND NOT EXISTS (SELECT FROM dkim_key o WHERE o.domain_id = k.domain_id AND o.state IN ('pending', 'overlapping'))
ORDER BY k.active_at LIMIT 20;

-- name: begin
SELECT dkim_due_v1(%(domain)b, %(selector)b, %(private)b, %(public)b, %(bits)b, %(after)b);

-- name: looked
SELECT dkim_looked_v1(%(key)b, %(everywhere)b, %(settle)b, %(overlap)b);

-- name: end
SELECT dkim_end_v1(%(patience)b);

-- name: tell
SELECT domain_tell_v1(%(domain)b, %(case)b, %(what)b);
