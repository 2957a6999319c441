-- The emergency stop: one person's act, of a category, a client or everything; its release is a change of two. Who may is
-- said by `permission` (pause:start); the watch, which is no person, has pause_v1, with the role troth_flow alone.

ALTER TABLE pause
    ADD category_id uuid REFERENCES governed (subject),   -- NULL: all of the client's mail, or of everybody's
    ADD CHECK (category_id IS NULL OR tenant_id IS NOT NULL);

CREATE FUNCTION stop_v1(p_tenant uuid, p_category uuid, p_effect text, p_reason text, p_session bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'pause:start', p_tenant);
    made uuid := gen_random_uuid();
BEGIN
    IF p_category IS NOT NULL AND NOT EXISTS (SELECT FROM troth.governed g WHERE g.subject = p_category
                                              AND g.kind = 'category' AND g.tenant_id = p_tenant) THEN
        RAISE EXCEPTION 'there is no such category for you to stop' USING ERRCODE = '42501';
    ELSIF btrim(coalesce(p_reason, '')) = '' THEN
        RAISE EXCEPTION 'say why, for those who look at it later' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.pause (id, tenant_id, category_id, effect, reason, started_by, started_at)
    VALUES (made, p_tenant, p_category, p_effect, p_reason, who.id::text, troth.now_v1());
    PERFORM troth.ledger_entry(ARRAY['sending:pause:start'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['by', 'category', 'effect', 'pause', 'reason'],
        ARRAY[who.human_id::text, coalesce(p_category::text, ''), p_effect, made::text, left(p_reason, 4000)])]);
    RETURN made;
END $$;

-- The stops in force for the client that is looked at, those of the whole house among them; of all clients where none is.
-- `started_by`: an account, or the watch's name. `release`: the open change that would lift it.
CREATE FUNCTION stops_v1(p_most integer)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_name text, category text, effect text, reason text, started_at timestamptz,
               started_by text, account_id uuid, name_ct bytea, release uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.id, s.tenant_id, t.name, coalesce(v.artefact::jsonb ->> 'name', g.code), s.effect, s.reason, s.started_at,
           s.started_by, a.id, a.name_ct,
           (SELECT c.id FROM troth.change c WHERE c.kind = 'release' AND c.subject = s.id AND c.state = 1
            AND c.expires_at > troth.now_v1() ORDER BY c.proposed_at DESC LIMIT 1)
    FROM troth.looked_at() AS own, troth.pause s
    LEFT JOIN troth.tenant t ON t.id = s.tenant_id
    LEFT JOIN troth.governed g ON g.subject = s.category_id
    LEFT JOIN troth.snapshot v ON v.id = g.snapshot_id
    LEFT JOIN troth.account a ON a.id::text = s.started_by
    WHERE s.released_at IS NULL AND (own IS NULL OR s.tenant_id = own OR s.tenant_id IS NULL)
    ORDER BY s.started_at LIMIT p_most
$$;

-- How many messages of the client that is looked at (of all, where none is) would wait, of the first p_most that do;
-- `whole`: these are all there are.
CREATE FUNCTION stop_reach_v1(p_category uuid, p_most integer) RETURNS TABLE (n bigint, whole boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT count(q.tenant_id) FILTER (WHERE (own IS NULL OR q.tenant_id = own) AND (p_category IS NULL OR q.category_id = p_category)),
           count(q.tenant_id) < p_most
    FROM troth.looked_at() AS own LEFT JOIN (SELECT s.tenant_id, s.category_id FROM troth.spool s LIMIT p_most) AS q ON true
$$;

-- The first page says which category is stopped, and does not call a client paused for one of them.
CREATE OR REPLACE FUNCTION house_pauses_v1(p_most integer)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_name text, effect text, reason text, started_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.id, s.tenant_id, concat_ws(', ', s.tenant_name, s.category), s.effect, s.reason, s.started_at
    FROM troth.stops_v1(p_most) AS s
$$;
CREATE OR REPLACE FUNCTION house_clients_v1(p_since timestamptz, p_week timestamptz, p_most integer)
RETURNS TABLE (tenant_id uuid, name text, programme text, paused boolean, accepted bigint, week bigint, sent bigint,
               bounced bigint, complained bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH counted AS (
        SELECT t.tenant_id, coalesce(sum(n) FILTER (WHERE kind = 1 AND hour >= p_since), 0)::bigint AS accepted,
               coalesce(sum(n) FILTER (WHERE kind = 1 AND hour < p_since), 0)::bigint AS week,
               coalesce(sum(n) FILTER (WHERE kind = 8 AND hour >= p_since), 0)::bigint AS sent,
               coalesce(sum(n) FILTER (WHERE kind = 11 AND hour >= p_since), 0)::bigint AS bounced,
               coalesce(sum(n) FILTER (WHERE kind = 14 AND hour >= p_since), 0)::bigint AS complained
        FROM troth.event_tally t, troth.looked_at() AS own
        WHERE t.hour >= p_week AND (own IS NULL OR t.tenant_id = own) GROUP BY t.tenant_id)
    SELECT c.tenant_id, t.name, p.name,
           EXISTS (SELECT FROM troth.pause s WHERE s.released_at IS NULL AND s.category_id IS NULL
                   AND (s.tenant_id = t.id OR s.tenant_id IS NULL)),
           c.accepted, c.week, c.sent, c.bounced, c.complained
    FROM counted c JOIN troth.tenant t ON t.id = c.tenant_id JOIN troth.programme p ON p.id = t.programme_id
    ORDER BY c.accepted DESC, t.name LIMIT p_most
$$;
