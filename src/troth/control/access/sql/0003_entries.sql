-- The newest entry of the ledger for each of these items of a review. Reading JSON is no leakproof operator, so under
-- row-level security the index ledger_leaf_review serves nobody and every entry would be read; here it does. Of the client
-- that is looked at alone (none: the house's own).
CREATE FUNCTION review_entries_v1(p_review uuid, p_items uuid[]) RETURNS TABLE (item uuid, index bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT (l.leaf::jsonb ->> 'item')::uuid, max(l.index) FROM troth.ledger_leaf l
    WHERE l.kind LIKE 'people:review:%' AND l.leaf::jsonb ->> 'review' = p_review::text
      AND l.leaf::jsonb ->> 'item' = ANY (p_items::text[])
      AND l.tenant_id IS NOT DISTINCT FROM nullif(current_setting('troth.tenant', true), '')::uuid
    GROUP BY 1
$$;
