-- Access reviews: all people and keys of a client, or the operator's staff, as they stood on one day; each confirmed or
-- revoked by somebody else within 14 days, or access ends. What was decided is only ever added to.

CREATE TABLE review (
    id        uuid PRIMARY KEY,
    tenant_id uuid REFERENCES tenant,           -- NULL: the operator's staff
    opened_at timestamptz NOT NULL,
    opened_by uuid REFERENCES account,          -- NULL: it was due
    due_at    timestamptz NOT NULL CHECK (due_at > opened_at),
    closed_at timestamptz
);
CREATE UNIQUE INDEX review_open ON review (tenant_id) NULLS NOT DISTINCT WHERE closed_at IS NULL;
CREATE INDEX review_tenant ON review (tenant_id, opened_at);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF id, tenant_id, opened_at, opened_by, due_at ON review
    FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER closed_once BEFORE UPDATE ON review FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION insert_only();

CREATE TABLE review_item (
    review_id    uuid NOT NULL REFERENCES review,
    kind         text NOT NULL CHECK (kind IN ('person', 'key')),
    subject      uuid NOT NULL,                 -- the account, the API key
    tenant_id    uuid,
    human_id     uuid REFERENCES human,         -- of a person: nobody decides about themselves
    role         text NOT NULL,                 -- of a key: what it may send
    since        timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (review_id, kind, subject),
    CHECK ((kind = 'person') = (human_id IS NOT NULL))
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON review_item FOR EACH ROW EXECUTE FUNCTION insert_only();

-- confirmed, or revoked by somebody (also after it was confirmed); lapsed: nobody confirmed it in time; kept: it was to
-- lapse, and is the last owner's; gone: the access had ended otherwise.
CREATE TABLE review_decision (
    review_id  uuid NOT NULL,
    kind       text NOT NULL,
    subject    uuid NOT NULL,
    tenant_id  uuid,
    outcome    text NOT NULL CHECK (outcome IN ('confirmed', 'revoked', 'lapsed', 'kept', 'gone')),
    note       text NOT NULL CHECK (char_length(note) <= 2000),
    account_id uuid REFERENCES account,
    human_id   uuid REFERENCES human,
    at         timestamptz NOT NULL,
    PRIMARY KEY (review_id, kind, subject, outcome),
    FOREIGN KEY (review_id, kind, subject) REFERENCES review_item,
    CHECK ((outcome IN ('confirmed', 'revoked')) = (human_id IS NOT NULL)),
    CHECK ((account_id IS NULL) = (human_id IS NULL)),
    CHECK (outcome <> 'revoked' OR btrim(note) <> '')
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON review_decision FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON review_decision FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Not even the tables' owner confirms for the person whom it concerns, or after the end.
CREATE FUNCTION review_decision_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM troth.review_item i JOIN troth.review r ON r.id = i.review_id
                   WHERE (i.review_id, i.kind, i.subject) = (NEW.review_id, NEW.kind, NEW.subject) AND r.closed_at IS NULL
                     AND i.tenant_id IS NOT DISTINCT FROM NEW.tenant_id
                     AND (NEW.human_id IS NULL OR i.human_id IS DISTINCT FROM NEW.human_id)
                     AND ((NEW.human_id IS NULL AND NEW.outcome <> 'gone') = (r.due_at <= troth.now_v1()) OR NEW.outcome = 'gone'))
       OR EXISTS (SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (NEW.review_id, NEW.kind, NEW.subject)
                  AND NOT (d.outcome = 'confirmed' AND NEW.outcome = 'revoked')) THEN
        RAISE EXCEPTION 'a decision is about somebody else''s access, in an open review, and stands' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON review_decision FOR EACH ROW EXECUTE FUNCTION review_decision_guard();

-- an export finds its entries of the ledger
CREATE INDEX ledger_leaf_review ON ledger_leaf ((leaf::jsonb ->> 'review')) WHERE kind LIKE 'people:review:%';

CREATE FUNCTION review_entry(p_act text, p_review review, p_by uuid, p_keys text[], p_values text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY['people:review:' || p_act], ARRAY[(p_review).tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'review'] || p_keys, ARRAY[coalesce(p_by::text, ''), (p_review).id::text] || p_values)])
$$;

-- Who may decide in it: the client's own, and of the operator's staff who may for a client. Granted to nobody.
CREATE FUNCTION reviewers(p_tenant uuid, p_own boolean) RETURNS SETOF account
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.* FROM troth.account a
    WHERE a.disabled_at IS NULL AND (CASE WHEN p_own THEN a.tenant_id IS NOT DISTINCT FROM p_tenant ELSE a.tenant_id IS NULL END)
      AND EXISTS (SELECT FROM troth.permission p WHERE p.action = 'review:decide' AND p.role = a.role
                  AND p.scope = CASE WHEN a.tenant_id IS NOT NULL THEN 'own' WHEN p_tenant IS NOT NULL THEN 'clients' ELSE 'house' END)
    ORDER BY a.created_at, a.id LIMIT 50
$$;

-- Those who have it to do: the client's own reviewers; the operator's, too, where items are left that no other of the
-- client's own may decide about.
CREATE FUNCTION review_tell(p_review review, p_about text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    left_over bigint;
    alone boolean := (SELECT count(DISTINCT human_id) < 2 FROM troth.reviewers((p_review).tenant_id, true));
BEGIN
    SELECT count(*) INTO left_over FROM troth.review_item i WHERE i.review_id = (p_review).id AND NOT EXISTS (
        SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject));
    IF left_over > 0 THEN
        PERFORM troth.access_tell(a.id, 'review-due', (p_review).id || ' ' || p_about, jsonb_build_object(
            'review', (p_review).id, 'left', left_over::text, 'due', (p_review).due_at,
            'client', coalesce((SELECT name FROM troth.tenant WHERE id = (p_review).tenant_id), 'the operator''s staff')))
        FROM (SELECT * FROM troth.reviewers((p_review).tenant_id, true)
              UNION SELECT * FROM troth.reviewers((p_review).tenant_id, false) WHERE alone) AS a;
    END IF;
END $$;

-- One review of a client (NULL: of the staff) begins with everybody and every key that has access now.
CREATE FUNCTION review_begin(p_id uuid, p_tenant uuid, p_by account) RETURNS review
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made troth.review;
    now timestamptz := troth.now_v1();
BEGIN
    INSERT INTO troth.review (id, tenant_id, opened_at, opened_by, due_at) VALUES (p_id, p_tenant, now, (p_by).id, now + interval '14 days')
    RETURNING * INTO made;
    INSERT INTO troth.review_item (review_id, kind, subject, tenant_id, human_id, role, since, last_used_at)
    SELECT made.id, 'person', a.id, p_tenant, a.human_id, a.role, a.created_at, a.last_used_at
    FROM troth.account a WHERE a.tenant_id IS NOT DISTINCT FROM p_tenant AND a.disabled_at IS NULL
    UNION ALL
    SELECT made.id, 'key', k.id, p_tenant, NULL, coalesce((SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(
               CASE jsonb_typeof(s.artefact::jsonb -> 'categories') WHEN 'array' THEN s.artefact::jsonb -> 'categories' END) AS c),
               'every category'), k.created_at,
           (SELECT max(u.last_used_at) FROM troth.api_key_secret u WHERE u.key_id = k.id)
    FROM troth.api_key k JOIN troth.governed g ON g.subject = k.id AND NOT g.retired JOIN troth.snapshot s ON s.id = g.snapshot_id
    WHERE k.tenant_id = p_tenant AND k.revoked_at IS NULL AND k.expires_at > now;
    PERFORM troth.review_entry('open', made, (p_by).human_id, ARRAY['due', 'items'], ARRAY[
        to_char(made.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        (SELECT count(*) FROM troth.review_item i WHERE i.review_id = made.id)::text]);
    PERFORM troth.review_tell(made, 'begun');
    RETURN made;
END $$;

CREATE FUNCTION review_open_v1(p_secret bytea, p_id uuid, p_tenant uuid) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who troth.account := troth.allowed(p_secret, 'review:run', p_tenant);
BEGIN
    PERFORM pg_advisory_xact_lock(7406);
    IF EXISTS (SELECT FROM troth.review r WHERE r.tenant_id IS NOT DISTINCT FROM p_tenant AND r.closed_at IS NULL) THEN
        RAISE EXCEPTION 'an access review is open already: decide that one first' USING ERRCODE = '55000';
    END IF;
    RETURN (troth.review_begin(p_id, p_tenant, who)).due_at;
END $$;

-- It ends by itself once nothing is left to decide.
CREATE FUNCTION review_ends(p_review uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE r troth.review;
BEGIN
    UPDATE troth.review SET closed_at = troth.now_v1() WHERE id = p_review AND closed_at IS NULL AND NOT EXISTS (
        SELECT FROM troth.review_item i WHERE i.review_id = p_review AND NOT EXISTS (
            SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject)))
    RETURNING * INTO r;
    IF r.id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM troth.review_entry('close', r, NULL, ARRAY['confirmed', 'ended', 'kept'], ARRAY[
        count(*) FILTER (WHERE outcome = 'confirmed')::text, count(*) FILTER (WHERE outcome IN ('revoked', 'lapsed', 'gone'))::text,
        count(*) FILTER (WHERE outcome = 'kept')::text])
    FROM (SELECT DISTINCT ON (kind, subject) outcome FROM troth.review_decision WHERE review_id = r.id
          ORDER BY kind, subject, at DESC, outcome DESC) AS last;
    RETURN true;
END $$;

-- Confirmed or revoked, each with its note; how many. Revoking ends access now. One odd item, and none is decided.
CREATE FUNCTION review_decide_v1(p_secret bytea, p_review uuid, p_kind text, p_subjects uuid[], p_outcome text, p_note text)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_secret);
    r troth.review;
    i troth.review_item;
    n integer := 0;
BEGIN
    SELECT * INTO r FROM troth.review WHERE id = p_review FOR UPDATE;
    IF r.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM r.tenant_id) THEN
        RAISE EXCEPTION 'there is no such review for you to decide in' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_secret, 'review:decide', r.tenant_id);
    IF r.closed_at IS NOT NULL OR r.due_at <= troth.now_v1() THEN
        RAISE EXCEPTION 'this review is over: nothing more is decided in it' USING ERRCODE = '55000';
    ELSIF p_outcome NOT IN ('confirmed', 'revoked') THEN
        RAISE EXCEPTION 'access is confirmed or revoked' USING ERRCODE = '22023';
    ELSIF p_outcome = 'revoked' AND btrim(p_note) = '' THEN
        RAISE EXCEPTION 'say why you revoke it: the note is the evidence' USING ERRCODE = '22023';
    END IF;
    FOR i IN SELECT * FROM troth.review_item t WHERE t.review_id = r.id AND t.kind = p_kind AND t.subject = ANY (p_subjects)
             ORDER BY t.subject LOOP
        IF i.human_id = who.human_id THEN
            RAISE EXCEPTION 'nobody decides about their own access: ask another reviewer' USING ERRCODE = '42501';
        ELSIF EXISTS (SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (i.review_id, i.kind, i.subject)
                      AND NOT (d.outcome = 'confirmed' AND p_outcome = 'revoked')) THEN
            RAISE EXCEPTION 'this was decided already, and stands' USING ERRCODE = '55000';
        END IF;
        INSERT INTO troth.review_decision (review_id, kind, subject, tenant_id, outcome, note, account_id, human_id, at)
        VALUES (r.id, i.kind, i.subject, i.tenant_id, p_outcome, p_note, who.id, who.human_id, troth.now_v1());
        IF p_outcome = 'revoked' AND i.kind = 'person' THEN
            PERFORM troth.account_close(i.subject, 'review', who.human_id);
        ELSIF p_outcome = 'revoked' THEN
            PERFORM troth.key_close(i.subject, 'review', who.human_id);
        END IF;
        PERFORM troth.review_entry(CASE p_outcome WHEN 'confirmed' THEN 'confirm' ELSE 'revoke' END, r, who.human_id,
            ARRAY['item', 'note', 'of', 'role'], ARRAY[i.subject::text, left(p_note, 2000), i.kind, i.role]);
        n := n + 1;
    END LOOP;
    IF n <> cardinality(p_subjects) THEN
        RAISE EXCEPTION 'one of these is not in this review' USING ERRCODE = '22023';
    END IF;
    PERFORM troth.review_ends(r.id);
    RETURN n;
END $$;

-- What nobody confirmed by the date loses access; the last owner keeps it, and all who may are told so.
CREATE FUNCTION review_lapse(r review) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    i troth.review_item;
    became text;
    n integer := 0;
BEGIN
    FOR i IN SELECT * FROM troth.review_item t WHERE t.review_id = (r).id AND NOT EXISTS (
                 SELECT FROM troth.review_decision d WHERE (d.review_id, d.kind, d.subject) = (t.review_id, t.kind, t.subject))
             ORDER BY t.kind, t.subject LOOP
        IF i.kind = 'key' THEN
            became := CASE WHEN troth.key_close(i.subject, 'review', NULL) THEN 'lapsed' ELSE 'gone' END;
        ELSIF EXISTS (SELECT FROM troth.account a WHERE a.id = i.subject AND a.disabled_at IS NOT NULL) THEN
            became := 'gone';
        ELSE
            became := CASE WHEN troth.account_closes(i.subject, 'review', NULL) THEN 'lapsed' ELSE 'kept' END;
        END IF;
        INSERT INTO troth.review_decision (review_id, kind, subject, tenant_id, outcome, note, at)
        VALUES ((r).id, i.kind, i.subject, i.tenant_id, became, CASE became
            WHEN 'lapsed' THEN 'Nobody confirmed it by the date.'
            WHEN 'kept' THEN 'Nobody confirmed it by the date; the last owner cannot be removed.'
            ELSE 'The access had ended already.' END, troth.now_v1());
        IF became = 'kept' THEN
            PERFORM troth.access_tell(a.id, 'review-kept', (r).id::text, jsonb_build_object('review', (r).id))
            FROM troth.reviewers((r).tenant_id, true) AS a;
        END IF;
        PERFORM troth.review_entry(CASE became WHEN 'lapsed' THEN 'lapse' WHEN 'kept' THEN 'keep' ELSE 'note' END, r, NULL,
            ARRAY['item', 'of', 'role'], ARRAY[i.subject::text, i.kind, i.role]);
        n := n + 1;
    END LOOP;
    PERFORM troth.review_ends((r).id);
    RETURN n;
END $$;

-- ---- what a date does -----------------------------------------------------------------------------------------

-- Unused for as many days as policy has: closed; two weeks before that, told. The last owner is neither.
CREATE FUNCTION unused_duty() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a troth.account;
    ends timestamptz;
    n integer := 0;
    -- no policy closes anybody sooner, nor warns them
    least_days integer := (SELECT least(90, min((s.artefact::jsonb #>> '{access,unused_days}')::integer))
                           FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id WHERE g.kind = 'policy' AND NOT g.retired);
BEGIN
    FOR a IN SELECT * FROM troth.account c WHERE c.disabled_at IS NULL
             AND greatest(c.created_at, c.last_used_at) <= troth.now_v1() - make_interval(days => least_days - 14) LOOP
        ends := troth.unused_ends(a);
        IF ends <= troth.now_v1() THEN
            CONTINUE WHEN NOT troth.account_closes(a.id, 'unused', NULL);
            n := n + 1;
            PERFORM troth.access_tell(b.id, 'account-closed', a.id::text || ' ' || ends::text,
                                      jsonb_build_object('account', a.id, 'why', 'unused'))
            FROM troth.reviewers(a.tenant_id, true) AS b;
        ELSIF ends <= troth.now_v1() + interval '14 days' THEN
            PERFORM troth.access_tell(a.id, 'account-unused', ends::text, jsonb_build_object('ends', ends));
        END IF;
    END LOOP;
    RETURN n;
END $$;

-- A client whose last review began as long ago as policy has, or which never had one in that time; the staff likewise.
CREATE FUNCTION review_duty() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    whose record;
    r troth.review;
    n integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7406);
    -- whoever is deciding holds the review's row: what they confirmed in time is seen, not taken away
    FOR r IN SELECT * FROM troth.review v WHERE v.closed_at IS NULL ORDER BY v.due_at FOR UPDATE LOOP
        IF r.due_at <= troth.now_v1() THEN
            n := n + troth.review_lapse(r);
        ELSIF r.due_at <= troth.now_v1() + interval '2 days' THEN
            PERFORM troth.review_tell(r, 'two days');
        ELSIF r.due_at <= troth.now_v1() + interval '7 days' THEN
            PERFORM troth.review_tell(r, 'a week');
        END IF;
    END LOOP;
    FOR whose IN
        SELECT w.id FROM (SELECT t.id, t.created_at FROM troth.tenant t WHERE t.kind = 1 AND t.state = 1
                          UNION ALL SELECT NULL, i.created_at FROM troth.installation i WHERE troth.genesis_done()) AS w
        WHERE NOT EXISTS (SELECT FROM troth.review v WHERE v.tenant_id IS NOT DISTINCT FROM w.id AND v.closed_at IS NULL)
          AND greatest(w.created_at, (SELECT max(v.opened_at) FROM troth.review v WHERE v.tenant_id IS NOT DISTINCT FROM w.id))
              + make_interval(days => coalesce(troth.policy_number(w.id, 'access', 'review_days', false), 92)) <= troth.now_v1()
        LIMIT 50 LOOP
        PERFORM troth.review_begin(troth.uuid7_now(), whose.id, NULL);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- For the duties' process: leavers whose time is over, accounts that nobody uses, reviews. How much it did.
CREATE FUNCTION access_duty_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE n integer;
BEGIN
    SELECT count(*) FILTER (WHERE troth.account_closes(a.id, 'left', NULL)) INTO n FROM (
        SELECT c.id FROM troth.account c WHERE c.left_at IS NOT NULL AND c.disabled_at IS NULL
        AND coalesce(c.leaves_at, c.left_at) <= troth.now_v1() ORDER BY c.id LIMIT 500) AS a;
    RETURN n + troth.unused_duty() + troth.review_duty();
END $$;

-- Of the mail that waits: to whom, from which system tenant. For the process that sends it.
CREATE FUNCTION access_notices_v1(p_most integer)
RETURNS TABLE (id uuid, account_id uuid, template text, variables text, system uuid, keyset bytea, timezone text,
               name_ct bytea, address_ct bytea, subject_ct bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT n.id, n.account_id, n.template, n.variables, m.tenant_id, m.keyset, m.timezone, m.name_ct, m.address_ct,
           (SELECT b.name_ct FROM troth.account b WHERE b.id = (n.variables::jsonb ->> 'account')::uuid)
    FROM (SELECT * FROM troth.access_notice o WHERE o.done_at IS NULL
          AND (o.tried_at IS NULL OR o.tried_at < troth.now_v1() - interval '1 hour') ORDER BY o.at LIMIT p_most) AS n
    LEFT JOIN LATERAL troth.account_mail_v1(n.account_id) AS m ON true
$$;
