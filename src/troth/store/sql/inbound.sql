-- The inbound server: that it lives, and letters that wait for a person.

-- name: inbound_beat
INSERT INTO inbound_beat (domain, at, seen) VALUES (%(domain)b, now_v1(), clock_timestamp())
ON CONFLICT (domain) DO UPDATE SET at = now_v1(), seen = clock_timestamp();

-- name: inbound_unread
SELECT count(*) FROM inbound_letter WHERE read_at IS NULL;

-- name: letter_keep
SELECT letter_keep_v1(%(id)b, %(desk)b, %(reason)b, %(digest)b, %(size)b, %(letter)b, %(most)b, %(most_of_reason)b,
                      %(octets)b);

-- name: letter_count
SELECT letter_count_v1(%(desk)b, %(reason)b, false);
