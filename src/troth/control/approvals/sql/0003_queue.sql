-- What the pages of changes read: who waits for whom. Staff who look at no client in particular see those of every client,
-- so row-level security cannot go by the transaction's; the session's person says what they may see.

CREATE INDEX change_decided ON change (decided_at, id) WHERE state <> 1;
CREATE INDEX change_decided_tenant ON change (tenant_id, decided_at, id) WHERE state <> 1;
CREATE INDEX change_subject ON change (subject, proposed_at);
CREATE INDEX change_draft ON change (draft_id) WHERE draft_id IS NOT NULL;
-- a change's steps in the ledger, each with its proof
CREATE INDEX ledger_leaf_change ON ledger_leaf ((leaf::jsonb ->> 'change'), index) WHERE kind LIKE 'governance:change:%';

-- What a list calls it by: a key's name, or a person's (sealed, in base64) and role; and whether it ends something.
CREATE FUNCTION change_about(c change) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE (c).kind WHEN 'grant' THEN ARRAY[a ->> 'name_ct', a ->> 'role', a ->> 'retired']
                         WHEN 'api-key' THEN ARRAY[a ->> 'name', '', a ->> 'retired'] END
    FROM (SELECT (c).artefact::jsonb AS a) AS x
$$;

-- Open changes, the one whose time ends first above. `p_all`: of every client and of the house, for staff; else of
-- p_tenant alone (NULL: the house's). `may`: this person could approve it now; `wrote`: they wrote a word of it.
CREATE FUNCTION changes_open_v1(p_session bytea, p_all boolean, p_tenant uuid, p_kind text, p_author uuid, p_most integer)
RETURNS TABLE (id uuid, kind text, tenant_id uuid, tenant_name text, code text, reason text, proposer uuid, name_ct bytea,
               proposed_at timestamptz, expires_at timestamptz, wanted integer, given integer, may boolean, wrote boolean,
               approved boolean, asked boolean, version integer, now timestamptz, subject uuid, about text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE who troth.account := troth.session_account(p_session);
BEGIN
    RETURN QUERY
    SELECT c.id, c.kind, c.tenant_id, t.name, c.code, c.reason, a.id, a.name_ct, c.proposed_at, c.expires_at,
           troth.approvers_wanted(c.tenant_id),
           (SELECT count(*)::integer FROM troth.approval y WHERE y.change_id = c.id),
           (troth.cell_of(who, c.kind || ':approve', c.tenant_id)).action IS NOT NULL
               AND NOT (who.tenant_id IS NOT NULL AND troth.house_alone(c)), troth.wrote(c, who.human_id),
           EXISTS (SELECT FROM troth.approval y WHERE y.change_id = c.id AND y.human_id = who.human_id),
           EXISTS (SELECT FROM troth.change_assignee y WHERE y.change_id = c.id AND y.account_id = who.id),
           (SELECT max(s.version) FROM troth.snapshot s WHERE s.kind = c.kind AND s.subject = c.subject), troth.now_v1(),
           c.subject, troth.change_about(c)
    FROM troth.change c JOIN troth.account a ON a.id = c.proposer_account LEFT JOIN troth.tenant t ON t.id = c.tenant_id
    WHERE c.state = 1 AND c.expires_at > troth.now_v1()
      AND (CASE WHEN p_all THEN who.tenant_id IS NULL ELSE c.tenant_id IS NOT DISTINCT FROM p_tenant END)
      AND (p_kind = '' OR c.kind = p_kind) AND (p_author IS NULL OR c.proposer_account = p_author)
      AND (troth.cell_of(who, 'change:read', c.tenant_id)).action IS NOT NULL
    ORDER BY c.expires_at, c.id LIMIT p_most;
END $$;

-- What was decided, or expired, the newest first, by key pages: those before (p_at, p_id).
CREATE FUNCTION changes_decided_v1(p_session bytea, p_all boolean, p_tenant uuid, p_kind text, p_state smallint,
                                   p_author uuid, p_at timestamptz, p_id uuid, p_most integer)
RETURNS TABLE (id uuid, kind text, tenant_id uuid, tenant_name text, code text, reason text, proposer uuid, name_ct bytea,
               state smallint, decided_at timestamptz, decider uuid, decider_ct bytea, version integer, subject uuid,
               about text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE who troth.account := troth.session_account(p_session);
BEGIN
    RETURN QUERY
    SELECT c.id, c.kind, c.tenant_id, t.name, c.code, c.reason, a.id, a.name_ct, c.state, c.decided_at, d.id, d.name_ct,
           (SELECT s.version FROM troth.snapshot s WHERE s.change_id = c.id), c.subject, troth.change_about(c)
    FROM troth.change c JOIN troth.account a ON a.id = c.proposer_account LEFT JOIN troth.tenant t ON t.id = c.tenant_id
    LEFT JOIN LATERAL (SELECT x.id, x.name_ct FROM troth.account x
                       WHERE x.human_id = c.decider_human AND (x.tenant_id IS NULL OR x.tenant_id = c.tenant_id)
                       ORDER BY x.tenant_id LIMIT 1) AS d ON true
    WHERE c.state <> 1 AND (c.decided_at, c.id) < (p_at, p_id)
      AND (CASE WHEN p_all THEN who.tenant_id IS NULL ELSE c.tenant_id IS NOT DISTINCT FROM p_tenant END)
      AND (p_kind = '' OR c.kind = p_kind) AND (p_state IS NULL OR c.state = p_state)
      AND (p_author IS NULL OR c.proposer_account = p_author)
      AND (troth.cell_of(who, 'change:read', c.tenant_id)).action IS NOT NULL
    ORDER BY c.decided_at DESC, c.id DESC LIMIT p_most;
END $$;

CREATE INDEX change_proposer ON change (proposer_account, tenant_id);

-- Whose a change is, for staff who are to look at that client first. No row: there is nothing here for this person.
CREATE FUNCTION change_place_v1(p_change uuid, p_session bytea) RETURNS TABLE (tenant_id uuid, tenant_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.tenant_id, t.name FROM troth.change c LEFT JOIN troth.tenant t ON t.id = c.tenant_id
    WHERE c.id = p_change AND (troth.cell_of(troth.session_account(p_session), 'change:read', c.tenant_id)).action IS NOT NULL
$$;
