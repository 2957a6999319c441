-- Reports of others about our mail: DMARC aggregate (RFC 7489, RFC 9990) and SMTP TLS (RFC 8460). The desk takes them in
-- (dmarc_take_v1, tls_take_v1); nobody else writes and nobody changes one. They are strangers' words: no state of a
-- message, no suppression and no stop comes from them.

-- key: SHA-256 of what makes a report this one; a signed one is never kept out by a forgery that came before it.
-- tenant_id: whose domain it is; NULL: several clients', or the house's own. reporter: who signed it, '' if nobody did.
CREATE TABLE dmarc_report (
    id         uuid PRIMARY KEY,
    tenant_id  uuid REFERENCES tenant,
    domain     text NOT NULL CHECK (domain <> '' AND domain = lower(domain) AND octet_length(domain) <= 255),
    org        text NOT NULL CHECK (org <> '' AND length(org) <= 200),
    report_id  text NOT NULL CHECK (length(report_id) <= 300),
    key        bytea NOT NULL UNIQUE CHECK (octet_length(key) = 32),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    reporter   text NOT NULL,
    begin_at   timestamptz NOT NULL,
    end_at     timestamptz NOT NULL CHECK (end_at >= begin_at),
    arrived_at timestamptz NOT NULL,
    messages   bigint NOT NULL CHECK (messages >= 0),
    passed     bigint NOT NULL CHECK (passed >= 0 AND passed <= messages),
    records    integer NOT NULL CHECK (records BETWEEN 0 AND 500),
    left_out   integer NOT NULL CHECK (left_out >= 0),
    head       jsonb NOT NULL CHECK (octet_length(head::text) <= 8192)
);
CREATE INDEX dmarc_report_tenant ON dmarc_report (tenant_id, arrived_at);
CREATE INDEX dmarc_report_domain ON dmarc_report (domain, arrived_at);
CREATE INDEX dmarc_report_arrived ON dmarc_report (arrived_at);

-- Records that agree in all but their number are one. tenant_id, domain: of the From domain, where that is ours.
CREATE TABLE dmarc_record (
    report_id     uuid NOT NULL REFERENCES dmarc_report,
    n             smallint NOT NULL CHECK (n BETWEEN 1 AND 500),
    tenant_id     uuid REFERENCES tenant,
    domain        text NOT NULL,
    day           date NOT NULL,
    arrived_at    timestamptz NOT NULL,
    signed        boolean NOT NULL,
    source_ip     inet NOT NULL,
    messages      bigint NOT NULL CHECK (messages >= 0),
    disposition   text NOT NULL CHECK (length(disposition) <= 20),
    dkim          boolean NOT NULL,
    spf           boolean NOT NULL,
    ours          boolean NOT NULL,                               -- passed with a selector of ours
    header_from   text NOT NULL CHECK (length(header_from) <= 255),
    envelope_from text NOT NULL CHECK (length(envelope_from) <= 255),
    dkim_domain   text NOT NULL CHECK (length(dkim_domain) <= 255),
    dkim_selector text NOT NULL CHECK (length(dkim_selector) <= 100),
    spf_domain    text NOT NULL CHECK (length(spf_domain) <= 255),
    reason        text NOT NULL CHECK (length(reason) <= 100),
    PRIMARY KEY (report_id, n)
);
CREATE INDEX dmarc_record_tenant ON dmarc_record (tenant_id, arrived_at);
CREATE INDEX dmarc_record_arrived ON dmarc_record (arrived_at);
CREATE INDEX dmarc_record_source ON dmarc_record (source_ip, arrived_at);
CREATE INDEX dmarc_record_day ON dmarc_record (day);

CREATE TABLE tls_report (
    id         uuid PRIMARY KEY,
    tenant_id  uuid REFERENCES tenant,
    domain     text NOT NULL CHECK (domain <> '' AND domain = lower(domain) AND octet_length(domain) <= 255),
    org        text NOT NULL CHECK (org <> '' AND length(org) <= 200),
    report_id  text NOT NULL CHECK (length(report_id) <= 300),
    key        bytea NOT NULL UNIQUE CHECK (octet_length(key) = 32),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    reporter   text NOT NULL,
    begin_at   timestamptz NOT NULL,
    end_at     timestamptz NOT NULL CHECK (end_at >= begin_at),
    arrived_at timestamptz NOT NULL,
    sessions   bigint NOT NULL CHECK (sessions >= 0),
    failed     bigint NOT NULL CHECK (failed >= 0),
    policies   jsonb NOT NULL CHECK (octet_length(policies::text) <= 16384)
);
CREATE INDEX tls_report_tenant ON tls_report (tenant_id, arrived_at);
CREATE INDEX tls_report_domain ON tls_report (domain, arrived_at);
CREATE INDEX tls_report_arrived ON tls_report (arrived_at);

CREATE TABLE tls_failure (
    report_id   uuid NOT NULL REFERENCES tls_report,
    n           smallint NOT NULL CHECK (n BETWEEN 1 AND 200),
    tenant_id   uuid REFERENCES tenant,
    arrived_at  timestamptz NOT NULL,
    policy      text NOT NULL CHECK (length(policy) <= 40),
    result      text NOT NULL CHECK (length(result) <= 60),
    mx          text NOT NULL CHECK (length(mx) <= 255),
    sending_ip  text NOT NULL CHECK (length(sending_ip) <= 60),
    reason      text NOT NULL CHECK (length(reason) <= 200),
    sessions    bigint NOT NULL CHECK (sessions >= 0),
    PRIMARY KEY (report_id, n)
);
CREATE INDEX tls_failure_tenant ON tls_failure (tenant_id, arrived_at);

-- How many came and what became of them: numbers, so that a flood is one row.
CREATE TABLE report_count (
    day     date NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('dmarc', 'tls', 'letter')),
    outcome text NOT NULL CHECK (outcome IN ('taken', 'repeated', 'foreign', 'untimely', 'flooded', 'unreadable')),
    n       bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (day, kind, outcome)
);

CREATE TRIGGER insert_only BEFORE UPDATE ON dmarc_report FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE ON dmarc_record FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE ON tls_report FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE ON tls_failure FOR EACH ROW EXECUTE FUNCTION insert_only();

-- ---- whose a domain is ----------------------------------------------------------------------------------------

CREATE FUNCTION report_retired(p_domain uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT EXISTS (SELECT FROM troth.governed g WHERE g.subject = p_domain AND g.retired) $$;

-- The client whose sending domain this is, or is under, or is above; NULL with `ours`: several clients', or the house's.
-- A domain that is retired is its former client's as long as nobody else has it.
-- p_name is no public suffix: the desk looks. p_house: where the installation itself takes mail.
CREATE FUNCTION report_owner(p_name text, p_house text) RETURNS TABLE (ours boolean, tenant_id uuid, domain text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    owners uuid[];
    names text[];
    past uuid[];
    once text[];
BEGIN
    SELECT array_agg(DISTINCT d.tenant_id) FILTER (WHERE NOT g.bad), array_agg(d.name ORDER BY length(d.name) DESC) FILTER (WHERE NOT g.bad),
           array_agg(DISTINCT d.tenant_id), array_agg(d.name ORDER BY length(d.name) DESC) INTO owners, names, past, once
    FROM troth.domain_state d, LATERAL (SELECT troth.report_retired(d.domain_id) AS bad) AS g WHERE lower(d.name) = p_name;
    IF past IS NULL THEN -- the nearest one above it
        SELECT array_agg(DISTINCT d.tenant_id) FILTER (WHERE NOT g.bad), array_agg(d.name ORDER BY length(d.name) DESC) FILTER (WHERE NOT g.bad),
               array_agg(DISTINCT d.tenant_id), array_agg(d.name ORDER BY length(d.name) DESC) INTO owners, names, past, once
        FROM troth.domain_state d, LATERAL (SELECT troth.report_retired(d.domain_id) AS bad) AS g
        WHERE lower(d.name) = ANY (troth.report_parents(p_name));
    END IF;
    IF past IS NULL THEN -- those below it
        SELECT array_agg(DISTINCT b.tenant_id) FILTER (WHERE NOT b.bad), array_agg(b.name) FILTER (WHERE NOT b.bad),
               array_agg(DISTINCT b.tenant_id), array_agg(b.name) INTO owners, names, past, once
        FROM (SELECT d.tenant_id, d.name, troth.report_retired(d.domain_id) AS bad FROM troth.domain_state d
              WHERE right(lower(d.name), length(p_name) + 1) = '.' || p_name LIMIT 100) AS b;
    END IF;
    owners := coalesce(owners, past);
    names := coalesce(names, once);
    ours := owners IS NOT NULL OR p_name = p_house;
    tenant_id := CASE WHEN cardinality(owners) = 1 THEN owners[1] END;
    domain := CASE WHEN cardinality(names) = 1 THEN lower(names[1]) ELSE p_name END;
    RETURN NEXT;
END $$;
CREATE INDEX domain_state_name ON domain_state (lower(name));

CREATE FUNCTION report_parents(p_name text) RETURNS text[]
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT array_agg(array_to_string(l[i:], '.')) FROM string_to_array(p_name, '.') AS l, generate_series(2, cardinality(l) - 1) AS i
$$;

CREATE FUNCTION report_count_v1(p_kind text, p_outcome text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.report_count AS c (day, kind, outcome, n)
    VALUES ((troth.now_v1() AT TIME ZONE 'UTC')::date, p_kind, p_outcome, 1)
    ON CONFLICT (day, kind, outcome) DO UPDATE SET n = c.n + 1
$$;

-- A reporter that signed a report of five days ago or more. A signature alone proves nothing: everybody has a domain.
CREATE FUNCTION report_known(p_reporter text, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p_reporter <> '' AND (
        EXISTS (SELECT FROM troth.dmarc_report r WHERE r.reporter = p_reporter
                AND r.arrived_at BETWEEN p_at - interval '400 days' AND p_at - interval '5 days')
        OR EXISTS (SELECT FROM troth.tls_report r WHERE r.reporter = p_reporter
                   AND r.arrived_at BETWEEN p_at - interval '400 days' AND p_at - interval '5 days'))
$$;
CREATE INDEX dmarc_report_reporter ON dmarc_report (reporter, arrived_at) WHERE reporter <> '';
CREATE INDEX tls_report_reporter ON tls_report (reporter, arrived_at) WHERE reporter <> '';

-- Whether a day has room for one more, by whose domain it is and not by its name, which anybody makes up below ours: of one
-- owner 500 that nobody signed and 500 of signers who are not known, of each of whom 100; of a known one 2,000. In all, 5,000
-- that are not of a known one, and 20,000. No flood of strangers keeps a known reporter out.
CREATE FUNCTION report_room(p_table text, p_reporter text, p_tenant uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz := troth.now_v1();
    known boolean := troth.report_known(p_reporter, at);
    all_of bigint; strangers bigint; owners bigint; its bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE NOT g.known), count(*) FILTER (WHERE g.mine AND NOT g.known),
           count(*) FILTER (WHERE g.reporter = p_reporter)
    INTO all_of, strangers, owners, its
    FROM (SELECT d.reporter, d.tenant_id IS NOT DISTINCT FROM p_tenant AND (d.reporter <> '') = (p_reporter <> '') AS mine, w.known
          FROM (SELECT r.reporter, r.tenant_id FROM troth.dmarc_report r WHERE p_table = 'dmarc' AND r.arrived_at > at - interval '1 day'
                UNION ALL
                SELECT r.reporter, r.tenant_id FROM troth.tls_report r WHERE p_table = 'tls' AND r.arrived_at > at - interval '1 day') AS d
          JOIN (SELECT q.reporter, troth.report_known(q.reporter, at) AS known
                FROM (SELECT DISTINCT r.reporter FROM troth.dmarc_report r WHERE p_table = 'dmarc' AND r.arrived_at > at - interval '1 day'
                      UNION
                      SELECT r.reporter FROM troth.tls_report r WHERE p_table = 'tls' AND r.arrived_at > at - interval '1 day') AS q) AS w
            ON w.reporter = d.reporter) AS g;
    RETURN all_of < 20000 AND CASE WHEN known THEN its < 2000
        ELSE strangers < 5000 AND owners < 500 AND (p_reporter = '' OR its < 100) END;
END $$;

-- 'taken', or why not.
CREATE FUNCTION report_answer(p_table text, p_key bytea, p_reporter text, p_tenant uuid, p_ours boolean, p_begin timestamptz,
                              p_end timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz := troth.now_v1();
BEGIN
    IF NOT p_ours THEN
        RETURN 'foreign';
    ELSIF p_begin > at + interval '2 days' OR p_end < at - interval '400 days' OR p_end - p_begin > interval '40 days' THEN
        RETURN 'untimely';
    ELSIF EXISTS (SELECT FROM troth.dmarc_report r WHERE p_table = 'dmarc' AND r.key = p_key)
       OR EXISTS (SELECT FROM troth.tls_report r WHERE p_table = 'tls' AND r.key = p_key) THEN
        RETURN 'repeated';
    END IF;
    RETURN CASE WHEN troth.report_room(p_table, p_reporter, p_tenant) THEN 'taken' ELSE 'flooded' END;
END $$;

-- ---- taking one in --------------------------------------------------------------------------------------------

CREATE FUNCTION dmarc_take_v1(p_id uuid, p_key bytea, p_domain text, p_org text, p_report text, p_reporter text,
                              p_begin timestamptz, p_end timestamptz, p_digest bytea, p_head jsonb, p_left_out integer,
                              p_house text, p_records jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz;
    owner record;
    answer text;
BEGIN
    -- no review is signed meanwhile: what came before its end was committed before it
    PERFORM pg_advisory_xact_lock_shared(7426, 0);
    PERFORM pg_advisory_xact_lock(7421, 0); -- two of one key, and the day's number
    at := troth.now_v1();
    SELECT * INTO owner FROM troth.report_owner(p_domain, p_house);
    answer := troth.report_answer('dmarc', p_key, p_reporter, owner.tenant_id, owner.ours, p_begin, p_end);
    PERFORM troth.report_count_v1('dmarc', answer);
    IF answer <> 'taken' THEN
        RETURN answer;
    END IF;
    DELETE FROM troth.dmarc_record WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM troth.dmarc_record d
        WHERE d.day < (at - interval '400 days')::date LIMIT 500)); -- thirteen months are kept
    INSERT INTO troth.dmarc_report (id, tenant_id, domain, org, report_id, key, digest, reporter, begin_at, end_at, arrived_at,
                                    messages, passed, records, left_out, head)
    SELECT p_id, owner.tenant_id, p_domain, p_org, p_report, p_key, p_digest, p_reporter, p_begin, p_end, at,
           coalesce(sum(r.messages), 0), coalesce(sum(r.messages) FILTER (WHERE r.dkim OR r.spf), 0), count(r.messages), p_left_out, p_head
    FROM jsonb_to_recordset(p_records) AS r (messages bigint, dkim boolean, spf boolean);
    INSERT INTO troth.dmarc_record (report_id, n, tenant_id, domain, day, arrived_at, signed, source_ip, messages, disposition, dkim, spf,
                                    ours, header_from, envelope_from, dkim_domain, dkim_selector, spf_domain, reason)
    SELECT p_id, r.n, coalesce(f.tenant_id, owner.tenant_id), coalesce(f.domain, owner.domain), (p_begin AT TIME ZONE 'UTC')::date, at,
           p_reporter <> '', r.source_ip, r.messages, r.disposition, r.dkim, r.spf,
           r.dkim AND EXISTS (SELECT FROM troth.dkim_key k JOIN troth.domain_state d ON d.domain_id = k.domain_id
                              WHERE lower(d.name) = r.dkim_domain AND k.selector = r.dkim_selector),
           r.header_from, r.envelope_from, r.dkim_domain, r.dkim_selector, r.spf_domain, r.reason
    FROM jsonb_to_recordset(p_records) AS r (n smallint, source_ip inet, messages bigint, disposition text, dkim boolean, spf boolean,
        header_from text, envelope_from text, dkim_domain text, dkim_selector text, spf_domain text, reason text)
    LEFT JOIN (SELECT h.name, o.tenant_id, o.domain
               FROM (SELECT DISTINCT x.header_from AS name FROM jsonb_to_recordset(p_records) AS x (header_from text)
                     WHERE x.header_from <> '' LIMIT 50) AS h,
                    troth.report_owner(h.name, p_house) AS o
               WHERE o.ours AND (h.name = p_domain OR right(h.name, length(p_domain) + 1) = '.' || p_domain)) AS f
        ON f.name = r.header_from;
    RETURN answer;
END $$;

CREATE FUNCTION tls_take_v1(p_id uuid, p_key bytea, p_domain text, p_org text, p_report text, p_reporter text,
                            p_begin timestamptz, p_end timestamptz, p_digest bytea, p_policies jsonb, p_sessions bigint,
                            p_failed bigint, p_house text, p_failures jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz;
    owner record;
    answer text;
BEGIN
    -- no review is signed meanwhile: what came before its end was committed before it
    PERFORM pg_advisory_xact_lock_shared(7426, 0);
    PERFORM pg_advisory_xact_lock(7422, 0);
    at := troth.now_v1();
    SELECT * INTO owner FROM troth.report_owner(p_domain, p_house);
    answer := troth.report_answer('tls', p_key, p_reporter, owner.tenant_id, owner.ours, p_begin, p_end);
    PERFORM troth.report_count_v1('tls', answer);
    IF answer <> 'taken' THEN
        RETURN answer;
    END IF;
    INSERT INTO troth.tls_report (id, tenant_id, domain, org, report_id, key, digest, reporter, begin_at, end_at, arrived_at, sessions,
                                  failed, policies)
    VALUES (p_id, owner.tenant_id, p_domain, p_org, p_report, p_key, p_digest, p_reporter, p_begin, p_end, at, p_sessions,
            p_failed, p_policies);
    INSERT INTO troth.tls_failure (report_id, n, tenant_id, arrived_at, policy, result, mx, sending_ip, reason, sessions)
    SELECT p_id, f.n, owner.tenant_id, at, f.policy, f.result, f.mx, f.sending_ip, f.reason, f.sessions
    FROM jsonb_to_recordset(p_failures) AS f (n smallint, policy text, result text, mx text, sending_ip text, reason text, sessions bigint);
    RETURN answer;
END $$;
