-- The regular review of complaints, which a person signs: over which figures, what they made of each finding, and their words.

-- What a person looked at, whole: all complaints about a programme's clients from the last one's end to this one's.
CREATE TABLE complaint_review (
    id           uuid PRIMARY KEY,
    programme_id uuid NOT NULL REFERENCES programme,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    signed_at    timestamptz NOT NULL CHECK (signed_at >= until_at),
    account_id   uuid NOT NULL REFERENCES account,
    shown        jsonb NOT NULL,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    words        text NOT NULL CHECK (btrim(words) <> '' AND length(words) <= 2000),
    findings     integer NOT NULL CHECK (findings >= 0),
    UNIQUE (programme_id, from_at) -- two people at once: one signs, the other looks at what is new
);
CREATE INDEX complaint_review_newest ON complaint_review (programme_id, until_at DESC);

CREATE TABLE complaint_finding (
    review_id uuid NOT NULL REFERENCES complaint_review,
    n         smallint NOT NULL CHECK (n > 0),
    kind      text NOT NULL,
    about     text NOT NULL,
    verdict   text NOT NULL CHECK (verdict IN ('accepted', 'followed')),
    note      text NOT NULL CHECK (length(note) <= 500),
    case_id   uuid REFERENCES case_file,
    PRIMARY KEY (review_id, n),
    CHECK ((verdict = 'followed') = (case_id IS NOT NULL))
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON complaint_review FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON complaint_finding FOR EACH ROW EXECUTE FUNCTION insert_only();

-- What EML-10 claims and aims at, as shares (control/trust/claims.toml); a smaller number of messages says nothing.
CREATE FUNCTION complaint_bounds() RETURNS TABLE (claimed numeric, target numeric, sample bigint)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT 0.0003, 0.0005, 1000::bigint $$;

-- From when the next review of a programme is to cover: the last one's end; before the first, its first message.
CREATE FUNCTION complaint_review_from(p_programme uuid) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce((SELECT max(v.until_at) FROM troth.complaint_review v WHERE v.programme_id = p_programme),
        (SELECT min(f.hour) FROM troth.tenant t JOIN LATERAL
            (SELECT y.hour FROM troth.event_tally y WHERE y.tenant_id = t.id ORDER BY y.hour LIMIT 1) AS f ON true
         WHERE t.programme_id = p_programme))
$$;

-- The figures of [p_from, p_until), both whole hours, beside as long a time before; and what stands out in them:
-- `over`: a client above what is claimed; `rising`: twice as often as before; `template`: complained about more than once,
-- or its mark stands; `late`: incidents that were not reviewed in time; `silent`: a loop that tells nothing any more.
CREATE FUNCTION complaint_shown(p_programme uuid, p_from timestamptz, p_until timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH mine AS MATERIALIZED (SELECT coalesce(array_agg(t.id), '{}') AS ids FROM troth.tenant t WHERE t.programme_id = p_programme),
    bounds AS (SELECT * FROM troth.complaint_bounds()),
    told AS MATERIALIZED (
        SELECT t.* FROM mine, troth.complaint_told(mine.ids, p_from - (p_until - p_from), p_until, NULL, NULL) AS t),
    sent AS MATERIALIZED (SELECT s.* FROM mine, troth.complaint_sent(mine.ids, p_from, p_until, NULL) AS s),
    earlier AS MATERIALIZED (
        SELECT s.* FROM mine, troth.complaint_sent(mine.ids, p_from - (p_until - p_from), p_from, NULL) AS s),
    counts AS MATERIALIZED (
        SELECT x.tenant_id, count(*) FILTER (WHERE x.at >= p_from) AS complained, count(*) FILTER (WHERE x.at < p_from) AS before
        FROM told x GROUP BY 1),
    clients AS MATERIALIZED (
        SELECT t.id, t.name, coalesce((SELECT sum(s.sent) FROM sent s WHERE s.tenant_id = t.id), 0) AS sent,
               coalesce(c.complained, 0) AS complained,
               coalesce((SELECT sum(s.sent) FROM earlier s WHERE s.tenant_id = t.id), 0) AS sent_before, coalesce(c.before, 0) AS before
        FROM troth.tenant t LEFT JOIN counts c ON c.tenant_id = t.id WHERE t.programme_id = p_programme),
    templates AS MATERIALIZED (
        SELECT x.subject, x.tenant_id, g.code, n.name, count(*) AS complained,
               coalesce((SELECT sum(h.sent) FROM troth.template_hour h WHERE h.tenant_id = x.tenant_id AND h.subject = x.subject
                         AND h.hour >= p_from AND h.hour < p_until), 0) AS sent,
               EXISTS (SELECT FROM troth.template_flag f WHERE f.subject = x.subject AND f.since < p_until
                       AND (f.cleared_at IS NULL OR f.cleared_at >= p_until)) AS flagged
        FROM told x JOIN troth.governed g ON g.subject = x.subject JOIN troth.tenant n ON n.id = x.tenant_id
        WHERE x.at >= p_from GROUP BY 1, 2, 3, 4),
    sources AS MATERIALIZED (
        SELECT coalesce((SELECT l.provider FROM troth.feedback_loop l WHERE l.id::text = x.source), x.source) AS name, count(*) AS complained
        FROM told x WHERE x.at >= p_from GROUP BY 1),
    weeks AS MATERIALIZED (
        SELECT g.week, sum(g.sent) AS sent, sum(g.n) AS complained FROM (
            SELECT s.week, s.sent, 0 AS n FROM sent s
            UNION ALL SELECT (date_trunc('week', x.at, 'UTC') AT TIME ZONE 'UTC')::date, 0, 1 FROM told x WHERE x.at >= p_from) AS g GROUP BY 1),
    found AS (
        SELECT 1 AS rank, 'over' AS kind, c.id AS tenant, NULL::text AS subject, c.name AS about, c.sent, c.complained, 0::numeric AS n
        FROM clients c, bounds b WHERE c.sent >= b.sample AND c.complained >= c.sent * b.claimed
        UNION ALL
        SELECT 2, 'rising', c.id, NULL, c.name, c.sent, c.complained, c.before
        FROM clients c WHERE c.complained >= 3 AND c.complained::numeric * c.sent_before >= 2 * c.before::numeric * c.sent AND c.sent_before > 0
        UNION ALL
        SELECT 3, 'template', t.tenant_id, t.subject::text, t.code, t.sent, t.complained, t.flagged::integer
        FROM templates t WHERE t.complained >= 2 OR t.flagged
        UNION ALL
        SELECT 4, 'late', c.id, NULL, c.name, 0, 0, count(*)
        FROM clients c JOIN troth.case_file f ON f.tenant_id = c.id AND f.kind = 'incident' AND f.cause = 'complaint'
        JOIN troth.case_clock k ON k.case_id = f.id AND k.name = 'review' AND k.void_at IS NULL
        WHERE f.opened_at >= p_from AND f.opened_at < p_until AND k.due_at < p_until AND (k.met_at IS NULL OR k.met_at > k.due_at)
        GROUP BY c.id, c.name
        UNION ALL
        SELECT 5, 'silent', NULL, l.id::text, l.provider, 0, 0, l.silent_days
        FROM troth.feedback_loop l WHERE l.added_at < p_until - make_interval(days => l.silent_days)
          AND (l.ended_at IS NULL OR l.ended_at >= p_until)
          AND NOT EXISTS (SELECT FROM troth.feedback_loop_day d WHERE d.loop_id = l.id
                          AND d.day > (p_until AT TIME ZONE 'UTC')::date - l.silent_days))
    SELECT jsonb_build_object('from', p_from, 'until', p_until,
        'claimed', (SELECT claimed FROM bounds), 'target', (SELECT target FROM bounds), 'sample', (SELECT sample FROM bounds),
        'clients', coalesce((SELECT jsonb_agg(jsonb_build_object('client', c.name, 'sent', c.sent, 'complained', c.complained,
                'sent_before', c.sent_before, 'before', c.before) ORDER BY c.complained DESC, c.sent DESC, c.name, c.id)
            FROM (SELECT * FROM clients WHERE sent + sent_before > 0 OR complained + before > 0
                  ORDER BY complained DESC, sent DESC, name, id LIMIT 500) AS c), '[]'),
        'templates', coalesce((SELECT jsonb_agg(jsonb_build_object('template', t.code, 'client', t.name, 'sent', t.sent,
                'complained', t.complained, 'flagged', t.flagged) ORDER BY t.complained DESC, t.code, t.subject)
            FROM (SELECT * FROM templates ORDER BY complained DESC, code, subject LIMIT 200) AS t), '[]'),
        'sources', coalesce((SELECT jsonb_agg(jsonb_build_object('source', s.name, 'complained', s.complained)
            ORDER BY s.complained DESC, s.name) FROM (SELECT * FROM sources ORDER BY complained DESC, name LIMIT 100) AS s), '[]'),
        'weeks', coalesce((SELECT jsonb_agg(jsonb_build_object('week', w.week, 'sent', w.sent, 'complained', w.complained)
            ORDER BY w.week) FROM (SELECT * FROM weeks ORDER BY week DESC LIMIT 60) AS w), '[]'),
        'findings', coalesce((SELECT jsonb_agg(jsonb_build_object('kind', f.kind, 'tenant', f.tenant, 'subject', f.subject,
                'about', f.about, 'client', (SELECT n.name FROM troth.tenant n WHERE n.id = f.tenant), 'sent', f.sent,
                'complained', f.complained, 'n', f.n) ORDER BY f.rank, f.complained DESC, f.about, f.tenant, f.subject)
            FROM (SELECT * FROM found ORDER BY rank, complained DESC, about, tenant, subject LIMIT 100) AS f), '[]'))
$$;

-- What is to be reviewed now, to the last whole hour; no row before the first message. Its digest is what is signed.
-- p_until: as it was shown at that time; NULL: now.
CREATE FUNCTION complaint_review_open_v1(p_programme uuid, p_until timestamptz, p_session bytea)
RETURNS TABLE (from_at timestamptz, until_at timestamptz, shown jsonb, digest bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first timestamptz := troth.complaint_review_from(p_programme);
    last timestamptz := date_trunc('hour', least(p_until, troth.now_v1()), 'UTC');
    doc jsonb;
BEGIN
    PERFORM troth.allowed(p_session, 'complaint:review', NULL);
    IF first < last THEN
        doc := troth.complaint_shown(p_programme, first, last);
        RETURN QUERY SELECT first, last, doc, sha256(convert_to(doc::text, 'UTF8'));
    END IF;
END $$;

-- Signed by whoever is in the session, over exactly what they were shown: where the figures are other ones than those of
-- the digest it is refused. A followed finding becomes a case of the given id, with the clocks that policy gives it.
CREATE FUNCTION complaint_review_v1(p_id uuid, p_programme uuid, p_from timestamptz, p_until timestamptz, p_digest bytea, p_words text,
                                    p_verdicts text[], p_notes text[], p_cases uuid[], p_sealed bytea[], p_clocks text[],
                                    p_dues timestamptz[], p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'complaint:review', NULL);
    doc jsonb;
    f jsonb;
    i integer;
    n integer;
    opened uuid;
    followed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7425, hashtext(p_programme::text));
    IF p_from IS DISTINCT FROM troth.complaint_review_from(p_programme) OR p_until IS NULL OR p_until <= p_from
       OR p_until > troth.now_v1() OR p_until <> date_trunc('hour', p_until, 'UTC') THEN
        RAISE EXCEPTION 'this time was reviewed meanwhile: look at what is new since' USING ERRCODE = '55000';
    END IF;
    doc := troth.complaint_shown(p_programme, p_from, p_until);
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
    INSERT INTO troth.complaint_review (id, programme_id, from_at, until_at, signed_at, account_id, shown, digest, words, findings)
    VALUES (p_id, p_programme, p_from, p_until, troth.now_v1(), who.id, doc, p_digest, left(p_words, 2000), n);
    FOR i IN 1 .. n LOOP
        f := doc -> 'findings' -> (i - 1);
        opened := NULL;
        IF p_verdicts[i] = 'followed' THEN
            followed := followed + 1;
            opened := troth.case_open_v1(p_cases[i], 'incident', 'complaint-finding', 'complaint-review:' || p_id || ':' || i,
                left('The review of complaints: ' || (f ->> 'about') || ', ' || CASE f ->> 'kind' -- as complaints/monthly_words.py
                     WHEN 'over' THEN 'above what is claimed' WHEN 'rising' THEN 'twice as often as before'
                     WHEN 'template' THEN 'a template that is complained about'
                     WHEN 'late' THEN 'incidents that were not reviewed in time'
                     WHEN 'silent' THEN 'a feedback loop that tells nothing' ELSE f ->> 'kind' END, 200), 'medium',
                (f ->> 'tenant')::uuid, p_programme, NULL, NULL, CASE WHEN f ->> 'kind' = 'template' THEN (f ->> 'subject')::uuid END,
                p_clocks, p_dues, p_sealed[i]);
        END IF;
        INSERT INTO troth.complaint_finding (review_id, n, kind, about, verdict, note, case_id)
        VALUES (p_id, i, f ->> 'kind', f ->> 'about', p_verdicts[i], left(coalesce(p_notes[i], ''), 500), opened);
    END LOOP;
    PERFORM troth.ledger_entry(ARRAY['complaints:review:signed'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'findings', 'followed', 'from', 'programme', 'review', 'shown', 'until', 'words'],
        ARRAY[who.human_id::text, n::text, followed::text, to_char(p_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
              p_programme::text, p_id::text, encode(p_digest, 'hex'), to_char(p_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
              encode(sha256(convert_to(left(p_words, 2000), 'UTF8')), 'hex')])]);
    RETURN followed;
END $$;

-- Where each programme's review stands: `covered` until when (NULL: never), `first_at` from when the next one covers.
CREATE FUNCTION complaint_reviews_due_v1()
RETURNS TABLE (programme_id uuid, code text, profile text, covered timestamptz, first_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.id, p.code, p.profile, (SELECT max(r.until_at) FROM troth.complaint_review r WHERE r.programme_id = p.id),
           troth.complaint_review_from(p.id)
    FROM troth.programme p WHERE troth.looked_at() IS NULL ORDER BY p.code
$$;

CREATE FUNCTION complaint_reviews_v1(p_programme uuid, p_most integer)
RETURNS TABLE (id uuid, code text, from_at timestamptz, until_at timestamptz, signed_at timestamptz, account_id uuid, name_ct bytea,
               findings integer, followed bigint, words text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT v.id, p.code, v.from_at, v.until_at, v.signed_at, a.id, a.name_ct, v.findings,
           (SELECT count(*) FROM troth.complaint_finding f WHERE f.review_id = v.id AND f.verdict = 'followed'), v.words
    FROM troth.complaint_review v JOIN troth.programme p ON p.id = v.programme_id JOIN troth.account a ON a.id = v.account_id
    WHERE troth.looked_at() IS NULL AND (p_programme IS NULL OR v.programme_id = p_programme)
    ORDER BY v.signed_at DESC, v.id DESC LIMIT p_most
$$;

CREATE FUNCTION complaint_review_seen_v1(p_id uuid)
RETURNS TABLE (code text, from_at timestamptz, until_at timestamptz, signed_at timestamptz, account_id uuid, name_ct bytea, words text,
               shown jsonb, digest bytea, verdicts jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.code, v.from_at, v.until_at, v.signed_at, a.id, a.name_ct, v.words, v.shown, v.digest,
           coalesce((SELECT jsonb_agg(jsonb_build_object('verdict', f.verdict, 'note', f.note, 'case', f.case_id, 'reference', c.reference)
                                      ORDER BY f.n)
                     FROM troth.complaint_finding f LEFT JOIN troth.case_file c ON c.id = f.case_id WHERE f.review_id = v.id), '[]')
    FROM troth.complaint_review v JOIN troth.programme p ON p.id = v.programme_id JOIN troth.account a ON a.id = v.account_id
    WHERE v.id = p_id AND troth.looked_at() IS NULL
$$;

-- For the control of FBL-3: each review since, and the one before it; `sound`: it is over the figures that it keeps, has a
-- verdict on each of its findings and its entry of the ledger. The row without a review says from when the next one covers,
-- and until when the last one did.
CREATE FUNCTION complaint_review_fact_v1(p_programme uuid, p_since timestamptz)
RETURNS TABLE (review uuid, from_at timestamptz, until_at timestamptz, signed_at timestamptz, sound boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT v.id, v.from_at, v.until_at, v.signed_at,
           v.digest = sha256(convert_to(v.shown::text, 'UTF8')) AND v.findings = jsonb_array_length(v.shown -> 'findings')
           AND v.findings = (SELECT count(*) FROM troth.complaint_finding f WHERE f.review_id = v.id)
           AND EXISTS (
               SELECT FROM (SELECT l.leaf::jsonb AS said FROM troth.ledger_leaf l WHERE l.log_id = 1 AND l.kind = 'complaints:review:signed'
                            UNION ALL SELECT q.leaf::jsonb FROM troth.ledger_pending q WHERE q.kind = 'complaints:review:signed') AS e
               JOIN troth.account a ON a.id = v.account_id AND a.human_id::text = e.said ->> 'by'
               WHERE e.said ->> 'review' = v.id::text AND e.said ->> 'shown' = encode(v.digest, 'hex')
                 AND e.said ->> 'programme' = v.programme_id::text
                 AND (e.said ->> 'from')::timestamptz = v.from_at AND (e.said ->> 'until')::timestamptz = v.until_at
                 AND abs((e.said ->> 'at')::numeric / 1000000 - extract(epoch FROM v.signed_at)) < 60
                 AND e.said ->> 'words' = encode(sha256(convert_to(v.words, 'UTF8')), 'hex')
                 AND e.said ->> 'followed' = (SELECT count(*) FROM troth.complaint_finding f WHERE f.review_id = v.id
                                              AND f.verdict = 'followed')::text)
    FROM troth.complaint_review v WHERE v.programme_id = p_programme AND v.signed_at >= p_since
    UNION ALL
    SELECT NULL, troth.complaint_review_from(p_programme),
           (SELECT max(v.until_at) FROM troth.complaint_review v WHERE v.programme_id = p_programme), NULL, NULL
    ORDER BY 4 NULLS LAST LIMIT 200
$$;
CREATE INDEX ledger_leaf_complaint_review ON ledger_leaf (index) WHERE kind = 'complaints:review:signed';
