-- Acts on cases. The flow and the house open them (case_open_v1) and add what comes later (case_note_v1); people take
-- steps in a session (case_step_v1). Nobody else writes.

-- ---- what the flow and the house do ---------------------------------------------------------------------------

-- The same (kind, key) again: the case that is there, and nothing changed. The first entry's id is the case's own.
CREATE FUNCTION case_open_v1(p_id uuid, p_kind text, p_cause text, p_key text, p_title text, p_severity text, p_tenant uuid,
                             p_programme uuid, p_message uuid, p_category uuid, p_template uuid, p_clocks text[],
                             p_dues timestamptz[], p_words bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file;
    y integer := extract(year FROM troth.now_v1() AT TIME ZONE 'UTC')::integer;
    n integer;
BEGIN
    PERFORM pg_advisory_xact_lock(7410, hashtext(p_kind)); -- numbers without gaps; two of one key are one
    SELECT * INTO c FROM troth.case_file f WHERE f.kind = p_kind AND f.key = p_key;
    IF c.id IS NOT NULL THEN
        RETURN c.id;
    END IF;
    INSERT INTO troth.case_number AS m (kind, year, last) VALUES (p_kind, y, 1)
    ON CONFLICT (kind, year) DO UPDATE SET last = m.last + 1 RETURNING last INTO n;
    INSERT INTO troth.case_file (id, kind, cause, key, reference, tenant_id, programme_id, message_id, category_id,
                                 template_subject, title, opened_at, severity, state)
    VALUES (p_id, p_kind, p_cause, p_key,
            CASE p_kind WHEN 'incident' THEN 'INC' WHEN 'abuse' THEN 'ABU' ELSE 'VDP' END || '-' || y || '-'
                || lpad(n::text, greatest(4, length(n::text)), '0'),
            p_tenant, coalesce(p_programme, (SELECT t.programme_id FROM troth.tenant t WHERE t.id = p_tenant)),
            p_message, p_category, p_template, p_title, troth.now_v1(), coalesce(p_severity, ''), 'open')
    RETURNING * INTO c;
    PERFORM troth.case_enter(c, c.id, NULL::troth.account, 'open', p_cause, p_words, NULL);
    PERFORM troth.case_start(c, p_clocks, p_dues);
    RETURN c.id;
END $$;

-- What comes later, granted to nobody. 'answered' and 'mailed', that the gate took our mail to the reporter, are always
-- kept. False: this one was noted already, or the case keeps no more of them.
CREATE FUNCTION case_noted(p_case uuid, p_id uuid, p_kind text, p_words bytea, p_paper bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file;
BEGIN
    SELECT * INTO c FROM troth.case_file f WHERE f.id = p_case FOR UPDATE;
    IF c.id IS NULL THEN
        RAISE EXCEPTION 'there is no such case' USING ERRCODE = '55000';
    ELSIF EXISTS (SELECT FROM troth.case_entry e WHERE e.id = p_id) THEN
        RETURN false;
    ELSIF p_kind NOT IN ('answered', 'mailed')
          AND (SELECT count(*) FROM (SELECT FROM troth.case_entry e WHERE e.case_id = c.id LIMIT 1000) AS kept) >= 1000 THEN
        UPDATE troth.case_file SET uncounted = uncounted + 1, news_at = troth.now_v1() WHERE id = c.id;
        RETURN false;
    END IF;
    IF p_paper IS NOT NULL THEN
        INSERT INTO troth.case_paper (case_id, id, at, kind, paper_ct) VALUES (c.id, p_id, troth.now_v1(), p_kind, p_paper);
    END IF;
    PERFORM troth.case_enter(c, p_id, NULL::troth.account, p_kind, '', p_words, p_paper);
    IF p_kind IN ('answered', 'mailed') THEN
        UPDATE troth.case_file SET state = 'acknowledged' WHERE id = c.id AND state = 'open';
        UPDATE troth.case_clock k SET met_at = troth.now_v1() WHERE k.case_id = c.id
            AND k.name = ANY (troth.case_meets(p_kind)) AND k.met_at IS NULL AND k.void_at IS NULL;
    ELSIF p_kind = 'mail-unsent' THEN -- somebody tells them another way
        UPDATE troth.case_file SET news_at = troth.now_v1() WHERE id = c.id;
    ELSIF p_paper IS NOT NULL AND EXISTS (SELECT FROM troth.case_entry e WHERE e.case_id = c.id
                                          AND (e.by_account IS NOT NULL OR e.kind = 'answered')) THEN
        UPDATE troth.case_file SET news_at = troth.now_v1() WHERE id = c.id;
    END IF;
    RETURN true;
END $$;

-- A further letter or form with its paper, or that a domain holds again: no step, and nothing that meets a clock.
CREATE FUNCTION case_note_v1(p_case uuid, p_id uuid, p_kind text, p_words bytea, p_paper bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF p_kind IS NULL OR p_kind NOT IN ('letter', 'report', 'feedback-report', 'form', 'recovered') THEN
        RAISE EXCEPTION 'such an entry comes from the step that it tells of' USING ERRCODE = '42501';
    END IF;
    RETURN troth.case_noted(p_case, p_id, p_kind, p_words, p_paper);
END $$;

-- What the public forms open: reports alone, under keys of their own, so that nobody's page stands where the flow's
-- complaints do. A key that is there already is the same form's, or it is refused.
CREATE FUNCTION case_filed_v1(p_id uuid, p_kind text, p_cause text, p_key text, p_title text, p_severity text, p_tenant uuid,
                              p_programme uuid, p_message uuid, p_category uuid, p_template uuid, p_clocks text[],
                              p_dues timestamptz[], p_words bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid;
BEGIN
    IF (p_kind IN ('abuse', 'disclosure') AND p_cause = 'form' AND starts_with(p_key, 'form:')) IS NOT TRUE THEN
        RAISE EXCEPTION 'a page opens only what its form reports' USING ERRCODE = '42501';
    END IF;
    made := troth.case_open_v1(p_id, p_kind, p_cause, p_key, p_title, p_severity, p_tenant, p_programme, p_message, p_category,
                               p_template, p_clocks, p_dues, p_words);
    IF NOT EXISTS (SELECT FROM troth.case_file f WHERE f.id = made AND f.tenant_id IS NOT DISTINCT FROM p_tenant
                   AND f.message_id IS NOT DISTINCT FROM p_message) THEN
        RAISE EXCEPTION 'another case has this key' USING ERRCODE = '55000';
    END IF;
    RETURN made;
END $$;

-- ---- what people do -------------------------------------------------------------------------------------------

-- The right that an act on a case needs. Of abuse and disclosure the place is the house: no client's role is there.
CREATE FUNCTION case_right(p_kind text, p_act text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE p_kind WHEN 'incident' THEN 'incident' WHEN 'abuse' THEN 'abuse-case' ELSE 'disclosure' END || ':' || p_act $$;
CREATE FUNCTION case_place(c case_file) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE WHEN (c).kind = 'incident' THEN (c).tenant_id END $$;

-- The case, locked, and that whoever acts may; one that is missing and one that is not theirs read the same.
CREATE FUNCTION case_for(p_case uuid, p_act text, p_session bytea) RETURNS case_file
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file;
    who troth.account := troth.session_account(p_session);
BEGIN
    SELECT * INTO c FROM troth.case_file f WHERE f.id = p_case FOR UPDATE;
    IF c.id IS NULL OR (troth.cell_of(who, troth.case_right(c.kind, 'read'), troth.case_place(c))).action IS NULL THEN
        RAISE EXCEPTION 'there is no such case for you' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_session, troth.case_right(c.kind, p_act), troth.case_place(c));
    RETURN c;
END $$;

-- One step by a person. p_value: the account of 'assign' ('': nobody), the severity of 'assess' and 'severity', the
-- outcome of 'resolve'. p_words are sealed to keys/places.case_words(p_entry). p_clocks: those that the step starts
-- (patch after 'assess' and 'severity', the next update, all of a kind after 'reopen').
CREATE FUNCTION case_step_v1(p_case uuid, p_step text, p_value text, p_entry uuid, p_words bytea, p_clocks text[],
                             p_dues timestamptz[], p_session bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
    who troth.account := troth.session_account(p_session);
    goes text := troth.case_next(c.kind, c.state, p_step);
    given text := coalesce(p_value, '');
    other troth.account;
BEGIN
    IF EXISTS (SELECT FROM troth.case_entry e WHERE e.id = p_entry AND e.case_id = c.id AND e.kind = p_step
               AND e.by_account = who.id) THEN
        RETURN c.state; -- the same form, sent twice
    ELSIF goes IS NULL THEN
        RAISE EXCEPTION '% is %: % is no step from there', c.reference, c.state, p_step USING ERRCODE = '55000';
    ELSIF p_words IS NULL AND p_step IN ('assess', 'tell', 'update', 'note', 'resolve', 'reopen') THEN
        RAISE EXCEPTION 'say it in words, for those who look at it later' USING ERRCODE = '22023';
    ELSIF p_step IN ('assess', 'severity') AND given NOT IN ('low', 'medium', 'high', 'critical') THEN
        RAISE EXCEPTION 'a severity is low, medium, high or critical' USING ERRCODE = '22023';
    ELSIF p_step = 'resolve' AND given = '' THEN
        RAISE EXCEPTION 'say what came of it: an outcome' USING ERRCODE = '22023';
    ELSIF p_step IN ('resolve', 'close') AND EXISTS (SELECT FROM troth.case_clock k WHERE k.case_id = c.id AND k.name = 'told'
                                                     AND k.met_at IS NULL AND k.void_at IS NULL) THEN
        RAISE EXCEPTION 'tell client success first: nobody has yet' USING ERRCODE = '55000';
    ELSIF NOT coalesce(p_clocks, '{}') <@ (CASE p_step WHEN 'assess' THEN '{patch}' WHEN 'severity' THEN '{patch}'
                                           WHEN 'update' THEN '{update}' WHEN 'reopen' THEN troth.case_clocks_of(c.kind)::text
                                           ELSE '{}' END)::text[] THEN
        RAISE EXCEPTION 'this step starts no such clock' USING ERRCODE = '22023';
    ELSIF c.kind = 'disclosure' AND p_step IN ('assess', 'severity') AND given IN ('critical', 'high') AND c.outcome IS NULL
          AND NOT 'patch' = ANY (coalesce(p_clocks, '{}')) AND NOT EXISTS (SELECT FROM troth.case_clock k
              WHERE k.case_id = c.id AND k.name = 'patch' AND k.met_at IS NULL AND k.void_at IS NULL) THEN
        RAISE EXCEPTION 'a weakness as severe as this needs a time by which it is patched' USING ERRCODE = '22023';
    ELSIF p_step = 'resolve' AND c.kind = 'incident' AND c.cause IN ('complaint', 'complaint-pattern') THEN
        IF who.role NOT IN ('deliverability', 'compliance', 'owner') THEN
            RAISE EXCEPTION 'complaints are reviewed by deliverability or compliance: assign it to them' USING ERRCODE = '42501';
        ELSIF octet_length(p_words) < 33 + 12 THEN -- what sealing adds (keys/keyring.py), and a few words
            RAISE EXCEPTION 'say the root cause in a sentence' USING ERRCODE = '22023';
        END IF;
    END IF;
    IF p_step = 'assign' AND given <> '' THEN
        SELECT * INTO other FROM troth.account a WHERE a.id::text = given AND a.tenant_id IS NULL AND a.disabled_at IS NULL;
        IF (troth.cell_of(other, troth.case_right(c.kind, 'act'), troth.case_place(c))).action IS NULL THEN
            RAISE EXCEPTION 'it can be given only to somebody who may act on it' USING ERRCODE = '22023';
        END IF;
    END IF;
    UPDATE troth.case_file SET
        state = goes,
        news_at = NULL,
        owner_account = CASE p_step WHEN 'assign' THEN other.id WHEN 'acknowledge' THEN coalesce(owner_account, who.id)
                        ELSE owner_account END,
        severity = CASE WHEN p_step IN ('assess', 'severity') THEN given ELSE severity END,
        outcome = CASE p_step WHEN 'resolve' THEN given WHEN 'reopen' THEN NULL ELSE outcome END,
        closed_at = CASE p_step WHEN 'close' THEN troth.now_v1() WHEN 'reopen' THEN NULL ELSE closed_at END
    WHERE id = c.id;
    UPDATE troth.case_clock k SET met_at = troth.now_v1()
    WHERE k.case_id = c.id AND k.name = ANY (troth.case_meets(p_step)) AND k.met_at IS NULL AND k.void_at IS NULL;
    IF p_step = 'resolve' THEN -- nothing is left to tell of: a clock of updates that is not missed ends. So does a patch's
        -- where there is nothing to patch; where a risk is accepted it runs on
        UPDATE troth.case_clock k SET void_at = troth.now_v1() WHERE k.case_id = c.id AND k.met_at IS NULL AND k.void_at IS NULL
            AND (k.name = 'update' OR (k.name = 'patch' AND given IN ('invalid', 'duplicate'))) AND k.due_at > troth.now_v1();
        UPDATE troth.case_clock k SET met_at = troth.now_v1() WHERE k.case_id = c.id AND k.met_at IS NULL AND k.void_at IS NULL
            AND (k.name = 'update' OR (k.name = 'patch' AND given <> 'accepted'));
    END IF;
    PERFORM troth.case_start(c, p_clocks, p_dues);
    PERFORM troth.case_enter(c, p_entry, who, p_step, given, p_words, NULL);
    RETURN goes;
END $$;

-- An original for whoever may open it; each opening is an entry.
CREATE FUNCTION case_paper_v1(p_paper uuid, p_session bytea) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for((SELECT p.case_id FROM troth.case_paper p WHERE p.id = p_paper), 'paper', p_session);
BEGIN
    PERFORM troth.case_enter(c, troth.uuid7_now(), troth.session_account(p_session), 'paper-read', p_paper::text, NULL, NULL);
    RETURN (SELECT p.paper_ct FROM troth.case_paper p WHERE p.id = p_paper);
END $$;
