-- What the API reads back. Always by tenant.

-- name: email
SELECT e.id, e.created_at,
       CASE WHEN e.scheduled_at IS NOT NULL AND s.state = 2 THEN s.due ELSE e.scheduled_at END AS scheduled_at, e.recipients, m.id AS message_id, m.person_id, m.field, m.state, m.state_at,
       b.body_ct, p.data_key, p.address_ct, t.keyset
FROM email e
JOIN message m ON m.email_id = e.id AND m.tenant_id = e.tenant_id
JOIN message_body b ON b.message_id = m.id
JOIN person p ON p.id = m.person_id
JOIN tenant t ON t.id = e.tenant_id
LEFT JOIN spool s ON s.message_id = m.id
WHERE e.tenant_id = %(tenant)b AND e.id = ANY(%(ids)b::uuid[])
ORDER BY e.id, m.id;

-- name: emails_before
SELECT id FROM email WHERE tenant_id = %(tenant)b AND (%(cursor)b::uuid IS NULL OR id < %(cursor)b::uuid)
ORDER BY id DESC LIMIT %(limit)b;

-- name: emails_after
SELECT id FROM email WHERE tenant_id = %(tenant)b AND id > %(cursor)b::uuid ORDER BY id LIMIT %(limit)b;

-- name: events_of
SELECT e.message_id, e.kind, e.source_key, e.at, e.detail_ct, e.leaf_hash FROM event e
WHERE e.tenant_id = %(tenant)b AND e.message_id = ANY(%(ids)b::uuid[]) ORDER BY e.at, e.kind;
