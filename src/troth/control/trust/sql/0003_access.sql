-- What the controls of access look with: attempts that are undone, and counts.

-- As claim_attempt_v1: the SQLSTATE of the refusal, 'accepted', or 'nothing there'; each is made with people who are there
-- for the attempt alone.
CREATE FUNCTION access_attempt_v1(p_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    one bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    firm uuid := (SELECT id FROM troth.tenant WHERE kind = 1 ORDER BY id LIMIT 1);
    who uuid;
    most integer;
    n bigint := 1;
BEGIN
    IF firm IS NULL THEN
        RETURN 'nothing there';
    END IF;
    CASE p_name
    WHEN 'role-may' THEN -- the right way works, so that a refusal says something
        who := troth.attempt_somebody(NULL, 'owner', one);
        PERFORM troth.allowed(one, 'policy:propose', NULL);
    WHEN 'role-may-not' THEN
        who := troth.attempt_somebody(NULL, 'auditor', one);
        PERFORM troth.allowed(one, 'policy:propose', NULL);
    WHEN 'member-elsewhere' THEN -- an admin at another client
        who := troth.attempt_somebody(firm, 'admin', one);
        PERFORM troth.allowed(one, 'change:read', (SELECT id FROM troth.tenant WHERE id <> firm ORDER BY id LIMIT 1));
    WHEN 'role-unknown' THEN
        INSERT INTO troth.human (id, created_at) VALUES (firm, troth.now_v1());
        INSERT INTO troth.account (id, human_id, role, name_ct, address_ct, address_index, created_at)
        VALUES (firm, firm, 'anything', '\x01', '\x01', sha256('attempt'), troth.now_v1());
    WHEN 'factor-missing' THEN
        who := troth.attempt_somebody(NULL, 'owner', one);
        UPDATE troth.session SET second_factor_at = NULL WHERE account_id = who;
        PERFORM troth.allowed(one, 'policy:propose', NULL);
    WHEN 'factor-missing-keys' THEN
        who := troth.attempt_somebody(firm, 'admin', one);
        UPDATE troth.session SET second_factor_at = NULL WHERE account_id = who;
        PERFORM troth.allowed(one, 'api-key:propose', firm);
    WHEN 'session-idle' THEN
        who := troth.attempt_somebody(NULL, 'owner', one);
        UPDATE troth.session SET opened_at = opened_at - interval '40 minutes', seen_at = seen_at - interval '40 minutes',
            expires_at = expires_at - interval '40 minutes' WHERE account_id = who;
        PERFORM troth.session_open_now(one);
    WHEN 'session-ended' THEN
        who := troth.attempt_somebody(NULL, 'owner', one);
        PERFORM troth.session_end(id, 'signed out') FROM troth.session WHERE account_id = who;
        PERFORM troth.session_open_now(one);
    WHEN 'session-lengthened' THEN -- looking lengthens a session as far as policy lets it idle, and no further
        who := troth.attempt_somebody(NULL, 'owner', one);
        UPDATE troth.session SET seen_at = seen_at - interval '1 minute', ends_at = ends_at + interval '1 day' WHERE account_id = who;
        PERFORM troth.session_seen_v1(one);
        IF EXISTS (SELECT FROM troth.session s WHERE s.account_id = who AND s.expires_at > troth.now_v1() + make_interval(
            mins => coalesce(troth.policy_number(NULL, 'access', 'idle_minutes', false), 30))) THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
        END IF;
        RAISE EXCEPTION 'kept' USING ERRCODE = 'TR004';
    WHEN 'session-too-many' THEN
        who := troth.attempt_somebody(NULL, 'owner', one);
        most := coalesce(troth.policy_number(NULL, 'access', 'sessions', false), 5);
        FOR i IN 1 .. most + 2 LOOP
            PERFORM troth.page_session_open_v1(who, sha256(one || int4send(i)), '{password}', false, NULL, NULL, NULL);
        END LOOP;
        IF (SELECT count(*) FROM troth.session s WHERE s.account_id = who AND s.ended_at IS NULL) > most THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
        END IF;
        RAISE EXCEPTION 'kept' USING ERRCODE = 'TR004';
    WHEN 'account-closed' THEN -- what somebody's closed account still opens
        who := troth.attempt_somebody(NULL, 'owner', one);
        UPDATE troth.account SET disabled_at = troth.now_v1(), disabled_why = 'unused' WHERE id = who;
        PERFORM troth.session_open_now(one);
    WHEN 'account-unused' THEN -- the duty closes who came last a year ago
        who := troth.attempt_somebody(NULL, 'auditor', one);
        UPDATE troth.account SET created_at = created_at - interval '400 days', last_used_at = last_used_at - interval '400 days'
        WHERE id = who;
        PERFORM troth.access_duty_v1();
        IF EXISTS (SELECT FROM troth.account a WHERE a.id = who AND a.disabled_at IS NULL) THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
        END IF;
        RAISE EXCEPTION 'kept' USING ERRCODE = 'TR004';
    WHEN 'account-left' THEN
        who := troth.attempt_somebody(NULL, 'auditor', one);
        UPDATE troth.account SET left_at = troth.now_v1() - interval '25 hours', leaves_at = troth.now_v1() - interval '1 hour'
        WHERE id = who;
        PERFORM troth.access_duty_v1();
        IF EXISTS (SELECT FROM troth.account a WHERE a.id = who AND a.disabled_at IS NULL) THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
        END IF;
        RAISE EXCEPTION 'kept' USING ERRCODE = 'TR004';
    WHEN 'decision-own' THEN -- about oneself
        INSERT INTO troth.review_decision (review_id, kind, subject, tenant_id, outcome, note, account_id, human_id, at)
        SELECT i.review_id, i.kind, i.subject, i.tenant_id, 'confirmed', '', i.subject, i.human_id, troth.now_v1()
        FROM troth.review_item i WHERE i.kind = 'person' LIMIT 1;
        GET DIAGNOSTICS n = ROW_COUNT;
    WHEN 'decision-delete' THEN
        DELETE FROM troth.review_decision WHERE (review_id, subject) = (SELECT review_id, subject FROM troth.review_decision LIMIT 1);
        GET DIAGNOSTICS n = ROW_COUNT;
    END CASE;
    IF n = 0 THEN
        RETURN 'nothing there';
    END IF;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'TR001';
EXCEPTION
    WHEN SQLSTATE 'TR001' THEN RETURN 'accepted';
    WHEN SQLSTATE 'TR004' THEN RETURN 'kept';
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Counts by client, as claim_fact_v1's; NULL is the operator's staff.
CREATE FUNCTION access_fact_v1(p_fact text, p_since timestamptz)
RETURNS TABLE (tenant uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz := troth.now_v1();
    most CONSTANT integer := 150000;
BEGIN
    CASE p_fact
    WHEN 'acts' THEN RETURN QUERY
        -- what was done by people whose session had shown one factor, where the right to it needs two
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(l.id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.access_log WHERE id >= troth.uuid7_floor(p_since) AND kind = 'act' ORDER BY id DESC LIMIT most) AS l
        JOIN troth.account a ON a.id = l.account_id JOIN troth.session s ON s.id = l.session_id AND s.account_id = a.id,
        LATERAL (SELECT (s.second_factor_at IS NULL OR s.second_factor_at > l.at + interval '5 seconds')
            AND EXISTS (SELECT FROM troth.permission p WHERE p.action = 'home:read' AND p.role = a.role AND p.second
                AND p.profile = coalesce((SELECT g.profile FROM troth.tenant t JOIN troth.programme g ON g.id = t.programme_id
                                          WHERE t.id = a.tenant_id), ''))
            -- taking up or showing a factor, signing out, colours, and what was sent on to that
            AND l.what !~ '^(factor-|passkey-|mfa_|account_logout|prove|look|session|nudged)' AND l.what !~ ' (302|303|4[0-9][0-9])$' AS bad) AS b
        GROUP BY 1;
    WHEN 'open' THEN RETURN QUERY
        -- open sessions that may idle for longer than policy lets them, or have done so
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(s.id::text) FILTER (WHERE b.bad)
        FROM troth.session s JOIN troth.account a ON a.id = s.account_id,
        LATERAL (SELECT s.expires_at > s.seen_at + make_interval(
                mins => coalesce(troth.policy_number(a.tenant_id, 'access', 'idle_minutes', false), 30)) + interval '1 second'
            OR s.expires_at > s.opened_at + interval '12 hours 1 second' OR s.seen_at > at + interval '1 minute' AS bad) AS b
        WHERE s.kind = 'page' AND s.ended_at IS NULL AND s.opened_at >= p_since GROUP BY 1;
    WHEN 'concurrent' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE o.open > o.most), min(a.id::text) FILTER (WHERE o.open > o.most)
        FROM troth.account a, LATERAL (SELECT count(*) AS open,
                coalesce(troth.policy_number(a.tenant_id, 'access', 'sessions', false), 5) AS most
            FROM troth.session s WHERE s.account_id = a.id AND s.kind = 'page' AND s.ended_at IS NULL AND s.expires_at > at) AS o
        GROUP BY 1;
    WHEN 'reviewed' THEN RETURN QUERY
        -- whose last review is older than policy lets it be, or is open past its date; a day's grace for the duty
        SELECT w.id, count(r.id), count(*) FILTER (WHERE b.bad), min(coalesce(w.id::text, 'staff')) FILTER (WHERE b.bad)
        FROM (SELECT t.id, t.created_at FROM troth.tenant t WHERE t.kind = 1 AND t.state = 1
              UNION ALL SELECT NULL, i.created_at FROM troth.installation i) AS w
        LEFT JOIN LATERAL (SELECT v.id, v.opened_at, v.closed_at, v.due_at FROM troth.review v
                           WHERE v.tenant_id IS NOT DISTINCT FROM w.id ORDER BY v.opened_at DESC LIMIT 1) AS r ON true,
        LATERAL (SELECT greatest(w.created_at, r.opened_at) + interval '1 day' + make_interval(
                days => coalesce(troth.policy_number(w.id, 'access', 'review_days', false), 92)) <= at
            OR r.closed_at IS NULL AND r.due_at + interval '1 day' <= at AS bad) AS b
        GROUP BY w.id;
    WHEN 'decided' THEN RETURN QUERY
        -- each item of a closed review was decided, by somebody else; what was not confirmed has lost its access
        SELECT i.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(i.subject::text) FILTER (WHERE b.bad)
        FROM troth.review r JOIN troth.review_item i ON i.review_id = r.id,
        LATERAL (SELECT NOT EXISTS (SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject))
            OR EXISTS (SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject)
                       AND d.human_id = i.human_id)
            OR EXISTS (SELECT FROM troth.review_decision d JOIN troth.account a ON a.id = d.subject
                       WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject) AND d.kind = 'person'
                         AND d.outcome IN ('revoked', 'lapsed') AND a.disabled_at IS NULL
                         AND NOT EXISTS (SELECT FROM troth.snapshot s WHERE s.kind = 'grant' AND s.subject = a.id AND s.approved_at > d.at)) AS bad) AS b
        WHERE r.closed_at IS NOT NULL GROUP BY 1;
    WHEN 'stale' THEN RETURN QUERY
        -- who is open though unused for too long, or though they left; an hour's grace for the duty, none for the last owner
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM troth.account a, LATERAL (SELECT (troth.unused_ends(a) + interval '1 hour' <= at
                OR a.left_at + make_interval(hours => coalesce(troth.policy_number(a.tenant_id, 'access', 'leaver_hours', false), 24))
                   + interval '1 hour' <= at)
            AND NOT (a.tenant_id IS NULL AND a.role = 'owner' AND (SELECT count(*) FROM troth.account o
                     WHERE o.tenant_id IS NULL AND o.role = 'owner' AND o.disabled_at IS NULL) = 1) AS bad) AS b
        WHERE a.disabled_at IS NULL GROUP BY 1;
    WHEN 'sign-ons' THEN RETURN QUERY
        -- connections in force, and those of a domain that was not proved
        SELECT g.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(g.subject::text) FILTER (WHERE b.bad)
        FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id,
        LATERAL (SELECT EXISTS (SELECT FROM jsonb_array_elements_text(s.artefact::jsonb -> 'domains') AS one
            WHERE NOT EXISTS (SELECT FROM troth.sign_on_domain d WHERE d.tenant_id = g.tenant_id AND d.domain = one)) AS bad) AS b
        WHERE g.kind = 'sign-on' AND NOT g.retired GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
