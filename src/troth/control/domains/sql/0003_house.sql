-- Sending domains of every client at once, for staff who look at none in particular.

DROP FUNCTION house_domains_v1(integer); -- tells less of the same

-- Those that stopped first, then those that never sent, those that send, and what is out of service; of the client that is
-- looked at, or of all. p_shut: only those from which nothing leaves now.
CREATE FUNCTION domain_house_v1(p_shut boolean, p_most integer)
RETURNS TABLE (domain_id uuid, tenant_id uuid, client text, name text, ready_until timestamptz, checked_at timestamptz,
               last_good_at timestamptz, lookup_failed boolean, findings jsonb, retired boolean, broken_at timestamptz,
               all_of_them bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT d.domain_id, t.id, t.name, d.name, d.ready_until, d.checked_at, d.last_good_at, d.lookup_failed, d.findings, g.retired,
           coalesce(d.broken_at, CASE WHEN d.last_good_at IS NOT NULL AND d.ready_until <= n.at THEN d.ready_until END), count(*) OVER ()
    FROM troth.looked_at() AS own, (SELECT troth.now_v1() AS at) AS n, troth.domain_state d
    JOIN troth.tenant t ON t.id = d.tenant_id JOIN troth.governed g ON g.subject = d.domain_id
    WHERE (own IS NULL OR d.tenant_id = own) AND (NOT p_shut OR (d.ready_until <= n.at AND NOT g.retired))
    ORDER BY g.retired, d.ready_until > n.at, d.last_good_at IS NULL, t.name, d.name LIMIT p_most
$$;
