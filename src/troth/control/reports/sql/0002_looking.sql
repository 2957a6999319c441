-- Reports of others, looked at by pages: those of the client that is looked at; of all, where none is.

CREATE FUNCTION dmarc_days_v1(p_since date) RETURNS TABLE (day date, messages bigint, passed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    SELECT r.day, sum(r.messages)::bigint, coalesce(sum(r.messages) FILTER (WHERE r.dkim OR r.spf), 0)::bigint
    FROM troth.looked_at() AS own JOIN troth.dmarc_record r ON r.tenant_id = own
    WHERE r.arrived_at >= p_since AND r.day >= p_since GROUP BY r.day
    UNION ALL
    SELECT (r.begin_at AT TIME ZONE 'UTC')::date, sum(r.messages)::bigint, sum(r.passed)::bigint
    FROM troth.looked_at() AS own JOIN troth.dmarc_report r ON own IS NULL
    WHERE r.arrived_at >= p_since AND r.begin_at >= p_since GROUP BY 1
    ORDER BY 1
$$;

CREATE FUNCTION dmarc_domains_v1(p_since date, p_most integer)
RETURNS TABLE (domain text, client text, messages bigint, passed bigint, records bigint, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    WITH mine AS (
        SELECT r.domain, r.tenant_id, r.messages, CASE WHEN r.dkim OR r.spf THEN r.messages ELSE 0 END AS passed, r.report_id, r.arrived_at
        FROM troth.looked_at() AS own JOIN troth.dmarc_record r ON r.tenant_id = own WHERE r.arrived_at >= p_since
        UNION ALL
        SELECT r.domain, r.tenant_id, r.messages, r.passed, r.id, r.arrived_at
        FROM troth.looked_at() AS own JOIN troth.dmarc_report r ON own IS NULL WHERE r.arrived_at >= p_since),
    named AS (
        SELECT lower(d.name) AS domain, d.tenant_id FROM troth.looked_at() AS own, troth.domain_state d
        WHERE own IS NULL OR d.tenant_id = own)
    SELECT coalesce(m.domain, n.domain), max(t.name), coalesce(sum(m.messages), 0)::bigint, coalesce(sum(m.passed), 0)::bigint,
           count(m.report_id), max(m.arrived_at)
    FROM mine m FULL JOIN named n ON n.domain = m.domain AND n.tenant_id IS NOT DISTINCT FROM m.tenant_id
    LEFT JOIN troth.tenant t ON t.id = coalesce(m.tenant_id, n.tenant_id)
    GROUP BY coalesce(m.domain, n.domain), coalesce(m.tenant_id, n.tenant_id)
    ORDER BY coalesce(sum(m.messages), 0) - coalesce(sum(m.passed), 0) DESC, 3 DESC, 1 LIMIT p_most
$$;

-- Of the newest 100,000 records. p_domain NULL: of all. p_signed: only what a reporter signed. The worst first. `fresh`: not seen in the 28 days before p_new.
CREATE FUNCTION dmarc_sources_v1(p_since date, p_new timestamptz, p_domain text, p_signed boolean, p_most integer)
RETURNS TABLE (source_ip inet, messages bigint, passed bigint, dkim bigint, spf bigint, ours bigint, refused bigint, fresh boolean,
               spf_domain text, dkim_domain text, first_day date, last_day date, records bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp SET jit = off
AS $$
    SELECT r.source_ip, sum(r.messages)::bigint, coalesce(sum(r.messages) FILTER (WHERE r.dkim OR r.spf), 0)::bigint,
           coalesce(sum(r.messages) FILTER (WHERE r.dkim), 0)::bigint, coalesce(sum(r.messages) FILTER (WHERE r.spf), 0)::bigint,
           coalesce(sum(r.messages) FILTER (WHERE r.ours), 0)::bigint,
           coalesce(sum(r.messages) FILTER (WHERE r.disposition IN ('quarantine', 'reject')), 0)::bigint,
           min(r.arrived_at) >= p_new, max(r.spf_domain), max(r.dkim_domain), min(r.day), max(r.day), count(*)
    FROM troth.looked_at() AS own, LATERAL (
        (SELECT * FROM troth.dmarc_record c WHERE c.tenant_id = own AND c.arrived_at >= p_since AND (p_domain IS NULL OR c.domain = p_domain)
            AND (c.signed OR NOT p_signed) ORDER BY c.arrived_at DESC LIMIT 100000)
        UNION ALL
        (SELECT * FROM troth.dmarc_record c WHERE own IS NULL AND c.arrived_at >= p_since AND (p_domain IS NULL OR c.domain = p_domain)
            AND (c.signed OR NOT p_signed) ORDER BY c.arrived_at DESC LIMIT 100000)) AS r
    GROUP BY r.source_ip
    ORDER BY sum(r.messages) - coalesce(sum(r.messages) FILTER (WHERE r.dkim OR r.spf), 0) DESC, 2 DESC, 1 LIMIT p_most
$$;

CREATE FUNCTION dmarc_source_v1(p_source inet, p_since date, p_most integer)
RETURNS TABLE (domain text, client text, dkim boolean, spf boolean, disposition text, reason text, dkim_domain text, dkim_selector text,
               spf_domain text, envelope_from text, messages bigint, ours boolean, first_day date, last_day date, report uuid, org text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.domain, max(t.name), r.dkim, r.spf, r.disposition, r.reason, r.dkim_domain, r.dkim_selector, r.spf_domain, r.envelope_from,
           sum(r.messages)::bigint, bool_or(r.ours), min(r.day), max(r.day), (array_agg(r.report_id ORDER BY r.arrived_at DESC))[1],
           string_agg(DISTINCT p.org, ', ')
    FROM troth.looked_at() AS own JOIN troth.dmarc_record r ON own IS NULL OR r.tenant_id = own
    JOIN troth.dmarc_report p ON p.id = r.report_id LEFT JOIN troth.tenant t ON t.id = r.tenant_id
    WHERE r.source_ip = p_source AND r.arrived_at >= p_since
    GROUP BY r.domain, r.tenant_id, r.dkim, r.spf, r.disposition, r.reason, r.dkim_domain, r.dkim_selector, r.spf_domain, r.envelope_from
    ORDER BY 11 DESC, 1 LIMIT p_most
$$;

-- The newest before (p_at, p_id); p_kind 'dmarc' or 'tls'.
CREATE FUNCTION reports_v1(p_kind text, p_domain text, p_at timestamptz, p_id uuid, p_most integer)
RETURNS TABLE (id uuid, domain text, client text, org text, reporter text, begin_at timestamptz, end_at timestamptz,
               arrived_at timestamptz, messages bigint, good bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT q.*
    FROM troth.looked_at() AS own, LATERAL (
        (SELECT r.id, r.domain, t.name, r.org, r.reporter, r.begin_at, r.end_at, r.arrived_at, r.messages, r.passed
         FROM troth.dmarc_report r LEFT JOIN troth.tenant t ON t.id = r.tenant_id
         WHERE p_kind = 'dmarc' AND (own IS NULL OR r.tenant_id = own) AND (p_domain IS NULL OR r.domain = p_domain)
           AND (p_at IS NULL OR (r.arrived_at, r.id) < (p_at, p_id))
         ORDER BY r.arrived_at DESC, r.id DESC LIMIT p_most)
        UNION ALL
        (SELECT r.id, r.domain, t.name, r.org, r.reporter, r.begin_at, r.end_at, r.arrived_at, r.sessions + r.failed, r.sessions
         FROM troth.tls_report r LEFT JOIN troth.tenant t ON t.id = r.tenant_id
         WHERE p_kind = 'tls' AND (own IS NULL OR r.tenant_id = own) AND (p_domain IS NULL OR r.domain = p_domain)
           AND (p_at IS NULL OR (r.arrived_at, r.id) < (p_at, p_id))
         ORDER BY r.arrived_at DESC, r.id DESC LIMIT p_most)) AS q
$$;

CREATE FUNCTION dmarc_report_v1(p_id uuid)
RETURNS TABLE (domain text, client text, org text, report_id text, reporter text, begin_at timestamptz, end_at timestamptz,
               arrived_at timestamptz, messages bigint, passed bigint, records integer, left_out integer, head jsonb, digest bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.domain, t.name, r.org, r.report_id, r.reporter, r.begin_at, r.end_at, r.arrived_at, r.messages, r.passed, r.records, r.left_out,
           r.head, r.digest
    FROM troth.looked_at() AS own JOIN troth.dmarc_report r ON r.id = p_id AND (own IS NULL OR r.tenant_id = own)
    LEFT JOIN troth.tenant t ON t.id = r.tenant_id
$$;

-- p_report NULL: those that arrived since p_since, for a file, after (p_after, p_n).
CREATE FUNCTION dmarc_records_v1(p_report uuid, p_since timestamptz, p_after uuid, p_n integer, p_most integer)
RETURNS TABLE (report uuid, n smallint, domain text, day date, signed boolean, source_ip inet, messages bigint, disposition text,
               dkim boolean, spf boolean, ours boolean, header_from text, envelope_from text, dkim_domain text, dkim_selector text,
               spf_domain text, reason text, org text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.report_id, r.n, r.domain, r.day, r.signed, r.source_ip, r.messages, r.disposition, r.dkim, r.spf, r.ours, r.header_from,
           r.envelope_from, r.dkim_domain, r.dkim_selector, r.spf_domain, r.reason, p.org
    FROM troth.looked_at() AS own JOIN troth.dmarc_record r ON own IS NULL OR r.tenant_id = own
    JOIN troth.dmarc_report p ON p.id = r.report_id
    WHERE CASE WHEN p_report IS NOT NULL THEN r.report_id = p_report
          ELSE r.arrived_at >= p_since AND (p_after IS NULL OR (r.report_id, r.n) > (p_after, p_n)) END
    ORDER BY r.report_id, r.n LIMIT p_most
$$;

CREATE FUNCTION tls_totals_v1(p_since date, p_most integer)
RETURNS TABLE (domain text, client text, org text, policies text, sessions bigint, failed bigint, reports bigint, last_at timestamptz,
               last_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.domain, max(t.name), r.org, (SELECT string_agg(DISTINCT k.type, ', ') FROM troth.tls_report o,
               jsonb_to_recordset(o.policies) AS k (type text)
               WHERE o.domain = r.domain AND o.org = r.org AND o.arrived_at >= p_since),
           sum(r.sessions)::bigint, sum(r.failed)::bigint, count(*), max(r.arrived_at), (array_agg(r.id ORDER BY r.arrived_at DESC))[1]
    FROM troth.looked_at() AS own JOIN troth.tls_report r ON own IS NULL OR r.tenant_id = own
    LEFT JOIN troth.tenant t ON t.id = r.tenant_id
    WHERE r.arrived_at >= p_since GROUP BY r.domain, r.tenant_id, r.org ORDER BY 6 DESC, 5 DESC, 1, 3 LIMIT p_most
$$;

CREATE FUNCTION tls_failures_v1(p_since date, p_report uuid, p_most integer)
RETURNS TABLE (domain text, result text, policy text, mx text, sending_ip text, reason text, sessions bigint, reports bigint, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.domain, f.result, f.policy, f.mx, CASE WHEN p_report IS NULL THEN '' ELSE f.sending_ip END,
           max(f.reason), sum(f.sessions)::bigint, count(DISTINCT r.id), max(r.arrived_at)
    FROM troth.looked_at() AS own JOIN troth.tls_failure f ON own IS NULL OR f.tenant_id = own
    JOIN troth.tls_report r ON r.id = f.report_id
    WHERE f.arrived_at >= p_since AND (p_report IS NULL OR f.report_id = p_report)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 7 DESC, 1, 2 LIMIT p_most
$$;

CREATE FUNCTION tls_report_v1(p_id uuid)
RETURNS TABLE (domain text, client text, org text, report_id text, reporter text, begin_at timestamptz, end_at timestamptz,
               arrived_at timestamptz, sessions bigint, failed bigint, policies jsonb, digest bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT r.domain, t.name, r.org, r.report_id, r.reporter, r.begin_at, r.end_at, r.arrived_at, r.sessions, r.failed, r.policies, r.digest
    FROM troth.looked_at() AS own JOIN troth.tls_report r ON r.id = p_id AND (own IS NULL OR r.tenant_id = own)
    LEFT JOIN troth.tenant t ON t.id = r.tenant_id
$$;
