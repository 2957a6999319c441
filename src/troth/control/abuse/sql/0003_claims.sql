-- What the controls of ABU-1, ABU-2, VDP-1 and VDP-2 try and count.

-- The clocks of a kind's cases since then, with when each case was opened and how severe it was judged when the clock
-- began. One that was set aside is none: only one that is not yet due can be, and the patch that takes its place is due no
-- later.
CREATE FUNCTION desk_clocks_v1(p_kind text, p_since timestamptz, p_most integer)
RETURNS TABLE (programme uuid, tenant uuid, reference text, severity text, name text, opened_at timestamptz, started_at timestamptz,
               due_at timestamptz, met_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(f.programme_id, t.programme_id), coalesce(f.tenant_id, k.tenant_id), f.reference,
           coalesce((SELECT e.value FROM troth.case_entry e WHERE c.name = 'patch' AND e.case_id = f.id
                     AND e.kind IN ('assess', 'severity') AND e.at >= c.started_at ORDER BY e.at, e.id LIMIT 1), f.severity),
           c.name, f.opened_at, c.started_at, c.due_at, c.met_at
    FROM troth.case_file f JOIN troth.case_clock c ON c.case_id = f.id
    LEFT JOIN troth.case_client k ON k.case_id = f.id LEFT JOIN troth.tenant t ON t.id = k.tenant_id
    WHERE f.kind = p_kind AND f.kind IN ('abuse', 'disclosure') AND f.opened_at >= p_since AND c.void_at IS NULL
      AND coalesce(f.tenant_id = troth.looked_at(), troth.looked_at() IS NULL)
    ORDER BY f.opened_at DESC, f.id, c.name, c.round LIMIT p_most
$$;

-- Cases that lack a clock which every one of their kind has, or that their severity asks for; by programme.
CREATE FUNCTION desk_cases_v1(p_kind text, p_since timestamptz, p_most integer)
RETURNS TABLE (programme uuid, reference text, severity text, state text, outcome text, clocks text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(f.programme_id, t.programme_id), f.reference, f.severity, f.state, coalesce(f.outcome, ''),
           (SELECT coalesce(array_agg(DISTINCT c.name), '{}') FROM troth.case_clock c WHERE c.case_id = f.id)
    FROM troth.case_file f LEFT JOIN troth.case_client k ON k.case_id = f.id LEFT JOIN troth.tenant t ON t.id = k.tenant_id
    WHERE f.kind = p_kind AND f.kind IN ('abuse', 'disclosure') AND f.opened_at >= p_since
      AND coalesce(f.tenant_id = troth.looked_at(), troth.looked_at() IS NULL)
    ORDER BY f.opened_at DESC, f.id LIMIT p_most
$$;

-- What the cases of a kind and the ledger tell differently: a case that an entry opened and that is gone, or the other way
-- round; an entry changed, added or gone; a clock that did not begin, or was not met, when an entry says that it was; a
-- name in public other than was published. A sentence each.
CREATE FUNCTION desk_unsound_v1(p_kind text, p_since timestamptz, p_most integer) RETURNS TABLE (said text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH told AS MATERIALIZED (
        SELECT split_part(l.kind, ':', 3) AS kind, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l
        WHERE l.kind LIKE 'cases:%' AND split_part(l.kind, ':', 2) = p_kind
        UNION ALL
        SELECT split_part(p.kind, ':', 3), p.leaf::jsonb FROM troth.ledger_pending p
        WHERE p.kind LIKE 'cases:%' AND split_part(p.kind, ':', 2) = p_kind),
    leaf AS MATERIALIZED (
        SELECT t.kind, (t.leaf ->> 'case')::uuid AS case_id, (t.leaf ->> 'entry')::uuid AS entry, t.leaf ->> 'value' AS value,
               t.leaf ->> 'words' AS words, t.leaf ->> 'paper' AS paper, to_timestamp((t.leaf ->> 'at')::bigint / 1000000.0) AS at
        FROM told t),
    own AS MATERIALIZED (
        SELECT f.* FROM troth.case_file f WHERE f.kind = p_kind AND f.kind IN ('abuse', 'disclosure') AND f.opened_at >= p_since
          AND troth.looked_at() IS NULL)
    SELECT x.said FROM (
        SELECT l.case_id || ' was opened, and there is no such case' AS said FROM leaf l
        WHERE l.kind = 'open' AND l.at >= p_since + interval '1 minute' AND troth.looked_at() IS NULL
          AND NOT EXISTS (SELECT FROM own o WHERE o.id = l.case_id)
        UNION ALL
        SELECT o.reference || ' and the ledger differ in an entry' FROM own o JOIN leaf l ON l.case_id = o.id
        WHERE NOT EXISTS (SELECT FROM troth.case_entry e WHERE e.id = l.entry AND e.case_id = o.id AND e.kind = l.kind
                          AND e.value = l.value AND coalesce(encode(sha256(e.words_ct), 'hex'), '') = l.words
                          AND abs(extract(epoch FROM e.at - l.at)) < 60)
        UNION ALL
        SELECT o.reference || ' has an entry that the ledger has not' FROM own o JOIN troth.case_entry e ON e.case_id = o.id
        WHERE NOT EXISTS (SELECT FROM leaf l WHERE l.entry = e.id AND l.case_id = o.id)
        UNION ALL
        SELECT o.reference || ': its clock of ' || c.name || ' began or ended when the ledger tells of nothing'
        FROM own o JOIN troth.case_clock c ON c.case_id = o.id
        WHERE NOT EXISTS (SELECT FROM leaf l WHERE l.case_id = o.id AND abs(extract(epoch FROM l.at - c.started_at)) < 60
                          AND l.kind IN ('open', 'assess', 'severity', 'update', 'mailed', 'reopen'))
           OR (c.met_at IS NOT NULL AND NOT EXISTS (
               SELECT FROM leaf l WHERE l.case_id = o.id AND abs(extract(epoch FROM l.at - c.met_at)) < 60
               AND (c.name = ANY (troth.case_meets(l.kind)) OR (l.kind = 'resolve' AND c.name IN ('patch', 'update')))))
        UNION ALL
        SELECT o.reference || ': who is thanked is not who was named' FROM own o JOIN troth.disclosure_credit d ON d.case_id = o.id
        WHERE d.published_at IS NOT NULL AND encode(sha256(convert_to(d.name || E'\n' || coalesce(d.what, ''), 'UTF8')), 'hex')
              IS DISTINCT FROM (SELECT l.paper FROM leaf l WHERE l.case_id = o.id AND l.kind = 'credit' ORDER BY l.at DESC LIMIT 1)
    ) AS x LIMIT p_most
$$;

-- Confirmed abuse, each with the stop that its confirmation made.
CREATE FUNCTION abuse_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF p_fact <> 'confirmed' THEN
        RAISE EXCEPTION 'no such fact: %', p_fact USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    SELECT x.whose, count(*), count(*) FILTER (WHERE x.bad), min(x.reference) FILTER (WHERE x.bad)
    FROM (SELECT w.whose, f.reference, NOT EXISTS (
              SELECT FROM troth.pause p WHERE p.tenant_id = w.whose AND p.started_by = 'abuse'
              AND p.effect = 'stop-delivery' AND p.category_id IS NULL AND p.reason = 'Abuse was confirmed: ' || f.reference
              AND p.started_at <= e.at + interval '1 minute') AS bad
          FROM troth.case_file f JOIN troth.case_entry e ON e.case_id = f.id AND e.kind = 'resolve' AND e.value = 'confirmed'
          LEFT JOIN troth.case_client k ON k.case_id = f.id
          CROSS JOIN LATERAL (SELECT coalesce(f.tenant_id, (  -- whose it was found to be when it was confirmed
              SELECT n.value::uuid FROM troth.case_entry n WHERE n.case_id = f.id AND n.kind = 'client' AND n.at <= e.at
              ORDER BY n.at DESC, n.id DESC LIMIT 1), k.tenant_id) AS whose) AS w
          WHERE f.kind = 'abuse' AND e.at >= p_since AND coalesce(f.tenant_id = troth.looked_at(), troth.looked_at() IS NULL)
            AND troth.abuse_suspends(w.whose)) AS x
    GROUP BY 1;
END $$;

-- One attempt, made as the tables' owner and undone whatever comes of it. 'confirm': a case of abuse of a client of this
-- programme is confirmed, and its account looked at: 'stopped', or 'goes on'. 'nobody': one that no client is known of is
-- confirmed. 'unnamed': thanks without consent. Else the SQLSTATE, or 'accepted'.
CREATE FUNCTION abuse_attempt_v1(p_name text, p_programme text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid := troth.uuid7_now();
    whose uuid;
BEGIN
    SELECT t.id INTO whose FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
    WHERE p.code = p_programme AND t.kind = 1 AND t.state = 1 ORDER BY t.id LIMIT 1;
    IF whose IS NULL THEN
        RETURN 'nothing there';
    END IF;
    CASE p_name
    WHEN 'confirm', 'nobody' THEN
        PERFORM troth.case_open_v1(made, 'abuse', 'letter', 'attempt:' || made, 'An attempt', '',
            CASE WHEN p_name = 'confirm' THEN whose END, NULL, NULL, NULL, NULL, '{}', '{}', NULL);
        UPDATE troth.case_file SET state = 'acknowledged' WHERE id = made;
        UPDATE troth.case_file SET state = 'resolved', outcome = 'confirmed' WHERE id = made;
        IF p_name = 'confirm' THEN
            RAISE EXCEPTION '%', CASE WHEN EXISTS (
                SELECT FROM troth.pause p JOIN troth.case_file f ON p.reason = 'Abuse was confirmed: ' || f.reference
                WHERE f.id = made AND p.tenant_id = whose AND p.started_by = 'abuse' AND p.effect = 'stop-delivery'
                AND p.category_id IS NULL AND p.released_at IS NULL) THEN 'stopped' ELSE 'goes on' END USING ERRCODE = 'TR002';
        END IF;
    WHEN 'unnamed' THEN
        PERFORM troth.case_open_v1(made, 'disclosure', 'letter', 'attempt:' || made, 'An attempt', '', NULL, NULL, NULL, NULL,
            NULL, '{}', '{}', NULL);
        INSERT INTO troth.disclosure_credit (case_id, name_ct, name, published_at) VALUES (made, '\x01', 'X', troth.now_v1());
    ELSE
        RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
    END CASE;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN SQLSTATE 'TR002' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
