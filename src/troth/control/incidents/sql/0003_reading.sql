-- What people read of cases, each by a session: incidents where their role and their client allow it; abuse and
-- disclosure the operator's staff alone. The client that is looked at narrows.

-- The kinds that somebody sees where they look. A member's are their own client's incidents.
CREATE FUNCTION case_kinds(p_who account) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(array_agg(k), '{}') FROM unnest('{incident,abuse,disclosure}'::text[]) AS k
    WHERE (k = 'incident' OR (p_who).tenant_id IS NULL)
      AND (troth.cell_of(p_who, troth.case_right(k, 'read'), (p_who).tenant_id)).action IS NOT NULL
$$;

-- The newest first, behind (p_before, p_before_id). p_state: a state, 'unclosed' or '' for all; p_mine: owned by whoever
-- asks; p_overdue: a clock of it is missed; p_search: how a reference begins.
CREATE FUNCTION cases_v1(p_session bytea, p_kind text, p_state text, p_mine boolean, p_overdue boolean, p_search text,
                         p_before timestamptz, p_before_id uuid, p_most integer)
RETURNS TABLE (id uuid, kind text, cause text, reference text, title text, severity text, state text, tenant_id uuid,
               tenant_name text, opened_at timestamptz, owner_account uuid, owner_ct bytea, outcome text,
               news_at timestamptz, clock text, due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who troth.account := troth.session_account(p_session);
    kinds text[] := troth.case_kinds(who);
    own uuid := coalesce(who.tenant_id, troth.looked_at());
BEGIN
    RETURN QUERY
    SELECT f.id, f.kind, f.cause, f.reference, f.title, f.severity, f.state, f.tenant_id, t.name, f.opened_at,
           f.owner_account, a.name_ct, f.outcome, f.news_at, k.name, k.due_at
    FROM (SELECT g.* FROM troth.case_file g
          WHERE g.kind = ANY (kinds)
            AND (own IS NULL OR g.tenant_id = own OR (who.tenant_id IS NULL AND EXISTS ( -- one that a person found to be theirs
                SELECT FROM troth.case_client n WHERE n.case_id = g.id AND n.tenant_id = own)))
            AND (p_kind = '' OR g.kind = p_kind)
            AND (p_state = '' OR g.state = p_state OR (p_state = 'unclosed' AND g.state <> 'closed'))
            AND (NOT p_mine OR g.owner_account = who.id)
            AND (NOT p_overdue OR g.id IN (SELECT o.case_id FROM troth.case_clock o WHERE o.met_at IS NULL
                                           AND o.void_at IS NULL AND o.due_at < troth.now_v1()))
            AND (p_search = '' OR starts_with(g.reference, p_search))
            AND (p_before IS NULL OR (g.opened_at, g.id) < (p_before, p_before_id))
          ORDER BY g.opened_at DESC, g.id DESC LIMIT p_most) AS f
    LEFT JOIN troth.case_client n ON n.case_id = f.id
    LEFT JOIN troth.tenant t ON t.id = coalesce(f.tenant_id, n.tenant_id)
    LEFT JOIN troth.account a ON a.id = f.owner_account
    LEFT JOIN LATERAL (SELECT c.name, c.due_at FROM troth.case_clock c WHERE c.case_id = f.id AND c.met_at IS NULL
                       AND c.void_at IS NULL ORDER BY c.due_at LIMIT 1) AS k ON true
    ORDER BY f.opened_at DESC, f.id DESC;
END $$;

-- Whether somebody sees a case; granted to nobody.
CREATE FUNCTION case_seen(c case_file, p_who account) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce((c).id IS NOT NULL AND (c).kind = ANY (troth.case_kinds(p_who))
       AND ((p_who).tenant_id IS NULL OR (c).tenant_id = (p_who).tenant_id)
       AND (troth.looked_at() IS NULL OR (c).tenant_id IS NULL OR (c).tenant_id = troth.looked_at()), false)
$$;

-- One case; no row for what is not there, or not for them. `acts`, `papers`: whether they may (their session aside).
CREATE FUNCTION case_v1(p_session bytea, p_case uuid)
RETURNS TABLE (id uuid, kind text, cause text, reference text, title text, severity text, state text, tenant_id uuid,
               tenant_name text, programme_id uuid, programme text, message_id uuid, category_id uuid, category text,
               template_subject uuid, template text, opened_at timestamptz, owner_account uuid, owner_ct bytea,
               outcome text, closed_at timestamptz, news_at timestamptz, uncounted integer, acts boolean, papers boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE who troth.account := troth.session_account(p_session);
BEGIN
    RETURN QUERY
    SELECT f.id, f.kind, f.cause, f.reference, f.title, f.severity, f.state, f.tenant_id, t.name, f.programme_id, p.name,
           f.message_id, f.category_id, coalesce(v.artefact::jsonb ->> 'name', g.code), f.template_subject, m.code,
           f.opened_at, f.owner_account, a.name_ct, f.outcome, f.closed_at, f.news_at, f.uncounted,
           (troth.cell_of(who, troth.case_right(f.kind, 'act'), troth.case_place(f))).action IS NOT NULL,
           (troth.cell_of(who, troth.case_right(f.kind, 'paper'), troth.case_place(f))).action IS NOT NULL
    FROM troth.case_file f
    LEFT JOIN troth.case_client n ON n.case_id = f.id
    LEFT JOIN troth.tenant t ON t.id = coalesce(f.tenant_id, n.tenant_id)
    LEFT JOIN troth.programme p ON p.id = f.programme_id
    LEFT JOIN troth.governed g ON g.subject = f.category_id
    LEFT JOIN troth.snapshot v ON v.id = g.snapshot_id
    LEFT JOIN troth.governed m ON m.subject = f.template_subject
    LEFT JOIN troth.account a ON a.id = f.owner_account
    WHERE f.id = p_case AND troth.case_seen(f, who);
END $$;

CREATE FUNCTION case_clocks_v1(p_session bytea, p_case uuid)
RETURNS TABLE (name text, round smallint, started_at timestamptz, due_at timestamptz, met_at timestamptz,
               void_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT k.name, k.round, k.started_at, k.due_at, k.met_at, k.void_at
    FROM troth.case_file f JOIN troth.case_clock k ON k.case_id = f.id
    WHERE f.id = p_case AND troth.case_seen(f, troth.session_account(p_session)) ORDER BY k.started_at, k.due_at, k.name
$$;

-- The timeline, the newest p_most of it, and each entry's place in the ledger once it is sequenced. A client's people
-- see what was done, and the words that are meant for them; the operator's own notes, letters and looks they do not.
CREATE FUNCTION case_entries_v1(p_session bytea, p_case uuid, p_most integer)
RETURNS TABLE (id uuid, at timestamptz, by_account uuid, by_ct bytea, by_staff boolean, kind text, value text,
               other_ct bytea, words_ct bytea, paper boolean, leaf bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who troth.account := troth.session_account(p_session);
    c troth.case_file;
BEGIN
    SELECT * INTO c FROM troth.case_file f WHERE f.id = p_case;
    IF troth.case_seen(c, who) IS NOT TRUE THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH leaves AS MATERIALIZED (
        SELECT l.leaf::jsonb ->> 'entry' AS entry, l.index FROM troth.ledger_leaf l
        WHERE l.kind LIKE 'cases:%' AND l.leaf::jsonb ->> 'case' = c.id::text)
    SELECT e.id, e.at, e.by_account, a.name_ct, a.id IS NOT NULL AND a.tenant_id IS NULL, e.kind, e.value, o.name_ct,
           CASE WHEN who.tenant_id IS NULL OR e.by_account = who.id OR e.kind IN ('open', 'tell', 'resolve', 'reopen')
                THEN e.words_ct END,
           EXISTS (SELECT FROM troth.case_paper p WHERE p.id = e.id), l.index
    FROM troth.case_entry e
    LEFT JOIN troth.account a ON a.id = e.by_account
    LEFT JOIN troth.account o ON e.kind = 'assign' AND o.id::text = e.value
    LEFT JOIN leaves l ON l.entry = e.id::text
    WHERE e.case_id = c.id
      AND (who.tenant_id IS NULL OR e.by_account = who.id
           OR e.kind IN ('open', 'acknowledge', 'tell', 'severity', 'resolve', 'close', 'reopen', 'overdue'))
    ORDER BY e.at DESC, e.id DESC LIMIT p_most;
END $$;

-- What is kept of it, for whoever may open it.
CREATE FUNCTION case_papers_v1(p_session bytea, p_case uuid) RETURNS TABLE (id uuid, at timestamptz, kind text, size integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.id, p.at, p.kind, p.size
    FROM troth.session_account(p_session) AS who, troth.case_file f JOIN troth.case_paper p ON p.case_id = f.id
    WHERE f.id = p_case AND troth.case_seen(f, who)
      AND (troth.cell_of(who, troth.case_right(f.kind, 'paper'), troth.case_place(f))).action IS NOT NULL
    ORDER BY p.at, p.id LIMIT 1000
$$;

-- Whom a case may be given to: the operator's people who may act on it, for whoever may give it.
CREATE FUNCTION case_people_v1(p_session bytea, p_case uuid) RETURNS TABLE (id uuid, name_ct bytea, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.id, a.name_ct, a.role
    FROM troth.session_account(p_session) AS who, troth.case_file f, troth.account a
    WHERE f.id = p_case AND troth.case_seen(f, who) AND a.tenant_id IS NULL AND a.disabled_at IS NULL
      AND (troth.cell_of(who, troth.case_right(f.kind, 'act'), troth.case_place(f))).action IS NOT NULL
      AND (troth.cell_of(a, troth.case_right(f.kind, 'act'), troth.case_place(f))).action IS NOT NULL
    ORDER BY a.created_at LIMIT 200
$$;

-- The roles whose business a kind is, while a case of it is nobody's in particular.
CREATE FUNCTION case_roles(p_kind text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE p_kind WHEN 'incident' THEN '{deliverability,compliance,support,owner}'
    WHEN 'abuse' THEN '{compliance,security,deliverability,owner}' ELSE '{security,owner}' END::text[] $$;

-- Whose business a case is: its owner's, while they have an account; else that of the roles that its kind has.
CREATE FUNCTION case_concerns(c case_file, p_who account) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT (p_who).tenant_id IS NULL AND (p_who).disabled_at IS NULL
       AND (troth.cell_of(p_who, troth.case_right((c).kind, 'act'), troth.case_place(c))).action IS NOT NULL
       AND CASE WHEN (c).owner_account = (p_who).id THEN true
                WHEN EXISTS (SELECT FROM troth.account a WHERE a.id = (c).owner_account AND a.disabled_at IS NULL) THEN false
                ELSE (p_who).role = ANY (troth.case_roles((c).kind)) END
$$;

-- For the first page: what concerns whoever looks, the first due first, p_most of each kind: one desk's do not hide
-- another's. Missed clocks concern all who may act. Neither open nor with news: whoever reported it waits to be thanked.
CREATE INDEX case_file_news ON case_file (id) WHERE news_at IS NOT NULL;
CREATE FUNCTION cases_waiting_v1(p_session bytea, p_most integer)
RETURNS TABLE (id uuid, kind text, reference text, title text, state text, tenant_id uuid, tenant_name text, clock text,
               due_at timestamptz, started_at timestamptz, news_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who troth.account := troth.session_account(p_session);
    own uuid := troth.looked_at();
    now timestamptz := troth.now_v1();
    acts text[] := ARRAY(SELECT k FROM unnest(troth.case_kinds(who)) AS k WHERE who.tenant_id IS NULL
                         AND (troth.cell_of(who, troth.case_right(k, 'act'), NULL)).action IS NOT NULL);
    theirs text[] := ARRAY(SELECT k FROM unnest(acts) AS k WHERE who.role = ANY (troth.case_roles(k)));
BEGIN
    RETURN QUERY
    SELECT w.id, w.kind, w.reference, w.title, w.state, w.tenant_id, w.client, w.clock, w.due_at, w.started_at, w.news_at
    FROM (SELECT f.id, f.kind, f.reference, f.title, f.state, f.tenant_id, t.name AS client, k.name AS clock, k.due_at,
                 k.started_at, f.news_at,
                 row_number() OVER (PARTITION BY f.kind ORDER BY k.due_at NULLS LAST, f.opened_at, f.id) AS place
    FROM (SELECT o.id FROM troth.case_file o WHERE o.state IN ('open', 'acknowledged', 'assessed') AND o.state <> 'closed'
          UNION SELECT n.id FROM troth.case_file n WHERE n.news_at IS NOT NULL
          UNION SELECT c.case_id FROM troth.case_clock c WHERE c.met_at IS NULL AND c.void_at IS NULL
          UNION SELECT d.case_id FROM troth.disclosure_credit d JOIN troth.case_file g ON g.id = d.case_id
          WHERE g.outcome = 'fixed' AND d.published_at IS NULL AND d.withdrawn_at IS NULL) AS one
    JOIN troth.case_file f ON f.id = one.id
    LEFT JOIN troth.account a ON a.id = f.owner_account AND a.disabled_at IS NULL
    LEFT JOIN LATERAL (SELECT c.name, c.due_at, c.started_at FROM troth.case_clock c WHERE c.case_id = f.id
                       AND c.met_at IS NULL AND c.void_at IS NULL ORDER BY c.due_at LIMIT 1) AS k ON true
    LEFT JOIN troth.case_client y ON y.case_id = f.id
    LEFT JOIN troth.tenant t ON t.id = coalesce(f.tenant_id, y.tenant_id)
    WHERE f.kind = ANY (acts) AND (own IS NULL OR t.id IS NULL OR t.id = own)
      AND (a.id = who.id OR (a.id IS NULL AND f.kind = ANY (theirs)) OR k.due_at < now)) AS w
    WHERE w.place <= p_most ORDER BY w.due_at NULLS LAST, w.id;
END $$;
