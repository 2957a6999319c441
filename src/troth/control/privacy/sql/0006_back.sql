-- The way back from an opt-out is told to the ledger, as the way out is by its message's event: mail flows again by it.

-- What an entry of it holds: which row, and nobody's address.
CREATE FUNCTION opt_in_digest(p_row opt_in) RETURNS text
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT encode(sha256(convert_to(concat_ws('|', (p_row).tenant_id, encode((p_row).blind_index, 'hex'), (p_row).category_id,
        (p_row).source, (extract(epoch FROM (p_row).created_at) * 1000000)::bigint), 'UTF8')), 'hex')
$$;

CREATE FUNCTION opt_in_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.ledger_entry(ARRAY['privacy:opt-in:record'], ARRAY[NEW.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['category', 'digest', 'source'], ARRAY[NEW.category_id::text, troth.opt_in_digest(NEW), NEW.source])]);
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON opt_in FOR EACH ROW EXECUTE FUNCTION opt_in_told();

-- Those that were there before are told now.
SELECT ledger_entry(ARRAY['privacy:opt-in:record'], ARRAY[i.tenant_id], ARRAY[leaf_json(
    ARRAY['category', 'digest', 'source'], ARRAY[i.category_id::text, opt_in_digest(i), i.source])])
FROM opt_in AS i ORDER BY i.created_at;
