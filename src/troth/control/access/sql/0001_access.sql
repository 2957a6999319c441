-- Who has access: what the pages show of people, a leaver's mark, accounts that nobody uses, and access reviews. Taking
-- away needs one person, or none when a date has passed; giving stays a change of kind `grant`, which takes two.

ALTER TABLE account ADD leaves_at timestamptz; -- of a leaver: when their access ends, whatever else happens
CREATE INDEX account_tenant ON account (tenant_id, id);

-- A leaver opens no session once their time is over, even while the duty that closes the account is late.
CREATE FUNCTION session_of_leaver() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM troth.account a WHERE a.id = NEW.account_id AND a.left_at IS NOT NULL
               AND coalesce(a.leaves_at, a.left_at) <= troth.now_v1()) THEN
        RAISE EXCEPTION 'there is no such open account' USING ERRCODE = '28000';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER leaver BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION session_of_leaver();

-- What Troth tells people of their access by mail. The webhooks' process sends it, through the gate.
CREATE TABLE access_notice (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES account,
    template   text NOT NULL,
    about      text NOT NULL,                -- what makes it this one, so that it is sent once
    variables  text NOT NULL CHECK (jsonb_typeof(variables::jsonb) = 'object'),
    at         timestamptz NOT NULL,
    tried_at   timestamptz,
    done_at    timestamptz,                  -- NULL: to be sent
    why        text,                         -- it could not be, so far
    UNIQUE (account_id, template, about)
);
CREATE INDEX access_notice_open ON access_notice (at) WHERE done_at IS NULL;

CREATE FUNCTION access_tell(p_account uuid, p_template text, p_about text, p_variables jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.access_notice (account_id, template, about, variables, at)
    VALUES (p_account, p_template, p_about, p_variables::text, troth.now_v1())
    ON CONFLICT (account_id, template, about) DO NOTHING
$$;

-- ---- people ---------------------------------------------------------------------------------------------------

-- When an account that goes on unused is closed.
CREATE FUNCTION unused_ends(a account) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT greatest((a).created_at, (a).last_used_at) + make_interval(
        days => coalesce(troth.policy_number((a).tenant_id, 'access', 'unused_days', false), 90))
$$;

-- closed, leaving, invited (nobody has come yet), unused (to be closed within 14 days) or active. `p_ends`: if unused.
CREATE FUNCTION account_state(a account, p_ends timestamptz, p_now timestamptz) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE
        WHEN (a).disabled_at IS NOT NULL THEN 'closed'
        WHEN (a).left_at IS NOT NULL THEN 'leaving'
        WHEN (a).last_used_at IS NULL AND NOT EXISTS (SELECT FROM troth.credential c WHERE c.account_id = (a).id)
             AND NOT EXISTS (SELECT FROM troth.login l WHERE l.account_id = (a).id AND l.set_at IS NOT NULL) THEN 'invited'
        WHEN p_ends <= p_now + interval '14 days' THEN 'unused'
        ELSE 'active' END
$$;

-- Whoever has access here, or had it, the newest first. `p_before`: behind this one; the others narrow, NULL: all.
CREATE FUNCTION people_v1(p_secret bytea, p_tenant uuid, p_accounts uuid[], p_state text, p_role text, p_indexes bytea[],
                          p_before uuid, p_most integer)
RETURNS TABLE (id uuid, human_id uuid, role text, name_ct bytea, address_ct bytea, address_index bytea, state text,
               created_at timestamptz, last_used_at timestamptz, left_at timestamptz, leaves_at timestamptz,
               disabled_at timestamptz, disabled_why text, unused_ends timestamptz, password_set boolean, device boolean,
               seconds text[], link_made timestamptz, link_ends timestamptz, link_used boolean, sessions bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    unused interval := make_interval(days => coalesce(troth.policy_number(p_tenant, 'access', 'unused_days', false), 90));
BEGIN
    PERFORM troth.allowed(p_secret, 'person:read', p_tenant);
    RETURN QUERY
    SELECT a.id, a.human_id, a.role, a.name_ct, a.address_ct, a.address_index, e.state, a.created_at,
           a.last_used_at, a.left_at, coalesce(a.leaves_at, a.left_at), a.disabled_at, a.disabled_why, e.ends,
           EXISTS (SELECT FROM troth.login l WHERE l.account_id = a.id AND l.set_at IS NOT NULL),
           EXISTS (SELECT FROM troth.credential c WHERE c.account_id = a.id AND c.revoked_at IS NULL),
           ARRAY(SELECT DISTINCT m.type::text FROM troth.mfa_authenticator m
                 WHERE m.user_id = a.id AND m.type IN ('totp', 'webauthn') ORDER BY 1),
           k.created_at, k.expires_at, k.used_at IS NOT NULL,
           (SELECT count(*) FROM troth.session s
            WHERE s.account_id = a.id AND s.ended_at IS NULL AND s.expires_at > now)
    FROM troth.account a
    CROSS JOIN LATERAL (SELECT greatest(a.created_at, a.last_used_at) + unused AS ends OFFSET 0) AS u
    CROSS JOIN LATERAL (SELECT u.ends, troth.account_state(a, u.ends, now) AS state OFFSET 0) AS e
    LEFT JOIN LATERAL (SELECT l.created_at, l.expires_at, l.used_at FROM troth.password_link l
                       WHERE l.account_id = a.id AND l.made_for = 'invitation' ORDER BY l.created_at DESC LIMIT 1) AS k ON true
    WHERE (a.tenant_id = p_tenant OR (p_tenant IS NULL AND a.tenant_id IS NULL))
      AND (p_accounts IS NULL OR a.id = ANY (p_accounts)) AND (p_role IS NULL OR a.role = p_role)
      AND (p_indexes IS NULL OR a.address_index = ANY (p_indexes)) AND (p_before IS NULL OR a.id < p_before)
      AND (CASE p_state WHEN 'open' THEN a.disabled_at IS NULL WHEN 'all' THEN true ELSE e.state = p_state END)
    ORDER BY a.id DESC LIMIT least(p_most, 201);
END $$;

-- Somebody's open sessions: since when, and how they were proved; from where is in the access log.
CREATE FUNCTION sessions_of_v1(p_secret bytea, p_account uuid)
RETURNS TABLE (id uuid, kind text, opened_at timestamptz, seen_at timestamptz, methods text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.allowed(p_secret, 'person:read', (SELECT a.tenant_id FROM troth.account a WHERE a.id = p_account));
    RETURN QUERY SELECT s.id, s.kind, s.opened_at, s.seen_at, s.methods FROM troth.session s
    WHERE s.account_id = p_account AND s.ended_at IS NULL AND s.expires_at > troth.now_v1() ORDER BY s.opened_at DESC LIMIT 50;
END $$;

-- One human is one, whichever accounts they have: the operator's staff, and this client's people. NULL: somebody new.
CREATE FUNCTION human_of_v1(p_secret bytea, p_tenant uuid, p_indexes bytea[]) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.allowed(p_secret, 'grant:propose', p_tenant);
    RETURN (SELECT a.human_id FROM troth.account a WHERE a.address_index = ANY (p_indexes)
              AND (p_tenant IS NULL OR a.tenant_id IS NULL OR a.tenant_id = p_tenant)
            ORDER BY (a.tenant_id IS NOT DISTINCT FROM p_tenant) DESC, a.created_at LIMIT 1);
END $$;

-- ---- taking away ----------------------------------------------------------------------------------------------

-- For the functions that end access: granted to nobody. `p_by` NULL: a date did.
CREATE FUNCTION account_close(p_account uuid, p_why text, p_by uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE gone troth.account;
BEGIN
    UPDATE troth.account SET disabled_at = troth.now_v1(), disabled_why = p_why
    WHERE id = p_account AND disabled_at IS NULL RETURNING * INTO gone;
    IF gone.id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM troth.ledger_entry(ARRAY['people:account:close'], ARRAY[gone.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['account', 'by', 'role', 'why'], ARRAY[gone.id::text, coalesce(p_by::text, ''), gone.role, p_why])]);
    RETURN true;
END $$;

-- The same, but it says false for the last owner, who keeps access.
CREATE FUNCTION account_closes(p_account uuid, p_why text, p_by uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RETURN troth.account_close(p_account, p_why, p_by);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;

-- A key's end, for good.
CREATE FUNCTION key_close(p_key uuid, p_why text, p_by uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE gone troth.api_key;
BEGIN
    UPDATE troth.api_key SET revoked_at = troth.now_v1() WHERE id = p_key AND revoked_at IS NULL RETURNING * INTO gone;
    IF gone.id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE troth.api_key_secret SET ends_at = troth.now_v1() WHERE key_id = gone.id AND ends_at > troth.now_v1();
    PERFORM troth.ledger_entry(ARRAY['people:key:close'], ARRAY[gone.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'key', 'why'], ARRAY[coalesce(p_by::text, ''), gone.id::text, p_why])]);
    RETURN true;
END $$;

-- Somebody leaves: their access ends at `p_when`, at the latest as many hours from now as policy has. Gives when.
CREATE FUNCTION leaver_mark_v1(p_secret bytea, p_account uuid, p_when timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account;
    other troth.account;
    now timestamptz := troth.now_v1();
    latest timestamptz;
BEGIN
    SELECT * INTO other FROM troth.account WHERE id = p_account FOR NO KEY UPDATE;
    who := troth.allowed(p_secret, 'leaver:mark', other.tenant_id);
    IF other.id IS NULL OR other.disabled_at IS NOT NULL THEN
        RAISE EXCEPTION 'this account is closed already, or there is none' USING ERRCODE = '55000';
    END IF;
    latest := coalesce(other.left_at, now) + make_interval(
        hours => coalesce(troth.policy_number(other.tenant_id, 'access', 'leaver_hours', false), 24));
    IF p_when > latest THEN
        RAISE EXCEPTION 'a leaver''s access ends at the latest % hours after the mark: choose an earlier time, or mark them later',
            coalesce(troth.policy_number(other.tenant_id, 'access', 'leaver_hours', false), 24) USING ERRCODE = '22023';
    ELSIF other.tenant_id IS NULL AND other.role = 'owner' AND NOT EXISTS (
        SELECT FROM troth.account a WHERE a.tenant_id IS NULL AND a.role = 'owner' AND a.disabled_at IS NULL
        AND a.left_at IS NULL AND a.id <> other.id) THEN
        RAISE EXCEPTION 'the last owner cannot be removed: make somebody else an owner first' USING ERRCODE = '42501';
    END IF;
    UPDATE troth.account SET left_at = coalesce(left_at, now), leaves_at = greatest(now, coalesce(p_when, latest))
    WHERE id = other.id RETURNING * INTO other;
    PERFORM troth.ledger_entry(ARRAY['people:leaver:mark'], ARRAY[other.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['account', 'by', 'ends'], ARRAY[other.id::text, who.human_id::text,
        to_char(other.leaves_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')])]);
    IF other.leaves_at <= now THEN
        PERFORM troth.account_close(other.id, 'left', who.human_id);
    END IF;
    RETURN other.leaves_at;
END $$;
