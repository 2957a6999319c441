-- The trust centre under a client firm's own name. That a firm shows it is a change of kind `trust-page` (approvals), of
-- which the page is told the firm's name and nothing else, to whoever asks.

-- NULL alike where there is no such firm of this programme, where it has not chosen to, where what it chose was
-- revoked, where it is closed or stopped, and of the programme's own system tenant: nobody learns who is a client.
CREATE FUNCTION trust_page_v1(p_programme uuid, p_client text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.name FROM troth.tenant t
    JOIN troth.governed g ON g.tenant_id = t.id AND g.kind = 'trust-page' AND g.code = 'trust-page' AND NOT g.retired
    JOIN troth.snapshot s ON s.id = g.snapshot_id
    WHERE t.programme_id = p_programme AND t.code = p_client AND t.kind = 1 AND t.state = 1
      AND s.artefact::jsonb @> '{"shown": true}'
      AND NOT EXISTS (SELECT FROM troth.revocation r WHERE r.snapshot_id = s.id)
      AND NOT EXISTS (SELECT FROM troth.pause p
                      WHERE p.tenant_id = t.id AND p.category_id IS NULL AND p.released_at IS NULL)
$$;
