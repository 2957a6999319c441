-- What the control of SUP-2 tries and counts: every way onto the list leads there, and whoever asked to be left alone stands
-- on it.

-- One attempt, made as the tables' owner and undone whatever comes of it. Of a way onto the list the answer is 'listed' when
-- entry and feed, or the opt-out, were there; of all else the SQLSTATE of the refusal, or 'accepted'.
CREATE FUNCTION suppression_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    made uuid := gen_random_uuid();
    firm uuid := (SELECT id FROM troth.tenant ORDER BY id LIMIT 1);
    mine bytea := sha256(uuid_send(made));
    ways text[] := ARRAY['hard-bounce', 'complaint', 'opt-out', 'feedback-loop', 'administrative', 'soft-bounces-spent'];
    way smallint := array_position(ways, p_name);
BEGIN
    IF firm IS NULL THEN
        RETURN 'nothing there';
    ELSIF way IS NOT NULL THEN
        PERFORM troth.suppress_v1(ARRAY[mine], ARRAY[way], ARRAY['attempt'], ARRAY[firm], ARRAY[NULL::bytea]);
        IF EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = mine AND s.reason = way
                   AND s.tenant_id = firm AND s.created_at >= now)
           AND EXISTS (SELECT FROM troth.suppression_feed f WHERE f.blind_index = mine AND f.reason = way) THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR002';
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
    END IF;
    CASE p_name
    WHEN 'category-opt-out' THEN
        PERFORM troth.opt_out_v1(firm, mine, made, 'attempt');
        IF troth.opted_out(firm, mine, made) THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR002';
        END IF;
    WHEN 'no-reason' THEN
        PERFORM troth.suppress_v1(ARRAY[mine], ARRAY[7::smallint], ARRAY['attempt'], ARRAY[firm], ARRAY[NULL::bytea]);
    WHEN 'by-nobody' THEN
        PERFORM troth.suppress_by_hand_v1(made, firm, mine, '\x01', '\x01', mine);
    WHEN 'override-of-a-complaint' THEN
        PERFORM troth.suppress_v1(ARRAY[mine], ARRAY[2::smallint], ARRAY['attempt'], ARRAY[firm], ARRAY[NULL::bytea]);
        INSERT INTO troth.suppression_override (tenant_id, blind_index, snapshot_id, expires_at)
        VALUES (firm, mine, (SELECT id FROM troth.snapshot LIMIT 1), now + interval '1 minute');
    WHEN 'override-of-an-opt-out' THEN
        PERFORM troth.suppress_v1(ARRAY[mine], ARRAY[3::smallint], ARRAY['attempt'], ARRAY[firm], ARRAY[NULL::bytea]);
        INSERT INTO troth.suppression_override (tenant_id, blind_index, snapshot_id, expires_at)
        VALUES (firm, mine, (SELECT id FROM troth.snapshot LIMIT 1), now + interval '1 minute');
    WHEN 'override-of-what-came-later' THEN
        -- the trigger says what is covered, whatever the writer says
        INSERT INTO troth.suppression_override (tenant_id, blind_index, snapshot_id, expires_at, covers)
        VALUES (firm, mine, (SELECT id FROM troth.snapshot LIMIT 1), now + interval '1 minute', ARRAY['1:attempt']);
        PERFORM troth.suppress_v1(ARRAY[mine], ARRAY[1::smallint], ARRAY['attempt'], ARRAY[firm], ARRAY[NULL::bytea]);
        IF NOT troth.overridden_v1(firm, mine, 1::smallint, 'attempt', now, now) THEN
            RAISE EXCEPTION 'it stops the mail again' USING ERRCODE = '42501';
        END IF;
    WHEN 'override-for-good' THEN
        INSERT INTO troth.suppression_override (tenant_id, blind_index, snapshot_id, expires_at)
        VALUES (firm, mine, (SELECT id FROM troth.snapshot LIMIT 1), now + interval '10 years');
    ELSE
        RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
    END CASE;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN SQLSTATE 'TR002' THEN RETURN 'listed';
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Counts by client: how many asked to be left alone, of how many of them no entry tells, and one of those.
CREATE FUNCTION suppression_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    first uuid := troth.uuid7_floor(p_since);
    most integer := 150000; -- the newest so many: a check takes seconds, whatever there is
BEGIN
    CASE p_fact
    WHEN 'complaints' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, m.id IS NULL OR NOT EXISTS (
                  SELECT FROM troth.suppression s WHERE s.blind_index = m.blind_index AND s.reason IN (2, 4)) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 14 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              LEFT JOIN troth.message m ON m.id = e.message_id) AS x
        GROUP BY 1;
    WHEN 'opt-outs' THEN RETURN QUERY
        SELECT x.tenant_id, count(*), count(*) FILTER (WHERE x.bad), min(x.message_id::text) FILTER (WHERE x.bad)
        FROM (SELECT e.tenant_id, e.message_id, m.id IS NULL OR NOT (EXISTS (
                  SELECT FROM troth.suppression s WHERE s.blind_index = m.blind_index AND s.reason = 3)
                  OR EXISTS (SELECT FROM troth.opt_out o WHERE o.tenant_id = e.tenant_id AND o.blind_index = m.blind_index)) AS bad
              FROM (SELECT * FROM troth.event WHERE kind = 15 AND message_id >= first ORDER BY message_id DESC LIMIT most) AS e
              LEFT JOIN troth.message m ON m.id = e.message_id) AS x
        GROUP BY 1;
    WHEN 'by-hand' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.suppression_act ORDER BY id DESC LIMIT most) AS a, LATERAL (SELECT NOT EXISTS (
            SELECT FROM troth.suppression s WHERE s.blind_index = a.blind_index AND s.reason = 5
            AND s.source = 'by-hand:' || a.id AND s.tenant_id IS NOT DISTINCT FROM a.tenant_id) AS bad) AS b
        GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
