-- A change's entries of the ledger, by the index that holds their words. Reading JSON is no leakproof operator, so under
-- row-level security the index serves nobody and every entry would be read; here it does. Those of the change's own
-- client, which is the one that is looked at (none: the house's own).
CREATE FUNCTION change_entries_v1(p_change uuid) RETURNS TABLE (kind text, index bigint, leaf text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.kind, l.index, l.leaf FROM troth.ledger_leaf l
    WHERE l.log_id = 1 AND l.kind LIKE 'governance:change:%' AND l.leaf::jsonb ->> 'change' = p_change::text
      AND l.tenant_id IS NOT DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid
    ORDER BY l.index LIMIT 200
$$;

-- Who has proposed anything there, for the filter: the first 200, and no more are looked at than it takes to find them.
CREATE OR REPLACE FUNCTION change_authors_v1(p_session bytea, p_all boolean, p_tenant uuid)
RETURNS TABLE (id uuid, name_ct bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE who troth.account := troth.session_account(p_session);
BEGIN
    RETURN QUERY
    SELECT a.id, a.name_ct
    FROM (SELECT x.id, x.name_ct FROM troth.account x WHERE x.tenant_id IS NULL OR p_all OR x.tenant_id = p_tenant
          ORDER BY x.created_at OFFSET 0) AS a
    WHERE EXISTS (SELECT FROM troth.change c WHERE c.proposer_account = a.id
                  AND (p_all OR c.tenant_id IS NOT DISTINCT FROM p_tenant) AND (troth.cell_of(who, 'change:read', c.tenant_id)).action IS NOT NULL)
    LIMIT 200;
END $$;
