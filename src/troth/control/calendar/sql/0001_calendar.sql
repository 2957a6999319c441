-- The calendar: what shows that each duty was done, for the pages and for the process that reminds people; and the reminders.
-- When a duty falls due is said in one place, rules/duties.py; what is here says only what it counts from.

-- Whose duties there are: every programme with its levels of policy, and the house itself (id NULL).
CREATE FUNCTION duty_homes_v1()
RETURNS TABLE (id uuid, code text, name text, profile text, begun timestamptz, promise text, operator text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH level AS (
        SELECT g.code, s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
        WHERE g.kind = 'policy' AND NOT g.retired AND g.tenant_id IS NULL)
    SELECT p.id, p.code, p.name, p.profile, p.created_at,
           (SELECT l.artefact FROM level l WHERE l.code = 'programme:' || p.code),
           (SELECT l.artefact FROM level l WHERE l.code = 'operator')
    FROM troth.programme p
    UNION ALL SELECT NULL, '', '', '', i.created_at, NULL, NULL FROM troth.installation i
    ORDER BY 2
$$;

-- Of a programme's clients and of the staff, whose access review is next: since when it counts, and by when it is to be
-- decided (an open one) or begun.
CREATE FUNCTION duty_access(p_programme uuid)
RETURNS TABLE (since timestamptz, done timestamptz, until timestamptz, ref uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT greatest(w.created_at, r.opened_at), z.closed_at,
           CASE WHEN r.id IS NOT NULL AND r.closed_at IS NULL THEN r.due_at
                ELSE greatest(w.created_at, r.opened_at) + make_interval(
                    days => coalesce(troth.policy_number(w.id, 'access', 'review_days', false), 92)) END AS until, z.id
    FROM (SELECT t.id, t.created_at FROM troth.tenant t WHERE t.programme_id = p_programme AND t.kind = 1 AND t.state = 1
          UNION ALL SELECT NULL, i.created_at FROM troth.installation i WHERE troth.genesis_done()) AS w
    LEFT JOIN LATERAL (SELECT v.* FROM troth.review v WHERE v.tenant_id IS NOT DISTINCT FROM w.id
                       ORDER BY v.opened_at DESC LIMIT 1) AS r ON true
    LEFT JOIN LATERAL (SELECT v.id, v.closed_at FROM troth.review v WHERE v.tenant_id IS NOT DISTINCT FROM w.id
                       AND v.closed_at IS NOT NULL ORDER BY v.closed_at DESC LIMIT 1) AS z ON true
    ORDER BY until LIMIT 1
$$;

-- What each claim's duty counts from. `since`: when it was last done, or could first be about something; `until`: how long
-- that is good for, where this is known here; `ref`: the review's or the evidence's id. Of evidence the piece that is good
-- for longest: whoever withdraws it falls back on the one before.
CREATE FUNCTION duty_done_v1()
RETURNS TABLE (programme_id uuid, claim text, kind text, since timestamptz, done timestamptz, until timestamptz, account uuid,
               ref uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.id, 'ACC-7', '', a.since, a.done, a.until, NULL::uuid, a.ref
    FROM troth.programme p, LATERAL troth.duty_access(p.id) AS a
    UNION ALL
    SELECT p.id, 'EML-4', '', troth.dmarc_from(p.id), v.signed_at, NULL, v.account_id, v.id FROM troth.programme p
    LEFT JOIN LATERAL (SELECT r.* FROM troth.dmarc_review r WHERE r.programme_id = p.id ORDER BY r.until_at DESC LIMIT 1) AS v ON true
    UNION ALL
    SELECT p.id, 'FBL-3', '', troth.complaint_review_from(p.id), v.signed_at, NULL, v.account_id, v.id FROM troth.programme p
    LEFT JOIN LATERAL (SELECT r.* FROM troth.complaint_review r WHERE r.programme_id = p.id
                       ORDER BY r.until_at DESC LIMIT 1) AS v ON true
    UNION ALL
    (SELECT DISTINCT ON (w.id, e.claim, e.kind) w.id, e.claim, e.kind, e.performed_on::timestamp AT TIME ZONE 'UTC',
            e.performed_on::timestamp AT TIME ZONE 'UTC', (g.day + 1)::timestamp AT TIME ZONE 'UTC', e.submitted_account, e.id
     FROM (SELECT p.id FROM troth.programme p UNION ALL SELECT NULL) AS w
     JOIN troth.evidence e ON e.programme_id IS NULL OR e.programme_id = w.id,
     LATERAL (SELECT least(e.valid_until, e.performed_on + troth.evidence_days_v1(e.programme_id, e.kind)) AS day) AS g
     WHERE e.accepted_at IS NOT NULL AND e.withdrawn_at IS NULL
       AND (e.public OR e.kind NOT IN ('acceptable-use-policy', 'privacy-policy', 'safe-harbour')) -- published, or of no use
     ORDER BY w.id, e.claim, e.kind, g.day DESC, e.performed_on DESC, e.id DESC)
$$;

-- A mail to everybody who answers for a duty, or to the owners where nobody does; the owners hear of what is late, too.
-- Said again with the same `p_about`, nothing happens: how many people it was written to for the first time.
CREATE FUNCTION duty_tell_v1(p_owner text, p_about text, p_late boolean, p_variables jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account;
    n integer := 0;
    known boolean;
BEGIN
    FOR who IN SELECT a.* FROM troth.account a WHERE a.tenant_id IS NULL AND a.disabled_at IS NULL
               AND (a.role = p_owner OR (a.role = 'owner' AND (p_late OR NOT EXISTS (
                    SELECT FROM troth.account b WHERE b.tenant_id IS NULL AND b.disabled_at IS NULL AND b.role = p_owner))))
               ORDER BY a.id LIMIT 100 LOOP
        known := EXISTS (SELECT FROM troth.access_notice o WHERE (o.account_id, o.template, o.about) = (who.id, 'duty-due', p_about));
        CONTINUE WHEN known;
        PERFORM troth.access_tell(who.id, 'duty-due', p_about, p_variables);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;
