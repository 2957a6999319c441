-- The consent ledger: who agreed to what, and took it back.

-- name: consents_of_people
SELECT w.person AS person_id, c.category_id, c.kind, c.basis, c.at, c.expires_at
FROM unnest(%(people)b::uuid[]) AS w(person)
JOIN person p ON p.id = w.person
CROSS JOIN LATERAL (
    SELECT * FROM consent c WHERE c.tenant_id = p.tenant_id AND c.person_id = p.id ORDER BY c.at DESC LIMIT 100) AS c;

-- name: consent_record
SELECT consent_v1(%(tenant)b, %(ids)b::uuid[], %(persons)b::uuid[], %(categories)b::uuid[], %(kinds)b::smallint[],
                  %(bases)b::text[], %(at)b::timestamptz[], %(expires)b::timestamptz[], %(details)b::bytea[]);

-- name: consent_category
SELECT subject FROM governed WHERE tenant_id = %(tenant)b AND kind = 'category' AND code = %(code)b AND NOT retired;
