-- Recipients: who they are, how they confirm, and how they end.

-- name: find_person
SELECT id, data_key, status, pathway, verified_at, expires_at, timezone FROM person
WHERE tenant_id = %(tenant)b AND blind_index = %(index)b;

-- name: add_person
-- The row of whoever came first is the person; the caller asks again when it was not the first.
INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, timezone, created_at)
VALUES (%(id)b, %(tenant)b, %(index)b, %(address_ct)b, %(data_key)b, %(salt)b, %(timezone)b::text, %(now)b)
ON CONFLICT (tenant_id, blind_index) DO NOTHING
RETURNING id;

-- name: set_zone
SELECT person_zone_v1(%(tenant)b, %(person)b, %(timezone)b::text);

-- name: system_tenants
-- Who sends Troth's own mail for a client, and the installation's first such tenant, which counts for all of them.
SELECT s.id, (SELECT f.id FROM tenant f WHERE f.kind = 2 ORDER BY f.id LIMIT 1) AS house
FROM tenant t JOIN tenant s ON s.programme_id = t.programme_id AND s.kind = 2 WHERE t.id = %(tenant)b;

-- name: add_confirmation
INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, valid_days, agreement, basis_ct, asked_by,
    email_id, created_at, expires_at)
VALUES (%(hash)b, %(tenant)b, %(person)b, %(pathway)b, %(code_hash)b, %(valid_days)b, %(agreement)b::bytea,
    %(basis_ct)b::bytea, %(asked_by)b, %(email)b, %(now)b, %(ends)b);

-- name: person_status
SELECT id, status, pathway, verified_at, expires_at, erased_at, created_at, timezone, agreement, data_key, address_ct
FROM person WHERE tenant_id = %(tenant)b AND id = %(id)b;

-- name: person_by_index
SELECT id, status, pathway, verified_at, expires_at, erased_at, created_at, timezone, agreement, data_key, address_ct
FROM person WHERE tenant_id = %(tenant)b AND blind_index = %(index)b;

-- name: page_before
-- Newest first, older than `before`; a page of a tenant by its own index.
SELECT id, status, pathway, verified_at, expires_at, erased_at, created_at, timezone, agreement, data_key, address_ct
FROM person WHERE tenant_id = %(tenant)b AND id < %(before)b::uuid ORDER BY id DESC LIMIT %(limit)b;

-- name: page_after
-- The page before that one: newer than `after`, still told newest first.
SELECT * FROM (
    SELECT id, status, pathway, verified_at, expires_at, erased_at, created_at, timezone, agreement, data_key, address_ct
    FROM person WHERE tenant_id = %(tenant)b AND id > %(after)b::uuid ORDER BY id LIMIT %(limit)b) AS page
ORDER BY id DESC;

-- name: act_for
-- Erasing is for whoever acts within the tenant: this transaction does.
SELECT set_config('troth.tenant', %(tenant)b::uuid::text, true);

-- name: erase
SELECT erase_person_v1(%(tenant)b, %(person)b);

-- name: expiry_duty
SELECT person_expiry_duty_v1();

-- name: to_renew
-- Verified people whose verification ends before `until` and whom nobody has asked again since `since`: those who end
-- first. The client is active, and none of Troth's own.
SELECT p.id, p.tenant_id, p.blind_index, p.data_key, p.address_ct, p.pathway, p.expires_at, p.agreement, t.name AS tenant_name, t.keyset,
       t.timezone
FROM person p JOIN tenant t ON t.id = p.tenant_id
WHERE p.status = 2 AND p.expires_at > %(now)b::timestamptz AND p.expires_at < %(until)b::timestamptz
  AND t.kind = 1 AND t.state = 1
  AND NOT EXISTS (SELECT FROM confirmation c WHERE c.person_id = p.id AND c.created_at > %(since)b::timestamptz)
ORDER BY p.expires_at LIMIT %(limit)b;

-- name: to_ask
-- Whom an import registered and whose turn it is: of each client that may ask a few, by the index.
SELECT p.id, p.tenant_id, p.blind_index, p.data_key, p.address_ct, t.name AS tenant_name, t.keyset, t.timezone
FROM tenant t CROSS JOIN LATERAL (
    SELECT a.person_id FROM import_ask a WHERE a.tenant_id = t.id AND a.due <= %(now)b::timestamptz
    ORDER BY a.due, a.person_id LIMIT %(each)b) AS q
JOIN person p ON p.id = q.person_id
WHERE t.kind = 1 AND t.state = 1
  AND EXISTS (SELECT FROM tenant s WHERE s.programme_id = t.programme_id AND s.kind = 2)
ORDER BY p.tenant_id, p.id;

-- name: ask_take
SELECT import_ask_take_v1(%(person)b);

-- name: ask_leave
SELECT import_ask_leave_v1(%(person)b, %(due)b::timestamptz);
