-- What strangers ask of the trust centres: the mail that it takes, and its end (control/asking/sql).

-- name: letters
SELECT id, asked_id AS asked, kind, asks, outcome, reference, until, system, keyset, zone, sender, address_ct, answer_ct
FROM asked_letters_v1(%(most)b);

-- name: letter_done
SELECT asked_letter_done_v1(%(id)b, %(email)b::uuid, %(why)b::text);

-- name: letter_tried
SELECT asked_letter_tried_v1(%(id)b);

-- name: sweep
SELECT asked_sweep_v1();
