-- What pages show of complaints: templates whose mark stands, at the client that is looked at, or at all of them.

CREATE FUNCTION template_flags_waiting_v1(p_most integer)
RETURNS TABLE (tenant uuid, tenant_name text, subject uuid, code text, version integer, since timestamptz, complaints bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT f.tenant_id, t.name, f.subject, g.code, f.version, f.since,
           (SELECT count(*) FROM troth.complaint c WHERE c.template_snapshot = f.snapshot_id AND c.at >= f.since)
    FROM troth.looked_at() AS own, troth.template_flag f
    JOIN troth.tenant t ON t.id = f.tenant_id JOIN troth.governed g ON g.subject = f.subject
    WHERE f.cleared_at IS NULL AND (own IS NULL OR f.tenant_id = own)
    ORDER BY f.since LIMIT p_most
$$;
CREATE INDEX template_flag_waits ON template_flag (since) WHERE cleared_at IS NULL;
