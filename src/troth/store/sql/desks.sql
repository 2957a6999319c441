-- The desks of abuse and of vulnerabilities: what they find, what they take, and the mail that answers.

-- name: programmes
SELECT id, lower(domain) FROM programme;

-- name: match
SELECT message_id, tenant_id, programme_id, category_id, template_subject, domain FROM desk_match_v1(%(messages)b::uuid[]);

-- name: policies
SELECT profile, plan, promise, operator, client FROM desk_policies_v1(%(tenant)b::uuid, %(programme)b::uuid);

-- name: room
SELECT desk_room_v1(%(desk)b, %(source)b, %(octets)b, %(most)b, %(each)b, %(octets_most)b);

-- name: case_of
SELECT desk_case_v1(%(messages)b::uuid[], %(reference)b, %(index)b::bytea);

-- name: reporter
SELECT case_reporter_v1(%(case)b, %(index)b, %(address)b, %(signed)b);

-- name: received
SELECT case_received_v1(%(id)b, %(case)b, %(answers)b::bytea, %(most)b);

-- name: letters
SELECT id, case_id, kind, case_kind, reference, programme_id, system, keyset, zone, sender, domain, address_index, address_ct,
       confirmed, words_ct, answers_ct, clock_names, clock_dues
FROM case_letters_v1(%(most)b);

-- name: letter_done
SELECT case_letter_done_v1(%(id)b, %(email)b::uuid, %(why)b::text);

-- name: letter_tried
SELECT case_letter_tried_v1(%(id)b);
