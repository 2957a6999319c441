-- A recipient's own page: what one message's link may see and do. All by the message that the link names.

-- name: own_letter
-- The message, whose it is and what it was sent as: the category as it was approved when the message was accepted.
SELECT m.id, m.tenant_id, m.person_id, m.blind_index, m.category_id, m.created_at, m.state,
       t.name AS client, t.postal_address, t.keyset, t.kind = 2 AS system, c.code, c.artefact,
       p.status, p.pathway, p.verified_at, p.expires_at, p.erased_at, p.created_at AS registered_at, p.data_key,
       p.address_ct,
       ARRAY(SELECT DISTINCT s.reason FROM suppression s WHERE s.blind_index = m.blind_index ORDER BY 1) AS listed,
       (SELECT r.at FROM abuse_report r WHERE r.message_id = m.id) AS reported_at,
       (SELECT max(o.used_at) FROM own_code o WHERE o.blind_index = m.blind_index AND o.message_id = m.id AND o.act = 2
       ) AS withdrawn_at
FROM message m
JOIN email e ON e.id = m.email_id
JOIN person p ON p.id = m.person_id
JOIN tenant t ON t.id = m.tenant_id
JOIN snapshot c ON c.id = e.category_snapshot
WHERE m.id = %(message)b;

-- name: own_categories
-- All that this client sends, with what is in force of each, and whether this recipient has opted out of it.
SELECT g.subject AS id, g.code, s.artefact,
       EXISTS (SELECT FROM opt_out o WHERE o.tenant_id = g.tenant_id AND o.blind_index = %(index)b AND o.category_id = g.subject
               AND NOT EXISTS (SELECT FROM opt_in i WHERE i.tenant_id = o.tenant_id AND i.blind_index = o.blind_index
                               AND i.category_id = o.category_id AND i.created_at > o.created_at)) AS out
FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.tenant_id = %(tenant)b AND g.kind = 'category' AND NOT g.retired ORDER BY g.code LIMIT 500;

-- name: own_stopped
-- Since when one opt-out from this client holds, and whether it came in a file. No category: of all its mail alone.
SELECT s.created_at, s.source LIKE 'import:%%' AS imported FROM suppression s
WHERE s.blind_index = %(index)b AND s.reason = 3 AND s.tenant_id = %(tenant)b
UNION ALL
SELECT o.created_at, o.source LIKE 'import:%%' FROM opt_out o
WHERE o.tenant_id = %(tenant)b AND o.blind_index = %(index)b AND o.category_id = %(category)b
  AND NOT EXISTS (SELECT FROM opt_in i WHERE i.tenant_id = o.tenant_id AND i.blind_index = o.blind_index
                  AND i.category_id = o.category_id AND i.created_at > o.created_at)
ORDER BY created_at LIMIT 1;

-- name: own_consents
SELECT id, category_id, kind, basis, at, expires_at, detail_ct FROM consent
WHERE tenant_id = %(tenant)b AND person_id = %(person)b ORDER BY at DESC, id DESC LIMIT 1000;

-- name: own_opt_outs
SELECT category_id, source, created_at, false AS back FROM opt_out WHERE tenant_id = %(tenant)b AND blind_index = %(index)b
UNION ALL
SELECT category_id, source, created_at, true FROM opt_in WHERE tenant_id = %(tenant)b AND blind_index = %(index)b
ORDER BY created_at LIMIT 1000;

-- name: own_suppressions
-- Whose report it was is not told, but for this client's own.
SELECT reason, CASE WHEN tenant_id = %(tenant)b THEN source ELSE '' END AS source, created_at FROM suppression
WHERE blind_index = %(index)b ORDER BY created_at LIMIT 100;

-- name: own_messages
-- The newest of what is kept, page by page.
SELECT m.id, m.created_at, m.state, m.category_id, b.body_ct FROM message m
LEFT JOIN message_body b ON b.message_id = m.id
WHERE m.tenant_id = %(tenant)b AND m.blind_index = %(index)b AND m.person_id = %(person)b AND m.id < %(before)b
ORDER BY m.id DESC LIMIT %(most)b;

-- name: own_events
SELECT message_id, kind, at FROM event WHERE message_id = ANY(%(ids)b::uuid[]) ORDER BY message_id, at LIMIT 20000;

-- name: opt_in
SELECT opt_in_v1(%(tenant)b, %(index)b, %(category)b, %(source)b);

-- name: own_code_ask
SELECT own_code_ask_v1(%(id)b, %(message)b, %(act)b::smallint, %(hash)b);

-- name: own_code
-- One that this message's link was asked for, while it serves.
SELECT act, 5 - tries AS left FROM own_code
WHERE id = %(id)b AND message_id = %(message)b AND used_at IS NULL AND tries < 5 AND expires_at > now_v1();

-- name: erase_own
SELECT erase_own_v1(%(message)b, %(code)b, %(hash)b);

-- name: export_own
SELECT export_own_v1(%(message)b, %(code)b, %(hash)b);

-- name: own_mail_state
-- What became of a mail of Troth's own, as it was accepted.
SELECT state FROM message WHERE email_id = %(email)b;

-- name: own_request
SELECT own_request_v1(%(id)b, %(message)b, %(act)b::smallint);

-- name: report_abuse
SELECT report_abuse_v1(%(id)b, %(message)b, %(words)b::bytea);
