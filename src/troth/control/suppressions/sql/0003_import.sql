-- Rows of an approved import, carried out: what this client's list lacks, with its reason. An address may be there for
-- several reasons; a second import of the same list adds nothing. Who approved it is the import's change.
CREATE FUNCTION suppress_import_v1(p_import uuid, p_indexes bytea[], p_reasons smallint[], p_sources text[],
                                   p_addresses bytea[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    own uuid := troth.import_carrying(p_import, 'suppressions');
    added integer;
BEGIN
    SELECT troth.suppress_v1(coalesce(array_agg(n.i), '{}'), coalesce(array_agg(n.r), '{}'), coalesce(array_agg(n.s), '{}'),
                             coalesce(array_agg(own), '{}'), coalesce(array_agg(n.a), '{}')) INTO added
    FROM (SELECT DISTINCT ON (u.i, u.r) u.i, u.r, u.s, u.a
          FROM unnest(p_indexes, p_reasons, p_sources, p_addresses) AS u(i, r, s, a)
          WHERE u.r BETWEEN 1 AND 6 AND NOT EXISTS (
              SELECT FROM troth.suppression x WHERE x.blind_index = u.i AND x.reason = u.r
              AND x.tenant_id IS NOT DISTINCT FROM own)
          ORDER BY u.i, u.r, u.s) AS n;
    RETURN added;
END $$;

-- The same for opt-outs of one category, which must be the client's.
CREATE FUNCTION opt_out_import_v1(p_import uuid, p_indexes bytea[], p_category uuid, p_source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    own uuid := troth.import_carrying(p_import, 'suppressions');
    added integer;
BEGIN
    IF NOT EXISTS (SELECT FROM troth.governed g WHERE g.subject = p_category AND g.kind = 'category' AND g.tenant_id = own) THEN
        RAISE EXCEPTION 'there is no such category of this client' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.one_wish_at_a_time(own, p_indexes); -- in the order that everybody takes them
    SELECT count(*) FILTER (WHERE troth.opt_out_v1(own, u.i, p_category, p_source)) INTO added
    FROM (SELECT DISTINCT i FROM unnest(p_indexes) AS x(i) ORDER BY i) AS u;
    RETURN added;
END $$;
