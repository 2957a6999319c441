-- What the controls of CPL-3 and CPL-4 count: messages and opt-outs that are not as the law asks.

CREATE FUNCTION privacy_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 150000;
    talk CONSTANT interval := interval '10 minutes'; -- from a mark to the record of its answer, at the longest
    done CONSTANT interval := interval '1 minute';   -- an opt-out is carried out in the transaction that tells of it
    first CONSTANT uuid := troth.uuid7_floor(p_since);
BEGIN
    CASE p_fact
    WHEN 'sent-on-consent' THEN RETURN QUERY
        -- each message of a category that is sent on consent, with consent that held when it went out
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, NOT EXISTS (
                  SELECT FROM troth.consent c WHERE c.tenant_id = e.tenant_id AND c.person_id = m.person_id
                  AND c.kind IN (1, 2) AND (c.category_id IS NULL OR c.category_id = m.category_id) AND c.at <= e.at
                  AND coalesce(c.expires_at > e.at - talk, true)
                  AND NOT EXISTS (SELECT FROM troth.consent w WHERE w.tenant_id = c.tenant_id AND w.person_id = c.person_id
                                  AND w.kind = 3 AND (w.category_id IS NULL OR w.category_id = m.category_id)
                                  AND w.at >= c.at AND w.at < e.at - talk)) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 8 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              JOIN troth.message m ON m.id = e.message_id JOIN troth.email l ON l.id = m.email_id
              JOIN troth.snapshot s ON s.id = l.category_snapshot
              WHERE s.artefact::jsonb ->> 'lawful_basis' = 'consent') AS x
        GROUP BY 1;
    WHEN 'opt-outs' THEN RETURN QUERY
        -- each opt-out that was told, with the row that carries it out: of its category, or of everything
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, NOT EXISTS (
                  SELECT FROM troth.opt_out o WHERE o.tenant_id = e.tenant_id AND o.blind_index = m.blind_index
                  AND o.category_id = m.category_id AND o.created_at <= e.at + done)
                  AND NOT EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = m.blind_index
                                  AND s.created_at <= e.at + done) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 15 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              JOIN troth.message m ON m.id = e.message_id) AS x
        GROUP BY 1;
    WHEN 'senders' THEN RETURN QUERY
        -- each client, with the name and the postal address that two people approved
        SELECT t.id, count(*), count(*) FILTER (WHERE b.bad), min(t.id::text) FILTER (WHERE b.bad)
        FROM troth.tenant t, LATERAL (SELECT btrim(t.postal_address) = '' OR btrim(t.name) = '' OR NOT EXISTS (
            SELECT FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
            WHERE g.subject = t.id AND s.kind = 'tenant' AND s.artefact::jsonb ->> 'name' = t.name
              AND s.artefact::jsonb ->> 'postal_address' = t.postal_address) AS bad) AS b
        GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'no such fact: %', p_fact USING ERRCODE = '22023';
    END CASE;
END $$;
