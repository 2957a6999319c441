-- What the first page counts. Each answers for the tenant of the transaction, and for all clients together where none is
-- chosen, which only staff's transactions are: a member's always have their own. Counts and names, no content.

CREATE FUNCTION looked_at() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT nullif(current_setting('troth.tenant', true), '')::uuid $$;

-- The queue by state, of the rows due first, p_most of them; `oldest` is the first id, which holds its time.
CREATE FUNCTION house_spool_v1(p_most integer) RETURNS TABLE (state smallint, n bigint, oldest uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.state, count(*), min(s.message_id::text)::uuid
    FROM (SELECT q.state, q.message_id FROM troth.spool q, troth.looked_at() AS own
          WHERE own IS NULL OR q.tenant_id = own ORDER BY q.due LIMIT p_most) AS s GROUP BY s.state
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

