-- How many entries the log of access has of a session is told with its end, so that none of them goes unseen.
CREATE OR REPLACE FUNCTION session_end(p_session uuid, p_why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE gone troth.session;
BEGIN
    UPDATE troth.session SET ended_at = troth.now_v1(), ended_why = p_why
    WHERE id = p_session AND ended_at IS NULL AND expires_at > troth.now_v1() RETURNING * INTO gone;
    IF gone.id IS NOT NULL THEN
        PERFORM troth.access_entry(CASE p_why WHEN 'signed out' THEN 'sign-out' ELSE 'session-ended' END, a.tenant_id, a.id,
                                   gone.id, p_why, NULL, NULL) FROM troth.account a WHERE a.id = gone.account_id;
        PERFORM troth.ledger_entry(ARRAY['people:session:end'], ARRAY[a.tenant_id], ARRAY[troth.leaf_json(
            ARRAY['account', 'entries', 'session', 'why'], ARRAY[a.id::text, n.n::text, gone.id::text, p_why])])
        FROM troth.account a, LATERAL (SELECT count(*) AS n FROM troth.access_log l WHERE l.account_id = a.id
                                       AND l.id >= troth.uuid7_floor(gone.opened_at - interval '1 minute')
                                       AND l.session_id = gone.id) AS n
        WHERE a.id = gone.account_id;
    END IF;
END $$;
