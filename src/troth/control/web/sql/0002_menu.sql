-- What the menu counts: open changes that wait for this person's yes, by kind; of the tenant of the transaction, or of all
-- where none is chosen. Not what they proposed, wrote on, or have approved already. 500 are enough to count.

CREATE FUNCTION house_waiting_v1(p_human uuid) RETURNS TABLE (kind text, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT w.kind, count(*) FROM (
        SELECT c.kind FROM troth.looked_at() AS own, troth.change c
        WHERE c.state = 1 AND c.expires_at > troth.now_v1() AND (own IS NULL OR c.tenant_id = own)
          AND c.proposer_human <> p_human
          AND NOT EXISTS (SELECT FROM troth.approval a WHERE a.change_id = c.id AND a.human_id = p_human)
          AND NOT EXISTS (SELECT FROM troth.draft_author d WHERE d.draft_id = c.draft_id AND d.human_id = p_human)
        LIMIT 500) AS w
    GROUP BY w.kind
$$;

-- Changes that wait for a second person, the one whose time ends first above; with the client for whom each is looked at.
CREATE FUNCTION house_changes_v2(p_most integer)
RETURNS TABLE (id uuid, kind text, code text, tenant_name text, reason text, proposer uuid, name_ct bytea,
               proposed_at timestamptz, expires_at timestamptz, all_of_them bigint, tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.id, c.kind, c.code, t.name, c.reason, a.id, a.name_ct, c.proposed_at, c.expires_at, count(*) OVER (),
           c.tenant_id
    FROM troth.looked_at() AS own, troth.change c
    JOIN troth.account a ON a.id = c.proposer_account LEFT JOIN troth.tenant t ON t.id = c.tenant_id
    WHERE c.state = 1 AND c.expires_at > troth.now_v1() AND (own IS NULL OR c.tenant_id = own)
    ORDER BY c.expires_at LIMIT p_most
$$;
