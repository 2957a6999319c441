-- Who may do what, and in which session. The rights are data (permissions.toml), written here at every upgrade; every
-- function that acts for a person asks `allowed`. A session of the pages is opened by the role troth_signin alone, and
-- used by troth_control alone, so that raw SQL of neither can act in somebody's name.

CREATE TABLE permission (
    profile text NOT NULL,   -- '': where there is no client
    action  text NOT NULL CHECK (action ~ '^[a-z-]+:[a-z-]+$'),
    scope   text NOT NULL CHECK (scope IN ('own', 'clients', 'house')),
    role    text NOT NULL,
    second  boolean NOT NULL,  -- only in a session with a second factor
    named   boolean NOT NULL,  -- only the individuals of `designation`
    PRIMARY KEY (profile, action, scope, role),
    CHECK ((scope = 'house') = (profile = ''))
);

-- The individuals who alone may write templates and rules for a client of such a profile: two at most, by a change of
-- kind `designation`.
CREATE TABLE designation (
    tenant_id  uuid NOT NULL REFERENCES tenant,
    account_id uuid NOT NULL REFERENCES account,
    place      smallint NOT NULL CHECK (place IN (1, 2)),
    named_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, place),
    UNIQUE (tenant_id, account_id)
);

ALTER TABLE account
    ADD last_used_at timestamptz,   -- a session was opened
    ADD left_at timestamptz,        -- the mark: this person leaves
    ADD disabled_why text CHECK (disabled_why IN ('removed', 'left', 'unused', 'review'));
ALTER TABLE account ADD CHECK (disabled_why IS NULL OR disabled_at IS NOT NULL);

-- Who acts acts on what is so now: a transaction that goes on seeing how things were would outlive a session's end, a
-- lost right, or the other owner. Granted to nobody.
CREATE FUNCTION as_of_now() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'whoever acts sees what is so now: use a transaction that is READ COMMITTED' USING ERRCODE = '25001';
    END IF;
END $$;

-- The last owner cannot be removed, demoted or closed; nor can an account become another's.
CREATE FUNCTION last_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF OLD.tenant_id IS NULL AND OLD.role = 'owner' AND OLD.disabled_at IS NULL
       AND (TG_OP = 'DELETE' OR NEW.role <> 'owner' OR NEW.disabled_at IS NOT NULL OR NEW.tenant_id IS NOT NULL) THEN
        PERFORM troth.as_of_now();
        PERFORM pg_advisory_xact_lock(7405); -- two at once would each see the other
        IF NOT EXISTS (SELECT FROM troth.account WHERE tenant_id IS NULL AND role = 'owner' AND disabled_at IS NULL
                       AND id <> OLD.id) THEN
            RAISE EXCEPTION 'the last owner cannot be removed: make somebody else an owner first' USING ERRCODE = '42501';
        END IF;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER last_owner BEFORE UPDATE OF role, disabled_at, tenant_id OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION last_owner();

-- ---- sessions -----------------------------------------------------------------------------------------------

ALTER TABLE session
    ALTER credential_id DROP NOT NULL,
    ADD kind text NOT NULL DEFAULT 'device' CHECK (kind IN ('device', 'page')),
    ADD methods text[] NOT NULL DEFAULT '{device,passphrase}' CHECK (cardinality(methods) > 0),
    ADD seen_at timestamptz,
    ADD proved_at timestamptz,         -- the last proof of a factor
    ADD second_factor_at timestamptz,  -- when a second one was shown; NULL: none was
    ADD ends_at timestamptz,           -- however much it is used
    ADD ended_at timestamptz,
    ADD ended_why text CHECK (ended_why IN ('signed out', 'ended by its person', 'ended by another', 'too many',
                                            'password changed', 'access ended')),
    ADD detail_ct bytea CHECK (get_byte(detail_ct, 0) = 1),  -- address and browser, under the operator's keyset
    ADD device bytea CHECK (octet_length(device) = 32);      -- hash of the browser's long-lived mark
ALTER TABLE session
    ADD CHECK ((kind = 'device') = (credential_id IS NOT NULL)),
    ADD CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
    ADD CHECK (kind = 'device' OR (ends_at IS NOT NULL AND expires_at <= ends_at));
CREATE INDEX session_account ON session (account_id, opened_at);
-- a device's session shows both factors when it is opened
CREATE FUNCTION session_device() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NEW.kind = 'device' THEN
        NEW.second_factor_at := NEW.opened_at;
        NEW.proved_at := NEW.opened_at;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION session_device();
CREATE FUNCTION session_used() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    UPDATE troth.account SET last_used_at = NEW.opened_at WHERE id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER used AFTER INSERT ON session FOR EACH ROW EXECUTE FUNCTION session_used();

-- The number that the policies in force give for somebody of a client (NULL: for the operator's staff, who work for
-- every programme), the strictest of all levels: the least one, or (p_most) the greatest.
CREATE FUNCTION policy_number(p_tenant uuid, p_section text, p_field text, p_most boolean) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH given AS (
        SELECT (s.artefact::jsonb #>> ARRAY[p_section, p_field])::integer AS n
        FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
        WHERE g.kind = 'policy' AND NOT g.retired
          AND (g.tenant_id = p_tenant OR (g.tenant_id IS NULL AND (g.code = 'operator' OR p_tenant IS NULL
               OR g.code = 'programme:' || (SELECT p.code FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
                                            WHERE t.id = p_tenant)))))
    SELECT CASE WHEN p_most THEN max(n) ELSE min(n) END FROM given
$$;

-- The open session of this secret; raises 28000. Granted to nobody.
CREATE FUNCTION session_open_now(p_secret bytea) RETURNS session
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE found troth.session;
BEGIN
    PERFORM troth.as_of_now();
    SELECT s.* INTO found
    FROM troth.session s JOIN troth.account a ON a.id = s.account_id
    LEFT JOIN troth.credential c ON c.id = s.credential_id LEFT JOIN troth.tenant t ON t.id = a.tenant_id
    WHERE s.secret_hash = sha256(p_secret) AND s.expires_at > troth.now_v1() AND s.ended_at IS NULL
      AND a.disabled_at IS NULL AND c.revoked_at IS NULL AND coalesce(t.state = 1, true)
      AND (a.left_at IS NULL OR coalesce(a.leaves_at, a.left_at) > troth.now_v1()); -- even while the duty is late
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'this needs an open session: sign in again' USING ERRCODE = '28000';
    END IF;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION session_account(p_secret bytea) RETURNS account
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT a FROM troth.account a WHERE a.id = (troth.session_open_now(p_secret)).account_id $$;

-- The cell that says yes to somebody there; NULL: they may not. Whether their session shows enough for it is `allowed`'s
-- business. Granted to nobody.
CREATE FUNCTION cell_of(p_who account, p_action text, p_tenant uuid) RETURNS permission
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p FROM troth.permission p
    WHERE p.action = p_action AND p.role = (p_who).role
      AND p.scope = CASE WHEN (p_who).tenant_id IS NOT NULL THEN 'own' WHEN p_tenant IS NOT NULL THEN 'clients' ELSE 'house' END
      AND p.profile = coalesce((SELECT g.profile FROM troth.tenant t JOIN troth.programme g ON g.id = t.programme_id
                                WHERE t.id = p_tenant), '')
      AND ((p_who).tenant_id IS NULL OR (p_who).tenant_id = p_tenant)
$$;

-- Who acts, if their role, their client and their session allow it; else 42501, or 28000 when it is the session that
-- lacks something. Granted to nobody: every function that acts for a person begins here.
CREATE FUNCTION allowed(p_secret bytea, p_action text, p_tenant uuid) RETURNS account
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    held troth.session := troth.session_open_now(p_secret);
    who troth.account;
    cell troth.permission;
BEGIN
    SELECT * INTO who FROM troth.account WHERE id = held.account_id;
    cell := troth.cell_of(who, p_action, p_tenant);
    IF cell.action IS NULL THEN
        RAISE EXCEPTION 'the role % may not do this here (%)', who.role, p_action USING ERRCODE = '42501';
    ELSIF cell.named AND NOT EXISTS (SELECT FROM troth.designation d
                                     WHERE d.tenant_id = p_tenant AND d.account_id = who.id) THEN
        RAISE EXCEPTION 'only the two named individuals may do this for this client (%)', p_action USING ERRCODE = '42501';
    ELSIF cell.second AND held.second_factor_at IS NULL THEN
        RAISE EXCEPTION 'this needs a session with a second factor: show yours first' USING ERRCODE = '28000';
    END IF;
    RETURN who;
END $$;

-- ---- the access log -----------------------------------------------------------------------------------------

-- A UUIDv7 of the database's clock (RFC 9562 section 5.7).
CREATE FUNCTION uuid7_now() RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT (lpad(to_hex((extract(epoch FROM troth.now_v1()) * 1000)::bigint), 12, '0') || '7' || substr(r, 14))::uuid
    FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS r) AS random
$$;

-- Sign-ins and failures, sessions, and what people did; place and browser are sealed, the place's keyed hash finds them.
CREATE TABLE access_log (
    id         uuid NOT NULL,
    tenant_id  uuid,            -- NULL: the operator's staff, or nobody that is known
    account_id uuid,
    session_id uuid,
    at         timestamptz NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('sign-in', 'sign-in-failed', 'locked', 'sign-out', 'session-ended', 'proof',
                                             'factor-added', 'factor-removed', 'sign-on-refused', 'refused', 'act')),
    what       text NOT NULL DEFAULT '',   -- the page's name and answer, the method, or why
    place      bytea CHECK (octet_length(place) = 32),
    detail_ct  bytea CHECK (get_byte(detail_ct, 0) = 1),  -- address and browser, under the operator's keyset
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX access_log_tenant ON access_log (tenant_id, id);
CREATE INDEX access_log_account ON access_log (account_id, id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON access_log FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON access_log FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE FUNCTION access_entry(p_kind text, p_tenant uuid, p_account uuid, p_session uuid, p_what text, p_place bytea,
                             p_detail_ct bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.access_log (id, tenant_id, account_id, session_id, at, kind, what, place, detail_ct)
    VALUES (troth.uuid7_now(), p_tenant, p_account, p_session, troth.now_v1(), p_kind, left(p_what, 200), p_place, p_detail_ct)
$$;

-- What the pages tell of nobody who is in: failures. Sessions are told of by what opens and ends them.
CREATE FUNCTION access_log_v1(p_kind text, p_account uuid, p_session uuid, p_what text, p_place bytea, p_detail_ct bytea)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF p_kind NOT IN ('sign-in-failed', 'locked', 'sign-on-refused') THEN
        RAISE EXCEPTION 'such an entry comes from the act that it tells of' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.access_entry(p_kind, (SELECT tenant_id FROM troth.account WHERE id = p_account), p_account, p_session,
                               p_what, p_place, p_detail_ct);
END $$;

-- What somebody did, or was refused, says their own session, be it over by then: nobody else can say it of them.
CREATE FUNCTION access_act_v1(p_kind text, p_secret bytea, p_what text, p_place bytea, p_detail_ct bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE held troth.session;
BEGIN
    SELECT * INTO held FROM troth.session WHERE secret_hash = sha256(p_secret);
    IF held.id IS NULL OR p_kind NOT IN ('refused', 'act') THEN
        RAISE EXCEPTION 'such an entry comes from the act that it tells of' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.access_entry(p_kind, a.tenant_id, a.id, held.id, p_what, p_place, p_detail_ct)
    FROM troth.account a WHERE a.id = held.account_id;
END $$;

-- ---- sessions of the pages ----------------------------------------------------------------------------------

-- For troth_signin, once a person has shown what it takes. `known`: this browser has signed this account in before.
CREATE FUNCTION page_session_open_v1(p_account uuid, p_secret_hash bytea, p_methods text[], p_second boolean,
                                     p_device bytea, p_place bytea, p_detail_ct bytea)
RETURNS TABLE (session_id uuid, session_expires timestamptz, known boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account;
    now timestamptz := troth.now_v1();
    idle interval;
    made uuid := gen_random_uuid();
BEGIN
    SELECT a.* INTO who FROM troth.account a LEFT JOIN troth.tenant t ON t.id = a.tenant_id
    WHERE a.id = p_account AND a.disabled_at IS NULL AND coalesce(t.state = 1, true) FOR NO KEY UPDATE OF a;
    IF who.id IS NULL THEN
        RAISE EXCEPTION 'there is no such open account' USING ERRCODE = '28000';
    END IF;
    idle := make_interval(mins => coalesce(troth.policy_number(who.tenant_id, 'access', 'idle_minutes', false), 30));
    known := EXISTS (SELECT FROM troth.session s WHERE s.account_id = who.id AND s.device = p_device);
    -- not those that another transaction is ending: of the same request it would wait for us, and we for it
    PERFORM troth.session_end(s.id, 'too many') FROM (
        SELECT o.id FROM troth.session o WHERE o.id = ANY (ARRAY(
            SELECT s.id FROM troth.session s
            WHERE s.account_id = who.id AND s.kind = 'page' AND s.ended_at IS NULL AND s.expires_at > now
            ORDER BY s.opened_at DESC
            OFFSET coalesce(troth.policy_number(who.tenant_id, 'access', 'sessions', false), 5) - 1)) FOR UPDATE SKIP LOCKED) AS s;
    INSERT INTO troth.session (id, account_id, secret_hash, kind, methods, opened_at, seen_at, proved_at, second_factor_at,
                               expires_at, ends_at, detail_ct, device)
    VALUES (made, who.id, p_secret_hash, 'page', p_methods, now, now, now, CASE WHEN p_second THEN now END, now + idle,
            now + interval '12 hours', p_detail_ct, p_device);
    PERFORM troth.access_entry('sign-in', who.tenant_id, who.id, made, array_to_string(p_methods, ' '), p_place, p_detail_ct);
    PERFORM troth.ledger_entry(ARRAY['people:session:open'], ARRAY[who.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['account', 'methods', 'session'], ARRAY[who.id::text, array_to_string(p_methods, ' '), made::text])]);
    RETURN QUERY SELECT made, now + idle, known;
END $$;

-- For troth_signin: a factor was shown again, or a second one.
CREATE FUNCTION page_session_prove_v1(p_secret bytea, p_method text, p_second boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE held troth.session := troth.session_open_now(p_secret);
BEGIN
    UPDATE troth.session s SET proved_at = troth.now_v1(),
        second_factor_at = CASE WHEN p_second THEN troth.now_v1() ELSE s.second_factor_at END,
        methods = CASE WHEN p_method = ANY(s.methods) THEN s.methods ELSE s.methods || p_method END
    WHERE s.id = held.id AND s.kind = 'page';
    PERFORM troth.access_entry('proof', a.tenant_id, a.id, held.id, p_method, NULL, NULL)
    FROM troth.account a WHERE a.id = held.account_id;
END $$;

-- Whose session this is, if it is open; it lives on for as long as policy lets it idle. No row: it is over.
CREATE FUNCTION session_seen_v1(p_secret bytea)
RETURNS TABLE (id uuid, account_id uuid, opened_at timestamptz, expires_at timestamptz, methods text[],
               second_factor_at timestamptz, proved_at timestamptz, now timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    held troth.session;
    at timestamptz := troth.now_v1();
BEGIN
    BEGIN
        held := troth.session_open_now(p_secret);
    EXCEPTION WHEN invalid_authorization_specification THEN
        RETURN;
    END;
    IF held.kind = 'page' AND held.seen_at < at - interval '30 seconds' THEN
        UPDATE troth.session s SET seen_at = at, expires_at = least(s.ends_at, at + make_interval(
            mins => coalesce(troth.policy_number((SELECT tenant_id FROM troth.account a WHERE a.id = s.account_id),
                                                 'access', 'idle_minutes', false), 30)))
        WHERE s.id = held.id RETURNING s.* INTO held;
    END IF;
    RETURN QUERY SELECT held.id, held.account_id, held.opened_at, held.expires_at, held.methods, held.second_factor_at,
                        held.proved_at, at;
END $$;

-- For the functions that end sessions: granted to nobody.
CREATE FUNCTION session_end(p_session uuid, p_why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE gone troth.session;
BEGIN
    UPDATE troth.session SET ended_at = troth.now_v1(), ended_why = p_why
    WHERE id = p_session AND ended_at IS NULL AND expires_at > troth.now_v1() RETURNING * INTO gone;
    IF gone.id IS NOT NULL THEN
        PERFORM troth.access_entry(CASE p_why WHEN 'signed out' THEN 'sign-out' ELSE 'session-ended' END, a.tenant_id, a.id,
                                   gone.id, p_why, NULL, NULL) FROM troth.account a WHERE a.id = gone.account_id;
        PERFORM troth.ledger_entry(ARRAY['people:session:end'], ARRAY[a.tenant_id], ARRAY[troth.leaf_json(
            ARRAY['account', 'session', 'why'], ARRAY[a.id::text, gone.id::text, p_why])])
        FROM troth.account a WHERE a.id = gone.account_id;
    END IF;
END $$;

-- One of one's own sessions (NULL: this one, which is signing out).
CREATE FUNCTION session_end_v1(p_secret bytea, p_session uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE held troth.session := troth.session_open_now(p_secret);
BEGIN
    PERFORM troth.session_end(s.id, CASE WHEN s.id = held.id THEN 'signed out' ELSE 'ended by its person' END)
    FROM troth.session s WHERE s.account_id = held.account_id AND s.id = coalesce(p_session, held.id);
END $$;

-- All of somebody's: one's own but this one, or (action session:end) another's.
CREATE FUNCTION sessions_end_v1(p_secret bytea, p_account uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    held troth.session := troth.session_open_now(p_secret);
    other troth.account;
BEGIN
    SELECT * INTO other FROM troth.account WHERE id = p_account;
    IF other.id IS DISTINCT FROM held.account_id THEN
        PERFORM troth.allowed(p_secret, 'session:end', other.tenant_id);
    END IF;
    PERFORM troth.session_end(s.id, CASE WHEN other.id = held.account_id THEN 'ended by its person' ELSE 'ended by another' END)
    FROM troth.session s WHERE s.account_id = other.id AND s.id <> held.id;
END $$;

-- One's own open sessions, the newest first.
CREATE FUNCTION sessions_mine_v1(p_secret bytea)
RETURNS TABLE (id uuid, kind text, opened_at timestamptz, seen_at timestamptz, expires_at timestamptz, methods text[],
               detail_ct bytea, this_one boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.id, s.kind, s.opened_at, s.seen_at, s.expires_at, s.methods, s.detail_ct, s.id = held.id
    FROM troth.session_open_now(p_secret) AS held, troth.session s
    WHERE s.account_id = held.account_id AND s.ended_at IS NULL AND s.expires_at > troth.now_v1()
    ORDER BY s.opened_at DESC
$$;

-- A closed account's sessions end with it, and so do those of a changed password.
CREATE FUNCTION account_closed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.session_end(s.id, 'access ended') FROM troth.session s WHERE s.account_id = NEW.id AND s.ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER closed AFTER UPDATE OF disabled_at ON account FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL) EXECUTE FUNCTION account_closed();
CREATE FUNCTION password_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.session_end(s.id, 'password changed') FROM troth.session s
    WHERE s.account_id = NEW.account_id AND s.kind = 'page' AND s.ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER UPDATE OF password ON login FOR EACH ROW
    WHEN (OLD.password IS DISTINCT FROM NEW.password) EXECUTE FUNCTION password_changed();

-- Who somebody is; the profile of the client that is looked at says what they may do there.
DROP FUNCTION IF EXISTS login_view_v1(uuid);
CREATE FUNCTION login_view_v1(p_account uuid, p_scope uuid)
RETURNS TABLE (human_id uuid, tenant_id uuid, role text, name_ct bytea, active boolean, tenant_name text, timezone text,
               profile text, named boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.human_id, a.tenant_id, a.role, a.name_ct, a.disabled_at IS NULL AND coalesce(t.state = 1, true), t.name,
           coalesce(t.timezone, 'UTC'), coalesce(p.profile, ''),
           EXISTS (SELECT FROM troth.designation d WHERE d.tenant_id = seen.id AND d.account_id = a.id)
    FROM troth.account a LEFT JOIN troth.tenant t ON t.id = a.tenant_id
    LEFT JOIN troth.tenant seen ON seen.id = coalesce(a.tenant_id, p_scope)
    LEFT JOIN troth.programme p ON p.id = seen.programme_id
    WHERE a.id = p_account
$$;
DROP FUNCTION IF EXISTS signed_in_v1(uuid); -- the session's own function tells of it now

-- Weekly partitions from the week before the clock's (what was stamped before its midnight, a clock that was put back)
-- until 21 days after it. No argument steers it; CREATE then ATTACH, so that the parent is not
-- locked against readers. The range of a week is the range of UUIDv7 whose first 48 bits are its milliseconds.
CREATE OR REPLACE FUNCTION make_partitions_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
SET timezone = 'UTC' -- where clocks change, seven days are not always a week's 168 hours
AS $$
DECLARE
    week timestamptz := date_trunc('week', troth.now_v1(), 'UTC') - interval '7 days';
    parent text;
    part text;
    n integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7401);
    WHILE week < troth.now_v1() + interval '21 days' LOOP
        FOREACH parent IN ARRAY ARRAY['email', 'message', 'message_body', 'event', 'api_request', 'access_log'] LOOP
            part := parent || '_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
            IF to_regclass('troth.' || part) IS NULL THEN
                EXECUTE format('CREATE TABLE troth.%I (LIKE troth.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', part, parent);
                EXECUTE format('ALTER TABLE troth.%I ATTACH PARTITION troth.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
                               troth.uuid7_floor(week), troth.uuid7_floor(week + interval '7 days'));
                n := n + 1;
            END IF;
        END LOOP;
        week := week + interval '7 days';
    END LOOP;
    RETURN n;
END $$;
