-- What the first page counts. Each answers for the tenant of the transaction, and for all clients together where none is
-- chosen, which only staff's transactions are: a member's always have their own. Counts and names, no content.

CREATE FUNCTION looked_at() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT nullif(current_setting('troth.tenant', true), '')::uuid $$;

CREATE FUNCTION house_hours_v1(p_since timestamptz) RETURNS TABLE (hour timestamptz, kind smallint, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.hour, t.kind, sum(t.n)::bigint FROM troth.event_tally t, troth.looked_at() AS own
    WHERE t.hour >= p_since AND (own IS NULL OR t.tenant_id = own) GROUP BY t.hour, t.kind
$$;

-- The clients with most accepted since then.
CREATE FUNCTION house_clients_v1(p_since timestamptz, p_week timestamptz, p_most integer)
RETURNS TABLE (tenant_id uuid, name text, programme text, paused boolean, accepted bigint, week bigint, sent bigint,
               bounced bigint, complained bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH counted AS (
        SELECT t.tenant_id, coalesce(sum(n) FILTER (WHERE kind = 1 AND hour >= p_since), 0)::bigint AS accepted,
               coalesce(sum(n) FILTER (WHERE kind = 1 AND hour < p_since), 0)::bigint AS week,
               coalesce(sum(n) FILTER (WHERE kind = 8 AND hour >= p_since), 0)::bigint AS sent,
               coalesce(sum(n) FILTER (WHERE kind = 11 AND hour >= p_since), 0)::bigint AS bounced,
               coalesce(sum(n) FILTER (WHERE kind = 14 AND hour >= p_since), 0)::bigint AS complained
        FROM troth.event_tally t, troth.looked_at() AS own
        WHERE t.hour >= p_week AND (own IS NULL OR t.tenant_id = own) GROUP BY t.tenant_id)
    SELECT c.tenant_id, t.name, p.name,
           EXISTS (SELECT FROM troth.pause s WHERE s.released_at IS NULL AND (s.tenant_id = t.id OR s.tenant_id IS NULL)),
           c.accepted, c.week, c.sent, c.bounced, c.complained
    FROM counted c JOIN troth.tenant t ON t.id = c.tenant_id JOIN troth.programme p ON p.id = t.programme_id
    ORDER BY c.accepted DESC, t.name LIMIT p_most
$$;

-- The queue by state, of the rows due first, p_most of them; `oldest` is the first id, which holds its time.
CREATE FUNCTION house_spool_v1(p_most integer) RETURNS TABLE (state smallint, n bigint, oldest uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.state, count(*), min(s.message_id::text)::uuid
    FROM (SELECT q.state, q.message_id FROM troth.spool q, troth.looked_at() AS own
          WHERE own IS NULL OR q.tenant_id = own ORDER BY q.due LIMIT p_most) AS s GROUP BY s.state
$$;

-- Changes that wait for a second person, the one whose time ends first above.
CREATE FUNCTION house_changes_v1(p_most integer)
RETURNS TABLE (id uuid, kind text, code text, tenant_name text, reason text, proposer uuid, name_ct bytea,
               proposed_at timestamptz, expires_at timestamptz, all_of_them bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.id, c.kind, c.code, t.name, c.reason, a.id, a.name_ct, c.proposed_at, c.expires_at, count(*) OVER ()
    FROM troth.looked_at() AS own, troth.change c
    JOIN troth.account a ON a.id = c.proposer_account LEFT JOIN troth.tenant t ON t.id = c.tenant_id
    WHERE c.state = 1 AND c.expires_at > troth.now_v1() AND (own IS NULL OR c.tenant_id = own)
    ORDER BY c.expires_at LIMIT p_most
$$;

-- Messages that two people have to let go: held rows are due when their lifetime ends.
CREATE FUNCTION house_held_v1(p_most integer)
RETURNS TABLE (tenant_id uuid, tenant_name text, n bigint, ends timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id, t.name, count(*), min(s.lifetime_ends)
    FROM troth.looked_at() AS own, troth.spool s JOIN troth.tenant t ON t.id = s.tenant_id
    WHERE s.state = 10 AND s.due = s.lifetime_ends AND (own IS NULL OR s.tenant_id = own)
    GROUP BY t.id, t.name ORDER BY min(s.lifetime_ends) LIMIT p_most
$$;

CREATE FUNCTION house_domains_v1(p_most integer)
RETURNS TABLE (domain_id uuid, tenant_id uuid, tenant_name text, name text, checked_at timestamptz, findings jsonb,
               all_of_them bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT d.domain_id, t.id, t.name, d.name, d.checked_at, d.findings, count(*) OVER ()
    FROM troth.looked_at() AS own, troth.domain_state d JOIN troth.tenant t ON t.id = d.tenant_id
    WHERE d.ready_until <= troth.now_v1() AND (own IS NULL OR d.tenant_id = own)
      AND EXISTS (SELECT FROM troth.governed g WHERE g.subject = d.domain_id AND NOT g.retired)
    ORDER BY t.name, d.name LIMIT p_most
$$;

CREATE FUNCTION house_pauses_v1(p_most integer)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_name text, effect text, reason text, started_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.id, s.tenant_id, t.name, s.effect, s.reason, s.started_at
    FROM troth.looked_at() AS own, troth.pause s LEFT JOIN troth.tenant t ON t.id = s.tenant_id
    WHERE s.released_at IS NULL AND (own IS NULL OR s.tenant_id = own OR s.tenant_id IS NULL)
    ORDER BY s.started_at LIMIT p_most
$$;
