-- Recipients: who they are and how they confirm.

-- name: find_person
SELECT id, data_key, status, verified_at, expires_at FROM person WHERE tenant_id = %(tenant)b AND blind_index = %(index)b;

-- name: add_person
-- The row of whoever came first is the person; the caller asks again when it was not the first.
INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, created_at)
VALUES (%(id)b, %(tenant)b, %(index)b, %(address_ct)b, %(data_key)b, %(salt)b, %(now)b)
ON CONFLICT (tenant_id, blind_index) DO NOTHING
RETURNING id;

-- name: add_confirmation
INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, created_at, expires_at)
VALUES (%(hash)b, %(tenant)b, %(person)b, %(pathway)b, %(now)b, %(ends)b);

-- name: person_status
SELECT id, status, pathway, verified_at, expires_at, erased_at, created_at FROM person
WHERE tenant_id = %(tenant)b AND id = %(id)b;
