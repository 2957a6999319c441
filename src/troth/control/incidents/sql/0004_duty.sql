-- Clocks that are soon due or missed: an entry each, once; and what happened since they were last told, by mail, to the
-- people whose business it is, at most once in fifteen minutes each.

CREATE TABLE case_told (
    account_id uuid PRIMARY KEY REFERENCES account,
    at         timestamptz NOT NULL   -- what came before was told
);
CREATE INDEX case_entry_at ON case_entry (at);

-- How long before its end a clock is soon due: a quarter of it, four hours at most.
CREATE FUNCTION case_soon(k case_clock) RETURNS timestamptz
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT (k).due_at - least(interval '4 hours', ((k).due_at - (k).started_at) / 4) $$;

-- Entries for clocks, 500 at most; how many.
CREATE FUNCTION case_clocks_duty() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    found record;
    n integer := 0;
BEGIN
    FOR found IN
        SELECT f AS c, w.kind, k.name || ' ' || k.round AS clock
        FROM troth.case_clock k JOIN troth.case_file f ON f.id = k.case_id
        CROSS JOIN LATERAL (VALUES ('overdue', k.due_at), ('soon', troth.case_soon(k))) AS w(kind, at)
        WHERE k.met_at IS NULL AND k.void_at IS NULL AND k.due_at <= troth.now_v1() + interval '4 hours'
          AND w.at <= troth.now_v1() AND (w.kind = 'overdue' OR k.due_at > troth.now_v1())
          AND NOT EXISTS (SELECT FROM troth.case_entry e WHERE e.case_id = k.case_id AND e.kind = w.kind
                          AND e.value = k.name || ' ' || k.round)
        ORDER BY k.due_at LIMIT 500 FOR UPDATE OF f SKIP LOCKED LOOP
        PERFORM troth.case_enter(found.c, troth.uuid7_now(), NULL::troth.account, found.kind, found.clock, NULL, NULL);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- Mail that waits to be sent, by access_notices_v1; `cases`: how many are told of, `missed` of which are late. What was
-- missed is told to the owners, too.
CREATE FUNCTION case_tell_duty() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    who troth.account;
    news record;
    n integer := 0;
BEGIN
    FOR who IN SELECT a.* FROM troth.account a LEFT JOIN troth.case_told d ON d.account_id = a.id
               WHERE a.tenant_id IS NULL AND a.disabled_at IS NULL AND (d.at IS NULL OR d.at <= now - interval '15 minutes')
                 AND EXISTS (SELECT FROM troth.case_entry e WHERE e.at > coalesce(d.at, a.created_at)) LOOP
        SELECT count(DISTINCT t.id) AS cases, count(DISTINCT t.id) FILTER (WHERE t.kind = 'overdue') AS missed,
               string_agg(t.line, '; ' ORDER BY t.rank, t.at) FILTER (WHERE t.place <= 5) AS lines,
               (array_agg(t.id))[1] AS one
        INTO news
        FROM (SELECT f.id, e.kind, e.at, (e.kind <> 'overdue')::integer AS rank,
                     row_number() OVER (ORDER BY e.kind <> 'overdue', e.at) AS place,
                     f.reference || CASE e.kind WHEN 'overdue' THEN ' is overdue' WHEN 'soon' THEN ' is soon due'
                         WHEN 'open' THEN ' was opened' ELSE ' has a new letter' END AS line
              FROM troth.case_entry e JOIN troth.case_file f ON f.id = e.case_id
              WHERE e.at > coalesce((SELECT d.at FROM troth.case_told d WHERE d.account_id = who.id), who.created_at)
                AND (e.kind IN ('open', 'soon', 'overdue')
                     OR (f.news_at IS NOT NULL AND EXISTS (SELECT FROM troth.case_paper p WHERE p.id = e.id)))
                AND (troth.case_concerns(f, who) OR (e.kind = 'overdue' AND who.role = 'owner'))) AS t;
        INSERT INTO troth.case_told AS d (account_id, at) VALUES (who.id, now)
        ON CONFLICT (account_id) DO UPDATE SET at = now;
        CONTINUE WHEN news.cases = 0;
        PERFORM troth.access_tell(who.id, 'case-notice', now::text, jsonb_build_object(
            'cases', news.cases, 'missed', news.missed, 'lines', left(news.lines, 380),
            'case', CASE WHEN news.cases = 1 THEN news.one::text ELSE '' END));
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- For the duties' process. How much it did.
CREATE FUNCTION case_duty_v1() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT troth.case_clocks_duty() + troth.case_tell_duty() $$;
