-- The reputation of what mail leaves from: each look a row, kept.

-- name: due
-- Whether the last look is older than so long.
SELECT NOT EXISTS (SELECT FROM reputation_look WHERE at > now_v1() - %(age)b::interval), now_v1();

-- name: domains
-- Sending domains in service, whose names are looked up on domain lists.
SELECT d.name, d.tenant_id FROM domain_state d JOIN governed g ON g.subject = d.domain_id AND NOT g.retired
ORDER BY d.name LIMIT 5000;

-- name: newest
-- What was said last of each of these.
SELECT w.subject, w.list, l.state, l.at FROM unnest(%(subjects)b::text[], %(lists)b::text[]) AS w(subject, list)
CROSS JOIN LATERAL (SELECT state, at FROM reputation_look r WHERE r.subject = w.subject AND r.list = w.list
                    ORDER BY r.at DESC LIMIT 1) AS l;

-- name: keep
INSERT INTO reputation_look (id, tenant_id, subject, list, at, state, said)
SELECT i, t, s, l, now_v1(), x, w
FROM unnest(%(ids)b::uuid[], %(tenants)b::uuid[], %(subjects)b::text[], %(lists)b::text[], %(states)b::text[], %(said)b::text[])
     AS u(i, t, s, l, x, w);
