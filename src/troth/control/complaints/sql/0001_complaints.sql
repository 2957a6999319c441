-- Complaints: the feedback loops that are believed, what they told, the templates that are marked for it, and the pattern
-- that stops a client. A complaint is no row before its recipient is suppressed, its event told and its case open: the
-- database refuses it, whoever writes.

-- ---- feedback loops -------------------------------------------------------------------------------------------

-- A mailbox provider's reports: believed when they are signed by exactly one of `domains` and come from `sender`.
-- `name`: fbl+<name>@ is its own address. `enrolled_on`, `evidence`: when the provider confirmed, and the SHA-256 of what
-- it confirmed with.
CREATE TABLE feedback_loop (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name ~ '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$'),
    provider    text NOT NULL CHECK (btrim(provider) <> '' AND length(provider) <= 120),
    domains     text[] NOT NULL CHECK (cardinality(domains) BETWEEN 1 AND 10),
    sender      text NOT NULL CHECK (length(sender) <= 254 AND sender LIKE '_%@_%'),
    covers      text NOT NULL DEFAULT '' CHECK (length(covers) <= 500),
    silent_days smallint NOT NULL CHECK (silent_days BETWEEN 1 AND 366),
    enrolled_on date NOT NULL,
    evidence    bytea CHECK (octet_length(evidence) = 32),
    added_at    timestamptz NOT NULL,
    added_by    uuid NOT NULL REFERENCES account,
    ended_at    timestamptz,
    ended_by    uuid REFERENCES account,
    ended_why   text CHECK (btrim(ended_why) <> '' AND length(ended_why) <= 500),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_why IS NULL))
);
CREATE UNIQUE INDEX feedback_loop_live ON feedback_loop (name) WHERE ended_at IS NULL;

CREATE FUNCTION feedback_loop_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(NEW.domains) AS d
               WHERE d !~ '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$') THEN
        RAISE EXCEPTION 'a domain that signs is a lower-case DNS name with a dot' USING ERRCODE = '22023';
    ELSIF TG_OP = 'UPDATE' AND (OLD.ended_at IS NOT NULL
        OR (NEW.id, NEW.name, NEW.provider, NEW.domains, NEW.sender, NEW.covers, NEW.silent_days, NEW.enrolled_on, NEW.evidence,
            NEW.added_at, NEW.added_by) IS DISTINCT FROM (OLD.id, OLD.name, OLD.provider, OLD.domains, OLD.sender, OLD.covers,
            OLD.silent_days, OLD.enrolled_on, OLD.evidence, OLD.added_at, OLD.added_by)) THEN
        RAISE EXCEPTION 'a feedback loop is ended, once; another one takes its place' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON feedback_loop FOR EACH ROW EXECUTE FUNCTION feedback_loop_guard();
CREATE TRIGGER no_delete BEFORE DELETE ON feedback_loop FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON feedback_loop FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What each told, by day (UTC) and kind of report; `new`: complaints among them that were no repetition.
CREATE TABLE feedback_loop_day (
    loop_id uuid NOT NULL REFERENCES feedback_loop,
    day     date NOT NULL,
    kind    text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{1,29}$'),
    reports integer NOT NULL CHECK (reports > 0),
    new     integer NOT NULL CHECK (new BETWEEN 0 AND reports),
    last_at timestamptz NOT NULL,
    PRIMARY KEY (loop_id, day, kind)
);

CREATE FUNCTION feedback_loop_add_v1(p_id uuid, p_name text, p_provider text, p_domains text[], p_sender text, p_covers text,
                                     p_silent_days integer, p_enrolled_on date, p_evidence bytea, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'loop:act', NULL);
BEGIN
    IF p_enrolled_on > troth.now_v1()::date + 1 THEN
        RAISE EXCEPTION 'the day of enrolment lies in the future' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM troth.feedback_loop l WHERE l.name = p_name AND l.ended_at IS NULL) THEN
        RAISE EXCEPTION 'there is a loop of that name already: end it first, or take another name' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.feedback_loop (id, name, provider, domains, sender, covers, silent_days, enrolled_on, evidence, added_at,
                                     added_by)
    VALUES (p_id, p_name, p_provider, p_domains, coalesce(p_sender, ''), coalesce(p_covers, ''), p_silent_days, p_enrolled_on,
            p_evidence, troth.now_v1(), who.id);
    PERFORM troth.ledger_entry(ARRAY['governance:loop:add'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'domains', 'enrolled', 'evidence', 'loop', 'name', 'provider', 'sender'],
        ARRAY[who.human_id::text, array_to_string(p_domains, ' '), p_enrolled_on::text, coalesce(encode(p_evidence, 'hex'), ''),
              p_id::text, p_name, p_provider, coalesce(p_sender, '')])]);
END $$;

CREATE FUNCTION feedback_loop_end_v1(p_id uuid, p_why text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'loop:act', NULL);
BEGIN
    IF btrim(coalesce(p_why, '')) = '' THEN
        RAISE EXCEPTION 'say why, for those who look at it later' USING ERRCODE = '22023';
    END IF;
    UPDATE troth.feedback_loop SET ended_at = troth.now_v1(), ended_by = who.id, ended_why = left(p_why, 500)
    WHERE id = p_id AND ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such loop that has not ended' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.ledger_entry(ARRAY['governance:loop:end'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'loop', 'why'], ARRAY[who.human_id::text, p_id::text, left(p_why, 500)])]);
END $$;

-- A report of a loop came and was read. p_new: a complaint that is no repetition.
CREATE FUNCTION feedback_loop_told_v1(p_loop uuid, p_kind text, p_new boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.feedback_loop_day AS d (loop_id, day, kind, reports, new, last_at)
    SELECT p_loop, (n.at AT TIME ZONE 'UTC')::date, p_kind, 1, p_new::integer, n.at FROM (SELECT troth.now_v1() AS at) AS n
    ON CONFLICT (loop_id, day, kind) DO UPDATE
    SET reports = d.reports + 1, new = d.new + excluded.new, last_at = greatest(d.last_at, excluded.last_at)
$$;

-- ---- complaints -----------------------------------------------------------------------------------------------

-- One for each source that told of a message. `loop_id` NULL: not by a feedback loop of ours. `came_at`: when its report
-- reached us; `at`: when all that it sets in motion was done, in the same transaction.
CREATE TABLE complaint (
    id                uuid PRIMARY KEY,
    message_id        uuid NOT NULL,
    source_key        text NOT NULL CHECK (source_key <> '' AND octet_length(source_key) <= 200),
    tenant_id         uuid NOT NULL REFERENCES tenant,
    category_id       uuid NOT NULL,
    template_subject  uuid REFERENCES governed (subject),
    template_snapshot uuid REFERENCES snapshot,
    case_id           uuid NOT NULL REFERENCES case_file,
    loop_id           uuid REFERENCES feedback_loop,
    via               text NOT NULL CHECK (via ~ '^[a-z][a-z0-9-]{1,39}$'),
    kind              text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{1,29}$'),
    came_at           timestamptz NOT NULL,
    at                timestamptz NOT NULL,
    UNIQUE (message_id, source_key)
);
CREATE INDEX complaint_tenant ON complaint (tenant_id, at);
CREATE INDEX complaint_at ON complaint (at);
CREATE INDEX complaint_template ON complaint (template_snapshot, at);

-- A version that was complained about, until a person has looked at it. It goes on being sent meanwhile: one recipient's
-- word does not stop what thousands wait for; a pattern does.
CREATE TABLE template_flag (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenant,
    subject      uuid NOT NULL REFERENCES governed (subject),
    snapshot_id  uuid NOT NULL REFERENCES snapshot,
    version      integer NOT NULL,
    why          text NOT NULL CHECK (why IN ('complaint')),
    complaint_id uuid NOT NULL REFERENCES complaint,
    since        timestamptz NOT NULL,
    cleared_at   timestamptz CHECK (cleared_at >= since),
    cleared_by   uuid REFERENCES account,
    cleared_why  text CHECK (btrim(cleared_why) <> '' AND length(cleared_why) <= 1000),
    CHECK ((cleared_at IS NULL) = (cleared_by IS NULL) AND (cleared_at IS NULL) = (cleared_why IS NULL))
);
CREATE UNIQUE INDEX template_flag_stands ON template_flag (snapshot_id) WHERE cleared_at IS NULL;
CREATE INDEX template_flag_tenant ON template_flag (tenant_id, since);

CREATE FUNCTION complaint_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    index bytea := (SELECT m.blind_index FROM troth.message m WHERE m.id = NEW.message_id AND m.tenant_id = NEW.tenant_id);
BEGIN
    NEW.at := troth.now_v1();
    IF NEW.came_at IS NULL THEN -- least() would make it no time at all
        RAISE EXCEPTION 'a complaint says when its report came' USING ERRCODE = '23502';
    END IF;
    NEW.came_at := least(NEW.came_at, NEW.at);
    IF NOT EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = index AND s.reason IN (2, 4)) THEN
        RAISE EXCEPTION 'who complains is suppressed in the same moment' USING ERRCODE = '23514';
    ELSIF NOT EXISTS (SELECT FROM troth.event e WHERE e.message_id = NEW.message_id AND e.kind = 14
                      AND e.source_key = NEW.source_key) THEN
        RAISE EXCEPTION 'a complaint is an event of its message' USING ERRCODE = '23514';
    ELSIF NOT EXISTS (SELECT FROM troth.case_file f WHERE f.id = NEW.case_id AND f.kind = 'incident'
                      AND f.tenant_id = NEW.tenant_id AND f.message_id = NEW.message_id) THEN
        RAISE EXCEPTION 'a complaint has its incident' USING ERRCODE = '23514';
    ELSIF NEW.template_snapshot IS DISTINCT FROM (SELECT e.template_snapshot FROM troth.message m
              JOIN troth.email e ON e.id = m.email_id WHERE m.id = NEW.message_id) THEN
        RAISE EXCEPTION 'a complaint is about the version that was sent' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON complaint FOR EACH ROW EXECUTE FUNCTION complaint_guard();

-- The version is marked by the complaint itself: nobody has to remember it.
CREATE FUNCTION complaint_flags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid;
BEGIN
    INSERT INTO troth.template_flag (id, tenant_id, subject, snapshot_id, version, why, complaint_id, since)
    SELECT troth.uuid7_now(), NEW.tenant_id, s.subject, s.id, s.version, 'complaint', NEW.id, NEW.at
    FROM troth.snapshot s WHERE s.id = NEW.template_snapshot
    ON CONFLICT (snapshot_id) WHERE cleared_at IS NULL DO NOTHING RETURNING id INTO made;
    IF made IS NOT NULL THEN
        PERFORM troth.ledger_entry(ARRAY['governance:template:flag'], ARRAY[NEW.tenant_id], ARRAY[troth.leaf_json(
            ARRAY['case', 'flag', 'snapshot', 'why'],
            ARRAY[NEW.case_id::text, made::text, NEW.template_snapshot::text, 'complaint'])]);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER flags AFTER INSERT ON complaint FOR EACH ROW EXECUTE FUNCTION complaint_flags();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON complaint FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON complaint FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE FUNCTION template_flag_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF OLD.cleared_at IS NOT NULL OR (NEW.id, NEW.tenant_id, NEW.subject, NEW.snapshot_id, NEW.version, NEW.why, NEW.complaint_id,
        NEW.since) IS DISTINCT FROM (OLD.id, OLD.tenant_id, OLD.subject, OLD.snapshot_id, OLD.version, OLD.why, OLD.complaint_id,
        OLD.since) THEN
        RAISE EXCEPTION 'a flag is cleared, once, and not edited' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON template_flag FOR EACH ROW EXECUTE FUNCTION template_flag_guard();
CREATE TRIGGER no_delete BEFORE DELETE ON template_flag FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON template_flag FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE FUNCTION template_flag_clear_v1(p_flag uuid, p_why text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    f troth.template_flag;
    who troth.account;
BEGIN
    SELECT * INTO f FROM troth.template_flag t WHERE t.id = p_flag FOR UPDATE;
    who := troth.allowed(p_session, 'template-flag:clear', f.tenant_id);
    IF f.id IS NULL OR f.cleared_at IS NOT NULL THEN
        RAISE EXCEPTION 'there is no such mark that stands' USING ERRCODE = '55000';
    ELSIF btrim(coalesce(p_why, '')) = '' THEN
        RAISE EXCEPTION 'say what the review found, for those who look at it later' USING ERRCODE = '22023';
    END IF;
    UPDATE troth.template_flag SET cleared_at = troth.now_v1(), cleared_by = who.id, cleared_why = left(p_why, 1000)
    WHERE id = f.id;
    PERFORM troth.ledger_entry(ARRAY['governance:template:unflag'], ARRAY[f.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'flag', 'snapshot', 'why'],
        ARRAY[who.human_id::text, f.id::text, f.snapshot_id::text, left(p_why, 1000)])]);
END $$;

-- What the flow writes of one, last in its transaction. A message's tenant, category and version are its own.
CREATE FUNCTION complaint_v1(p_id uuid, p_message uuid, p_source_key text, p_case uuid, p_loop uuid, p_via text, p_kind text,
                             p_came_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.complaint (id, message_id, source_key, tenant_id, category_id, template_subject, template_snapshot, case_id,
                                 loop_id, via, kind, came_at, at)
    SELECT p_id, m.id, p_source_key, m.tenant_id, m.category_id, s.subject, e.template_snapshot, p_case, p_loop, p_via, p_kind,
           p_came_at, troth.now_v1()
    FROM troth.message m JOIN troth.email e ON e.id = m.email_id LEFT JOIN troth.snapshot s ON s.id = e.template_snapshot
    WHERE m.id = p_message
$$;

-- ---- the pattern ----------------------------------------------------------------------------------------------

-- How many messages of a client were complained about in the last hours, since a stop for complaints was last lifted; and
-- whether such a stop stands.
CREATE FUNCTION complaint_pattern_v1(p_tenant uuid, p_hours integer) RETURNS TABLE (n bigint, stopped boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT (SELECT count(DISTINCT c.message_id) FROM troth.complaint c WHERE c.tenant_id = p_tenant
            AND c.at > greatest(troth.now_v1() - make_interval(hours => p_hours), s.lifted)),
           s.stands
    FROM (SELECT max(p.released_at) AS lifted, coalesce(bool_or(p.released_at IS NULL), false) AS stands
          FROM troth.pause p WHERE p.tenant_id = p_tenant AND p.started_by = 'complaints') AS s
$$;

-- A client stopped for complaints is let go when somebody has looked into it: its case is resolved first.
CREATE FUNCTION complaints_looked_into() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    unsolved text := (SELECT f.reference FROM troth.case_file f WHERE f.kind = 'incident' AND f.key = 'complaints:' || NEW.id
                      AND f.state NOT IN ('resolved', 'closed'));
BEGIN
    IF unsolved IS NOT NULL THEN
        RAISE EXCEPTION 'look into the complaints first: the incident % is not resolved', unsolved USING ERRCODE = '55000';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complaints_looked_into BEFORE UPDATE OF released_at ON pause FOR EACH ROW
    WHEN (OLD.started_by = 'complaints' AND OLD.released_at IS NULL AND NEW.released_at IS NOT NULL)
    EXECUTE FUNCTION complaints_looked_into();
