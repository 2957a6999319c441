-- Unusual volumes: what two people decide of a pause of the watch, and of the mail that was held for it.

-- A release lifts a pause, or decides about mail that was held for it, or both; or puts one message that is held for
-- review back into the queue. Events alone change a message's state: this only leaves orders.
CREATE FUNCTION apply_release(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    p troth.pause;
    n integer := 0;
BEGIN
    SELECT * INTO p FROM troth.pause WHERE id = c.subject AND tenant_id IS NOT DISTINCT FROM c.tenant_id FOR UPDATE;
    IF p.id IS NOT NULL AND a ? 'held' THEN
        INSERT INTO troth.held_order (change_id, tenant_id, pause_id, act, messages, categories, templates, at)
        SELECT c.id, c.tenant_id, p.id, a ->> 'held', troth.ids_of(a -> 'messages'), troth.ids_of(a -> 'categories'),
               troth.ids_of(a -> 'templates'), troth.now_v1()
        WHERE p.started_by = 'anomaly' AND c.tenant_id IS NOT NULL;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF p.id IS NOT NULL AND p.released_at IS NULL AND coalesce((a ->> 'lift')::boolean, NOT a ? 'held') THEN
        UPDATE troth.pause SET released_at = troth.now_v1(), release_change = c.id WHERE id = p.id;
        n := n + 1;
        -- the volume that two people have looked at is no news for a day; what was held is no part of it
        UPDATE troth.volume_gauge SET reviewed = recent + since, reviewed_at = troth.now_v1()
        WHERE tenant_id = p.tenant_id
          AND EXISTS (SELECT FROM troth.anomaly x WHERE x.pause_id = p.id AND x.cause = 'volume');
    END IF;
    IF p.id IS NULL THEN
        WITH woken AS (UPDATE troth.spool SET due = troth.now_v1()
                       WHERE message_id = c.subject AND state = 10 AND tenant_id = c.tenant_id RETURNING message_id)
        INSERT INTO troth.release_order (message_id, tenant_id, change_id, at)
        SELECT message_id, c.tenant_id, c.id, troth.now_v1() FROM woken ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF n = 0 THEN
        RAISE EXCEPTION 'there is nothing held or paused to release' USING ERRCODE = '55000';
    END IF;
END $$;

-- Carries out an order to release, for at most these messages of it: those that it means, that are held still and that no
-- other order let go. Only the change of two people makes a release, whatever the role that asks. The next claim counts
-- each anew (flow/delivery/releasing.py) and tells.
CREATE FUNCTION held_release_v1(p_change uuid, p_messages uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE n integer;
BEGIN
    WITH meant AS (
        SELECT h.message_id FROM troth.held_order o JOIN troth.held_mail h ON h.pause_id = o.pause_id
        WHERE o.change_id = p_change AND o.act = 'release' AND h.message_id = ANY (p_messages) AND h.outcome IS NULL
          AND h.at <= o.at AND (o.messages IS NULL OR h.message_id = ANY (o.messages))
          AND (o.categories IS NULL OR h.category_id = ANY (o.categories))
          AND (o.templates IS NULL OR h.template_id = ANY (o.templates))),
    woken AS (
        UPDATE troth.spool SET due = troth.now_v1() WHERE message_id = ANY (ARRAY(SELECT message_id FROM meant)) AND state = 10
        RETURNING message_id, tenant_id)
    INSERT INTO troth.release_order (message_id, tenant_id, change_id, at)
    SELECT message_id, tenant_id, p_change, troth.now_v1() FROM woken ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- An artefact's list of ids; NULL where it has none.
CREATE FUNCTION ids_of(p_list jsonb) RETURNS uuid[]
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE WHEN jsonb_typeof(p_list) = 'array' THEN ARRAY(SELECT x::uuid FROM jsonb_array_elements_text(p_list) AS x) END $$;
