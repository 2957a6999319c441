-- The first page's hours, keyed: of one client by the primary key, of all by the hour. Half a year of 50 clients is more
-- than a million hours, of which a page asks for a month. `n` is in no index, so that counting on stays HOT.
CREATE INDEX event_tally_hour ON event_tally (hour);

CREATE OR REPLACE FUNCTION house_hours_v1(p_since timestamptz) RETURNS TABLE (hour timestamptz, kind smallint, n bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE own uuid := troth.looked_at();
BEGIN
    IF own IS NULL THEN
        RETURN QUERY SELECT t.hour, t.kind, sum(t.n)::bigint FROM troth.event_tally t
        WHERE t.hour >= p_since GROUP BY t.hour, t.kind;
    ELSE
        RETURN QUERY SELECT t.hour, t.kind, t.n FROM troth.event_tally t WHERE t.tenant_id = own AND t.hour >= p_since;
    END IF;
END $$;
