-- What a proof is made of: hashes of the tree, which tell nothing of whose entries they stand on.

-- The hashes at these places (level, index), level 0 being the leaves' own. A page that shows one client's proof needs
-- its neighbours' hashes, and may not read its neighbours' rows.
CREATE FUNCTION ledger_hashes_v1(p_levels smallint[], p_indexes bigint[])
RETURNS TABLE (level smallint, index bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT n.level, n.index, n.hash
    FROM unnest(p_levels, p_indexes) AS asked(level, index)
    JOIN troth.ledger_node n ON n.log_id = 1 AND n.level = asked.level AND n.index = asked.index
    UNION ALL
    SELECT 0::smallint, l.index, l.leaf_hash
    FROM unnest(p_levels, p_indexes) AS asked(level, index)
    JOIN troth.ledger_leaf l ON l.log_id = 1 AND asked.level = 0 AND l.index = asked.index
$$;
