-- What mailbox providers tell of us by their own pages: kept by day, the newest word of a day counts.

-- name: provider_days
INSERT INTO provider_day AS p (source, subject, day, metric, number, words, read_at)
SELECT DISTINCT ON (s, d, m) %(source)b, s, d, m, n, w, now_v1()
FROM unnest(%(subject)b::text[], %(day)b::date[], %(metric)b::text[], %(number)b::double precision[], %(words)b::text[])
     AS u(s, d, m, n, w) ORDER BY s, d, m
ON CONFLICT (source, subject, day, metric) DO UPDATE
SET number = EXCLUDED.number, words = EXCLUDED.words, read_at = EXCLUDED.read_at;

-- name: provider_read
INSERT INTO provider_read AS r (source, tried_at, read_at, trouble)
SELECT %(source)b, t, CASE WHEN %(read)b THEN t END, %(trouble)b FROM now_v1() AS t
ON CONFLICT (source) DO UPDATE
SET tried_at = EXCLUDED.tried_at, read_at = coalesce(EXCLUDED.read_at, r.read_at), trouble = EXCLUDED.trouble;
