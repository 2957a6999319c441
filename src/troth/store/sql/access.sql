-- Access that ends with a date, and the mail that tells of it.

-- name: duty
SELECT access_duty_v1();

-- name: notices
-- What is to be told, with its addressee and the system tenant that writes to them (none: it cannot be told now).
SELECT id, account_id, template, variables, system, keyset, timezone, name_ct, address_ct, subject_ct
FROM access_notices_v1(%(most)b);

-- name: noticed
-- Sent, or tried: then it is tried again in an hour, for a week.
UPDATE access_notice SET tried_at = now_v1(), why = %(why)b,
    done_at = CASE WHEN %(why)b::text IS NULL OR at < now_v1() - interval '7 days' THEN now_v1() END
WHERE id = %(notice)b;
