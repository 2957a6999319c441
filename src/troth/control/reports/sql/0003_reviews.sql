-- Reports of others, reviewed: what a person signs, when the next is due, and what the control of EML-4 reads of it.

-- What a person looked at, whole, and what they said of it: of all reports about a programme's domains that arrived
-- from the last one's end to this one's.
CREATE TABLE dmarc_review (
    id           uuid PRIMARY KEY,
    programme_id uuid NOT NULL REFERENCES programme,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    signed_at    timestamptz NOT NULL CHECK (signed_at >= until_at),
    account_id   uuid NOT NULL REFERENCES account,
    shown        jsonb NOT NULL,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    words        text NOT NULL CHECK (length(words) <= 2000),
    findings     integer NOT NULL CHECK (findings >= 0),
    UNIQUE (programme_id, from_at) -- two people at once: one signs, the other looks at what is new
);
CREATE INDEX dmarc_review_newest ON dmarc_review (programme_id, until_at DESC);

CREATE TABLE dmarc_finding (
    review_id uuid NOT NULL REFERENCES dmarc_review,
    n         smallint NOT NULL CHECK (n > 0),
    kind      text NOT NULL,
    domain    text NOT NULL,
    verdict   text NOT NULL CHECK (verdict IN ('accepted', 'followed')),
    note      text NOT NULL CHECK (length(note) <= 500),
    case_id   uuid REFERENCES case_file,
    PRIMARY KEY (review_id, n),
    CHECK ((verdict = 'followed') = (case_id IS NOT NULL))
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON dmarc_review FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON dmarc_finding FOR EACH ROW EXECUTE FUNCTION insert_only();

-- From when the next review of a programme is to cover: the last one's end; before the first, its first report, or the first
-- about a domain that is no single client's: those are in every programme's review, so that somebody reads them.
CREATE FUNCTION dmarc_from(p_programme uuid) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce((SELECT max(v.until_at) FROM troth.dmarc_review v WHERE v.programme_id = p_programme),
        least((SELECT min(r.arrived_at) FROM troth.tenant t JOIN LATERAL
                  (SELECT d.arrived_at FROM troth.dmarc_record d WHERE d.tenant_id = t.id ORDER BY d.arrived_at LIMIT 1) AS r ON true
               WHERE t.programme_id = p_programme),
              (SELECT min(d.arrived_at) FROM troth.dmarc_record d WHERE d.tenant_id IS NULL)))
$$;

-- The figures of each domain from p_from to p_until, with the same length of time before it; and what is new. A source is
-- new when no report of the 35 days before told of it; a failure when it failed in none of them.
CREATE FUNCTION dmarc_shown(p_programme uuid, p_from timestamptz, p_until timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH tenants AS MATERIALIZED (SELECT t.id, t.name FROM troth.tenant t WHERE t.programme_id = p_programme),
    told AS MATERIALIZED (
        SELECT r.tenant_id, r.client, r.domain, r.source_ip, r.messages, r.dkim OR r.spf AS pass, r.dkim, r.spf, r.ours, r.signed,
               r.spf_domain, r.disposition IN ('quarantine', 'reject') AS refused, r.report_id, r.arrived_at >= p_from AS recent,
               r.arrived_at >= p_from - (p_until - p_from) AS near
        FROM (SELECT d.*, t.name AS client FROM tenants t JOIN troth.dmarc_record d ON d.tenant_id = t.id
              WHERE d.arrived_at >= p_from - greatest(interval '35 days', p_until - p_from) AND d.arrived_at < p_until
              UNION ALL
              SELECT d.*, 'no single client' FROM troth.dmarc_record d WHERE d.tenant_id IS NULL
              AND d.arrived_at >= p_from - greatest(interval '35 days', p_until - p_from) AND d.arrived_at < p_until) AS r),
    sources AS MATERIALIZED (
        SELECT s.tenant_id, s.client, s.domain, s.source_ip, max(s.spf_domain) FILTER (WHERE s.recent) AS spf_domain,
               sum(s.messages) FILTER (WHERE s.recent) AS messages,
               coalesce(sum(s.messages) FILTER (WHERE s.recent AND s.pass), 0) AS passed,
               bool_or(s.ours) FILTER (WHERE s.recent) AS ours, bool_or(s.signed) FILTER (WHERE s.recent) AS signed,
               NOT bool_or(NOT s.recent) AS new, coalesce(bool_or(NOT s.pass) FILTER (WHERE NOT s.recent), false) AS failed
        FROM told s GROUP BY 1, 2, 3, 4),
    each_report AS MATERIALIZED ( -- in two steps, since counting what is distinct would sort it all
        SELECT d.tenant_id, d.client, d.domain, d.report_id, d.recent, d.near, sum(d.messages) AS messages,
               coalesce(sum(d.messages) FILTER (WHERE d.pass), 0) AS passed, coalesce(sum(d.messages) FILTER (WHERE d.dkim), 0) AS dkim,
               coalesce(sum(d.messages) FILTER (WHERE d.spf), 0) AS spf, coalesce(sum(d.messages) FILTER (WHERE d.refused), 0) AS refused
        FROM told d WHERE d.near GROUP BY 1, 2, 3, 4, 5, 6),
    domains AS MATERIALIZED (
        SELECT d.tenant_id, d.client, d.domain, coalesce(sum(d.messages) FILTER (WHERE d.recent), 0) AS messages,
               coalesce(sum(d.passed) FILTER (WHERE d.recent), 0) AS passed,
               coalesce(sum(d.dkim) FILTER (WHERE d.recent), 0) AS dkim,
               coalesce(sum(d.spf) FILTER (WHERE d.recent), 0) AS spf,
               coalesce(sum(d.refused) FILTER (WHERE d.recent), 0) AS refused,
               coalesce(sum(d.messages) FILTER (WHERE NOT d.recent), 0) AS before,
               count(*) FILTER (WHERE d.recent) AS reports
        FROM each_report d GROUP BY 1, 2, 3),
    found AS (
        SELECT CASE WHEN s.new AND s.passed < s.messages THEN 'new-failing' WHEN s.new THEN 'new-passing' ELSE 'failing' END AS kind,
               s.tenant_id, s.client, s.domain, s.messages, s.passed, s.source_ip, s.spf_domain, s.ours, s.signed
        FROM sources s WHERE s.messages > 0 AND (s.new OR (s.passed < s.messages AND NOT s.failed))),
    grouped AS (
        SELECT f.kind, f.tenant_id, f.client, f.domain, sum(f.messages) AS messages, sum(f.passed) AS passed, count(*) AS n,
               (jsonb_agg(jsonb_build_object('ip', host(f.source_ip), 'messages', f.messages, 'passed', f.passed, 'by', f.spf_domain,
                                             'ours', f.ours, 'signed', f.signed)
                          ORDER BY f.messages - f.passed DESC, f.messages DESC, f.source_ip)) AS sources
        FROM found f GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT CASE WHEN d.messages > d.before THEN 'more' ELSE 'less' END, d.tenant_id, d.client, d.domain, d.messages, d.passed,
               d.before, '[]'
        FROM domains d WHERE d.before > 0 AND greatest(d.messages, d.before) >= 100
            AND greatest(d.messages, d.before) >= 2 * least(d.messages, d.before)
        UNION ALL
        SELECT 'tls', r.tenant_id, coalesce(t.name, 'no single client'), r.domain, sum(r.sessions + r.failed), sum(r.sessions),
               sum(r.failed), '[]'
        FROM troth.tls_report r LEFT JOIN tenants t ON t.id = r.tenant_id
        WHERE r.arrived_at >= p_from AND r.arrived_at < p_until AND (t.id IS NOT NULL OR r.tenant_id IS NULL)
        GROUP BY 2, 3, 4 HAVING sum(r.failed) > 0),
    ranked AS (
        SELECT g.*, array_position(ARRAY['new-failing', 'failing', 'more', 'less', 'tls', 'new-passing'], g.kind) AS rank FROM grouped g
        ORDER BY rank, g.messages - g.passed DESC, g.domain, g.tenant_id LIMIT 200)
    SELECT jsonb_build_object('from', p_from, 'until', p_until,
        'domains', coalesce((SELECT jsonb_agg(jsonb_build_object('domain', d.domain, 'client', d.client, 'messages', d.messages,
                'passed', d.passed, 'dkim', d.dkim, 'spf', d.spf, 'refused', d.refused, 'before', d.before, 'reports', d.reports)
                ORDER BY d.messages - d.passed DESC, d.messages DESC, d.domain, d.tenant_id)
            FROM (SELECT * FROM domains ORDER BY messages - passed DESC, messages DESC, domain, tenant_id LIMIT 500) AS d), '[]'),
        'findings', coalesce((SELECT jsonb_agg(jsonb_build_object('kind', f.kind, 'tenant', f.tenant_id, 'client', f.client,
                'domain', f.domain, 'messages', f.messages, 'passed', f.passed, 'n', f.n,
                'sources', jsonb_path_query_array(f.sources, '$[0 to 9]'))
                ORDER BY f.rank, f.messages - f.passed DESC, f.domain, f.tenant_id) FROM ranked f), '[]'))
$$;

-- What is to be reviewed now; no row before a first report. Its digest is what is signed.
-- p_until: as it was shown at that time; NULL: now.
CREATE FUNCTION dmarc_review_open_v1(p_programme uuid, p_until timestamptz, p_session bytea)
RETURNS TABLE (from_at timestamptz, until_at timestamptz, shown jsonb, digest bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first timestamptz := troth.dmarc_from(p_programme);
    last timestamptz := least(p_until, troth.now_v1());
    doc jsonb;
BEGIN
    PERFORM troth.allowed(p_session, 'dmarc:review', NULL);
    IF first < last THEN
        doc := troth.dmarc_shown(p_programme, first, last);
        RETURN QUERY SELECT first, last, doc, sha256(convert_to(doc::text, 'UTF8'));
    END IF;
END $$;

-- Signed by whoever is in the session, over exactly what they were shown: what came meanwhile is the next review's, and
-- where the figures are other ones than those of the digest it is refused. Each finding has its verdict; a followed one
-- becomes a case of the given id, with the clocks that policy gives it.
CREATE FUNCTION dmarc_review_v1(p_id uuid, p_programme uuid, p_from timestamptz, p_until timestamptz, p_digest bytea, p_words text,
                                p_verdicts text[], p_notes text[], p_cases uuid[], p_sealed bytea[], p_clocks text[],
                                p_dues timestamptz[], p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'dmarc:review', NULL);
    doc jsonb;
    f jsonb;
    i integer;
    n integer;
    opened uuid;
    followed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7423, hashtext(p_programme::text));
    PERFORM pg_advisory_xact_lock(7426, 0); -- reports that are just being taken in: either before this, or after p_until
    IF p_from IS DISTINCT FROM troth.dmarc_from(p_programme) OR p_until <= p_from OR p_until > troth.now_v1() THEN
        RAISE EXCEPTION 'this time was reviewed meanwhile: look at what is new since' USING ERRCODE = '55000';
    END IF;
    doc := troth.dmarc_shown(p_programme, p_from, p_until);
    IF sha256(convert_to(doc::text, 'UTF8')) IS DISTINCT FROM p_digest THEN
        RAISE EXCEPTION 'this is not what you were shown: look again' USING ERRCODE = '55000';
    END IF;
    n := jsonb_array_length(doc -> 'findings');
    IF coalesce(cardinality(p_verdicts), 0) <> n OR coalesce(cardinality(p_notes), 0) <> n OR coalesce(cardinality(p_cases), 0) <> n
       OR coalesce(cardinality(p_sealed), 0) <> n OR array_position(p_verdicts, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'say of each finding whether it is accepted or followed up' USING ERRCODE = '22023';
    ELSIF btrim(coalesce(p_words, '')) = '' THEN
        RAISE EXCEPTION 'say in a sentence what you looked at and what you make of it' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.dmarc_review (id, programme_id, from_at, until_at, signed_at, account_id, shown, digest, words, findings)
    VALUES (p_id, p_programme, p_from, p_until, troth.now_v1(), who.id, doc, p_digest, left(p_words, 2000), n);
    FOR i IN 1 .. n LOOP
        f := doc -> 'findings' -> (i - 1);
        opened := NULL;
        IF p_verdicts[i] = 'followed' THEN
            followed := followed + 1;
            opened := troth.case_open_v1(p_cases[i], 'incident', 'dmarc-finding', 'dmarc:' || p_id || ':' || i,
                left('DMARC reports on ' || (f ->> 'domain') || ': ' || CASE f ->> 'kind' -- as control/reports/words.py
                     WHEN 'new-failing' THEN 'new sources that fail' WHEN 'failing' THEN 'known sources that fail now'
                     WHEN 'more' THEN 'volume went up' WHEN 'less' THEN 'volume went down' WHEN 'tls' THEN 'TLS that failed'
                     WHEN 'new-passing' THEN 'new sources that pass' ELSE f ->> 'kind' END, 200), 'medium', (f ->> 'tenant')::uuid,
                p_programme, NULL, NULL, NULL, p_clocks, p_dues, p_sealed[i]);
        END IF;
        INSERT INTO troth.dmarc_finding (review_id, n, kind, domain, verdict, note, case_id)
        VALUES (p_id, i, f ->> 'kind', f ->> 'domain', p_verdicts[i], left(coalesce(p_notes[i], ''), 500), opened);
    END LOOP;
    PERFORM troth.ledger_entry(ARRAY['reports:review:signed'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'findings', 'followed', 'from', 'programme', 'review', 'shown', 'until', 'words'],
        ARRAY[who.human_id::text, n::text, followed::text, to_char(p_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
              p_programme::text, p_id::text, encode(p_digest, 'hex'), to_char(p_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
              encode(sha256(convert_to(left(p_words, 2000), 'UTF8')), 'hex')])]);
    RETURN followed;
END $$;

-- Where each programme's review stands: `covered` until when (NULL: never), `first_at` the first report that none covers.
CREATE FUNCTION dmarc_reviews_due_v1()
RETURNS TABLE (programme_id uuid, code text, profile text, covered timestamptz, first_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.id, p.code, p.profile, v.until_at, w.first_at
    FROM troth.programme p
    LEFT JOIN LATERAL (SELECT max(r.until_at) AS until_at FROM troth.dmarc_review r WHERE r.programme_id = p.id) AS v ON true
    LEFT JOIN LATERAL (
        SELECT least(min(q.at), (SELECT min(d.arrived_at) FROM troth.dmarc_record d WHERE d.tenant_id IS NULL
                                 AND d.arrived_at >= coalesce(v.until_at, '-infinity'))) AS first_at
        FROM troth.tenant t, LATERAL (SELECT d.arrived_at AS at FROM troth.dmarc_record d WHERE d.tenant_id = t.id
            AND d.arrived_at >= coalesce(v.until_at, '-infinity') ORDER BY d.arrived_at LIMIT 1) AS q
        WHERE t.programme_id = p.id) AS w ON true
    WHERE troth.looked_at() IS NULL ORDER BY p.code
$$;

CREATE FUNCTION dmarc_reviews_v1(p_programme uuid, p_most integer)
RETURNS TABLE (id uuid, code text, from_at timestamptz, until_at timestamptz, signed_at timestamptz, account_id uuid, name_ct bytea,
               findings integer, followed bigint, words text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT v.id, p.code, v.from_at, v.until_at, v.signed_at, a.id, a.name_ct, v.findings,
           (SELECT count(*) FROM troth.dmarc_finding f WHERE f.review_id = v.id AND f.verdict = 'followed'), v.words
    FROM troth.dmarc_review v JOIN troth.programme p ON p.id = v.programme_id JOIN troth.account a ON a.id = v.account_id
    WHERE troth.looked_at() IS NULL AND (p_programme IS NULL OR v.programme_id = p_programme)
    ORDER BY v.signed_at DESC, v.id DESC LIMIT p_most
$$;

CREATE FUNCTION dmarc_review_seen_v1(p_id uuid)
RETURNS TABLE (code text, from_at timestamptz, until_at timestamptz, signed_at timestamptz, account_id uuid, name_ct bytea, words text,
               shown jsonb, digest bytea, verdicts jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.code, v.from_at, v.until_at, v.signed_at, a.id, a.name_ct, v.words, v.shown, v.digest,
           coalesce((SELECT jsonb_agg(jsonb_build_object('verdict', f.verdict, 'note', f.note, 'case', f.case_id, 'reference', c.reference)
                                      ORDER BY f.n)
                     FROM troth.dmarc_finding f LEFT JOIN troth.case_file c ON c.id = f.case_id WHERE f.review_id = v.id), '[]')
    FROM troth.dmarc_review v JOIN troth.programme p ON p.id = v.programme_id JOIN troth.account a ON a.id = v.account_id
    WHERE v.id = p_id AND troth.looked_at() IS NULL
$$;

-- For the control of EML-4. Of each client of a programme: how much it sent from 17 to 8 days before p_at (a report comes a
-- day or two after, and who makes it is known five days later), when the last report about its domains came that a known
-- reporter signed (what nobody signed, or anybody, proves nothing), and how many domains are good for sending.
CREATE FUNCTION dmarc_fact_v1(p_programme uuid, p_at timestamptz)
RETURNS TABLE (tenant_id uuid, sent bigint, last_report timestamptz, domains bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id,
           coalesce((SELECT sum(e.n) FROM troth.event_tally e WHERE e.tenant_id = t.id AND e.kind = 8
                     AND e.hour >= p_at - interval '17 days' AND e.hour < p_at - interval '8 days'), 0)::bigint,
           (SELECT max(k.last_at) FROM (
                SELECT q.reporter, max(r.arrived_at) AS last_at FROM troth.dmarc_record r JOIN troth.dmarc_report q ON q.id = r.report_id
                WHERE r.tenant_id = t.id AND r.signed AND r.arrived_at BETWEEN p_at - interval '60 days' AND p_at GROUP BY q.reporter) AS k
            WHERE troth.report_known(k.reporter, p_at)),
           (SELECT count(*) FROM troth.domain_state d WHERE d.tenant_id = t.id AND d.last_good_at IS NOT NULL)
    FROM troth.looked_at() AS own, troth.tenant t
    WHERE t.programme_id = p_programme AND t.kind = 1 AND (own IS NULL OR t.id = own) ORDER BY t.id
$$;

-- The same control's second: each review since, and the one before it; `sound`: it is over the figures that it keeps, has a
-- verdict on each of its findings and its entry of the ledger. When the first report came that a review is to cover, and when
-- the last one's time ended, stand in a row without a review. The entry tells of who signed, when, which time and what words.
CREATE FUNCTION dmarc_review_fact_v1(p_programme uuid, p_since timestamptz)
RETURNS TABLE (review uuid, from_at timestamptz, until_at timestamptz, signed_at timestamptz, sound boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT v.id, v.from_at, v.until_at, v.signed_at,
           v.digest = sha256(convert_to(v.shown::text, 'UTF8')) AND v.findings = jsonb_array_length(v.shown -> 'findings')
           AND v.findings = (SELECT count(*) FROM troth.dmarc_finding f WHERE f.review_id = v.id)
           AND EXISTS (
               SELECT FROM (SELECT l.leaf::jsonb AS said FROM troth.ledger_leaf l WHERE l.log_id = 1 AND l.kind = 'reports:review:signed'
                            UNION ALL SELECT q.leaf::jsonb FROM troth.ledger_pending q WHERE q.kind = 'reports:review:signed') AS e
               JOIN troth.account a ON a.id = v.account_id AND a.human_id::text = e.said ->> 'by'
               WHERE e.said ->> 'review' = v.id::text AND e.said ->> 'shown' = encode(v.digest, 'hex')
                 AND e.said ->> 'programme' = v.programme_id::text
                 AND (e.said ->> 'from')::timestamptz = v.from_at AND (e.said ->> 'until')::timestamptz = v.until_at
                 AND abs((e.said ->> 'at')::numeric / 1000000 - extract(epoch FROM v.signed_at)) < 60
                 AND e.said ->> 'words' = encode(sha256(convert_to(v.words, 'UTF8')), 'hex')
                 AND e.said ->> 'followed' = (SELECT count(*) FROM troth.dmarc_finding f WHERE f.review_id = v.id
                                              AND f.verdict = 'followed')::text)
    FROM troth.dmarc_review v WHERE v.programme_id = p_programme AND v.signed_at >= p_since
    UNION ALL
    SELECT NULL, troth.dmarc_from(p_programme), (SELECT max(v.until_at) FROM troth.dmarc_review v WHERE v.programme_id = p_programme),
           NULL, NULL
    ORDER BY 4 NULLS LAST LIMIT 200
$$;
CREATE INDEX ledger_leaf_dmarc ON ledger_leaf (index) WHERE kind = 'reports:review:signed';
