-- Signing in to the pages. The address is a blind index everywhere; a password is set by whoever holds a link's secret,
-- and no run-time role writes one by itself.

-- What django-allauth knows of an account: <index>@people.invalid, and argon2id's hash ('!': none yet).
CREATE TABLE login (
    account_id uuid PRIMARY KEY REFERENCES account,
    email      text NOT NULL CHECK (email ~ '^[0-9a-f]{64}@people\.invalid$'),
    password   text NOT NULL DEFAULT '!' CHECK (password = '!' OR password LIKE 'argon2$argon2id$%'),
    set_at     timestamptz,
    CHECK ((password = '!') = (set_at IS NULL))
);
CREATE INDEX login_email ON login (email);

CREATE FUNCTION account_login() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.login (account_id, email) VALUES (NEW.id, encode(NEW.address_index, 'hex') || '@people.invalid')
    ON CONFLICT (account_id) DO UPDATE SET email = EXCLUDED.email;
    RETURN NEW;
END $$;
CREATE TRIGGER login AFTER INSERT OR UPDATE OF address_index ON account FOR EACH ROW EXECUTE FUNCTION account_login();
INSERT INTO login (account_id, email) SELECT id, encode(address_index, 'hex') || '@people.invalid' FROM account;

-- A link with which somebody sets their password, once. Only the hash of its secret is kept.
CREATE TABLE password_link (
    secret_hash bytea PRIMARY KEY CHECK (octet_length(secret_hash) = 32),
    account_id  uuid NOT NULL REFERENCES account,
    made_for    text NOT NULL CHECK (made_for IN ('invitation', 'reset')),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL CHECK (expires_at > created_at),
    used_at     timestamptz
);
CREATE INDEX password_link_account ON password_link (account_id);

-- Fixed windows of attempts, by a keyed hash of who tries; shared by all processes of the pages.
CREATE TABLE throttle (
    key   bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    since timestamptz NOT NULL,
    used  integer NOT NULL
);

CREATE FUNCTION password_link_v1(p_account uuid, p_secret_hash bytea, p_for text) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH made AS (
        INSERT INTO troth.password_link (secret_hash, account_id, made_for, created_at, expires_at)
        SELECT p_secret_hash, a.id, p_for, now, now + CASE p_for WHEN 'invitation' THEN interval '24 hours'
                                                                ELSE interval '30 minutes' END
        FROM troth.account a, (SELECT troth.now_v1() AS now) AS clock WHERE a.id = p_account AND a.disabled_at IS NULL
        RETURNING account_id, made_for, expires_at),
    entry AS (
        SELECT troth.ledger_entry(ARRAY['people:password-link:make'], ARRAY[a.tenant_id],
            ARRAY[troth.leaf_json(ARRAY['account', 'for'], ARRAY[a.id::text, made_for])])
        FROM made JOIN troth.account a ON a.id = made.account_id)
    SELECT expires_at FROM made, entry
$$;

-- Holding the secret is the right to see whose it is; looking changes nothing. No row: no such link.
CREATE FUNCTION password_view_v1(p_secret bytea)
RETURNS TABLE (account_id uuid, address_ct bytea, ended boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.account_id, a.address_ct, l.used_at IS NOT NULL OR l.expires_at <= troth.now_v1()
    FROM troth.password_link l JOIN troth.account a ON a.id = l.account_id
    WHERE l.secret_hash = sha256(p_secret) AND a.disabled_at IS NULL
$$;

-- Sets the password and ends every open link of the account; NULL when the link serves no more.
CREATE FUNCTION password_set_v1(p_secret bytea, p_password text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who uuid;
BEGIN
    UPDATE troth.password_link l SET used_at = troth.now_v1()
    WHERE secret_hash = sha256(p_secret) AND used_at IS NULL AND expires_at > troth.now_v1()
      AND EXISTS (SELECT FROM troth.account a WHERE a.id = l.account_id AND a.disabled_at IS NULL)
    RETURNING account_id INTO who;
    IF who IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE troth.password_link SET used_at = troth.now_v1() WHERE account_id = who AND used_at IS NULL;
    UPDATE troth.login SET password = p_password, set_at = troth.now_v1() WHERE account_id = who;
    PERFORM troth.ledger_entry(ARRAY['people:password:set'], ARRAY[(SELECT tenant_id FROM troth.account WHERE id = who)],
                               ARRAY[troth.leaf_json(ARRAY['account'], ARRAY[who::text])]);
    RETURN who;
END $$;

-- Counts one attempt for each key, in sorted order; gives the greatest count of the window, this one included.
CREATE FUNCTION throttle_v1(p_keys bytea[], p_seconds integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH counted AS (
        INSERT INTO troth.throttle AS t (key, since, used)
        SELECT k, now, 1 FROM unnest(p_keys) AS k, (SELECT troth.now_v1() AS now) AS clock ORDER BY k
        ON CONFLICT (key) DO UPDATE SET
            since = CASE WHEN t.since > EXCLUDED.since - make_interval(secs => p_seconds) THEN t.since ELSE EXCLUDED.since END,
            used = CASE WHEN t.since > EXCLUDED.since - make_interval(secs => p_seconds) THEN t.used + 1 ELSE 1 END
        RETURNING used)
    SELECT max(used) FROM counted
$$;

CREATE FUNCTION throttle_clear_v1(p_keys bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ DELETE FROM troth.throttle WHERE key = ANY(p_keys) OR since < troth.now_v1() - interval '1 day' $$;

-- For Troth's own mail to somebody with an account: the system tenant that writes to them (their programme's; for staff
-- the first one), its keyset, and their address, sealed. A disabled account gets none.
CREATE FUNCTION account_mail_v1(p_account uuid)
RETURNS TABLE (tenant_id uuid, keyset bytea, timezone text, name_ct bytea, address_ct bytea, person_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT s.id, s.keyset, coalesce(t.timezone, s.timezone), a.name_ct, a.address_ct, p.id
    FROM troth.account a
    LEFT JOIN troth.tenant t ON t.id = a.tenant_id
    JOIN troth.tenant s ON s.kind = 2 AND s.state = 1 AND s.programme_id = coalesce(t.programme_id, s.programme_id)
    LEFT JOIN troth.person p ON p.tenant_id = s.id AND p.blind_index = a.address_index
    WHERE a.id = p_account AND a.disabled_at IS NULL ORDER BY s.created_at, s.id LIMIT 1
$$;

-- An account that two people approved is a verified recipient of that system tenant. The index is the account's own.
CREATE FUNCTION account_person_v1(p_account uuid, p_person uuid, p_address_ct bytea, p_data_key bytea, p_salt bytea)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE made uuid;
BEGIN
    INSERT INTO troth.person AS p (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at,
                                   created_at)
    SELECT p_person, m.tenant_id, a.address_index, p_address_ct, p_data_key, p_salt, 2, 'system', now, now
    FROM troth.account_mail_v1(p_account) AS m, troth.account a, (SELECT troth.now_v1() AS now) AS clock
    WHERE a.id = p_account
    ON CONFLICT (tenant_id, blind_index) DO UPDATE SET status = 2, pathway = 'system', verified_at = troth.now_v1()
        WHERE p.status = 1
    RETURNING id INTO made;
    RETURN made;
END $$;
