-- Complaints: which loops are believed, what is known of the message and its recipient, and what is written of one.

-- name: complaint_loops
-- Few rows; read with every letter, so that a loop that was ended is not believed a second longer.
SELECT id, name, provider, domains, sender FROM feedback_loop WHERE ended_at IS NULL;

-- name: complaint_told
SELECT feedback_loop_told_v1(%(loop)b, %(kind)b, %(new)b);

-- name: complaint_about
-- How the recipient came to be one: whoever reviews the complaint needs it, and asks for it by the message alone.
SELECT m.created_at AS sent_for_at, g.code AS category, s.code AS template, s.version, s.subject AS template_subject,
       t.kind AS tenant_kind, p.status, p.pathway, p.verified_at, p.expires_at, p.created_at AS registered_at, p.address_ct
FROM message m
JOIN email e ON e.id = m.email_id
JOIN person p ON p.id = m.person_id
JOIN tenant t ON t.id = m.tenant_id
LEFT JOIN governed g ON g.subject = m.category_id
LEFT JOIN snapshot s ON s.id = e.template_snapshot
WHERE m.id = %(id)b;

-- name: complaint_consents
-- The newest ten that bear on this message's category.
SELECT kind, basis, at, expires_at FROM consent
WHERE tenant_id = %(tenant)b AND person_id = %(person)b AND (category_id = %(category)b OR category_id IS NULL)
ORDER BY at DESC LIMIT 10;

-- name: complaint_keep
SELECT complaint_v1(%(id)b, %(message)b, %(source_key)b, %(case)b, %(loop)b, %(via)b, %(kind)b, %(came_at)b);

-- name: complaint_pattern
SELECT n, stopped FROM complaint_pattern_v1(%(tenant)b, %(hours)b);

-- name: complaint_stop
-- The watch over complaints is no person: it may stop, and lifting it takes two people.
SELECT (pause_v1(%(tenants)b::uuid[], 'stop-delivery', %(reason)b, 'complaints'))[1];

-- name: complaint_templates
-- Hours of which a template's messages are to be counted; a day of them at once keeps the rest of the duties going.
SELECT template_hours_v1(24);
