-- The records: indexes by which a page of any of them is found in a few milliseconds, however many rows there are.

-- What of the ledger is the log of changes: what was governed, stopped, and who got or lost access. The page's query
-- says exactly this, else the index does not serve it.
CREATE INDEX ledger_leaf_changes ON ledger_leaf (tenant_id, at, index)
    WHERE kind ~ '^(governance|sending:pause|people:(account|leaver|review|key|factor|sign-on-domain|arrival)):';
-- all that came from one place
CREATE INDEX access_log_place ON access_log (place, id) WHERE place IS NOT NULL;
CREATE INDEX api_request_key ON api_request (api_key_id, id);

-- How long sessions of this client's people (NULL: of the staff) were: from when until when, and why it ended.
CREATE FUNCTION session_spans_v1(p_secret bytea, p_tenant uuid, p_sessions uuid[])
RETURNS TABLE (id uuid, opened_at timestamptz, until timestamptz, ended boolean, why text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE now timestamptz := troth.now_v1();
BEGIN
    PERFORM troth.allowed(p_secret, 'access-log:read', p_tenant);
    RETURN QUERY
    SELECT s.id, s.opened_at, coalesce(s.ended_at, least(s.expires_at, now)), s.ended_at IS NOT NULL OR s.expires_at <= now,
           coalesce(s.ended_why, CASE WHEN s.expires_at <= now THEN 'not used any more' END)
    FROM troth.session s JOIN troth.account a ON a.id = s.account_id
    WHERE s.id = ANY (p_sessions) AND a.tenant_id IS NOT DISTINCT FROM p_tenant;
END $$;
