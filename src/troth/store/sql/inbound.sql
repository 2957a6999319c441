-- The inbound server: that it lives, and letters that wait for a person.

-- name: inbound_beat
INSERT INTO inbound_beat (domain, at, seen) VALUES (%(domain)b, now_v1(), clock_timestamp())
ON CONFLICT (domain) DO UPDATE SET at = now_v1(), seen = clock_timestamp();

-- name: inbound_unread
SELECT count(*) FROM inbound_letter WHERE read_at IS NULL;

-- name: inbound_keep
INSERT INTO inbound_letter (id, desk, at, size, letter_ct)
VALUES (%(id)b, %(desk)b, now_v1(), %(size)b, %(letter)b);
