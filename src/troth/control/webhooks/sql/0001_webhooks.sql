-- Webhooks: what an endpoint hears of, the secrets that sign for it, how each delivery stands, and how the endpoint does.

ALTER TABLE webhook_endpoint
    -- kinds of events (rules/hook_events.py); the silent ones are never among them, so that they cost nothing
    ADD COLUMN kinds smallint[] NOT NULL DEFAULT '{3,4,5,6,7,8,9,10,11,12,13,14,15,16,31,32,33,41,42}'
        CHECK (kinds <@ '{3,4,5,6,7,8,9,10,11,12,13,14,15,16,31,32,33,41,42}'::smallint[] AND cardinality(kinds) > 0),
    ADD COLUMN disabled_why text CHECK (disabled_why IN ('command', 'failing', 'gone')),
    ADD CHECK (disabled_at IS NOT NULL OR disabled_why IS NULL);
CREATE INDEX webhook_endpoint_tenant ON webhook_endpoint (tenant_id);

-- One current secret, and older ones that sign beside it until they end.
CREATE TABLE webhook_secret (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    secret_ct   bytea NOT NULL CHECK (get_byte(secret_ct, 0) = 1),   -- under the tenant's keyset
    created_at  timestamptz NOT NULL,
    ends_at     timestamptz                                          -- NULL: the current one
);
CREATE UNIQUE INDEX webhook_secret_current ON webhook_secret (endpoint_id) WHERE ends_at IS NULL;
CREATE INDEX webhook_secret_endpoint ON webhook_secret (endpoint_id);

-- How an endpoint does; the sender alone writes it.
CREATE TABLE webhook_health (
    endpoint_id     uuid PRIMARY KEY REFERENCES webhook_endpoint ON DELETE CASCADE,
    tenant_id       uuid NOT NULL,
    failing_since   timestamptz,                 -- NULL: its last attempt succeeded
    failures        integer NOT NULL DEFAULT 0,  -- in a row
    last_success_at timestamptz,
    last_attempt_at timestamptz,
    last_status     smallint,
    last_error      text,
    quiet_until     timestamptz,                 -- Retry-After: nothing is sent before
    -- the mail about its disabling: 0 none, 1 to be sent, 2 sent, 3 could not be sent (notice_why)
    notice          smallint NOT NULL DEFAULT 0 CHECK (notice BETWEEN 0 AND 3),
    notice_at       timestamptz,
    notice_why      text
);

-- `due` is the lease of a claimed row. A message's rows go out in the order of `id`.
ALTER TABLE webhook_outbox
    ADD COLUMN state smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4), -- waiting, claimed, delivered, given up
    ADD COLUMN due timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN token bigint NOT NULL DEFAULT 0,                                 -- fencing: each claim adds one
    ADD COLUMN attempts smallint NOT NULL DEFAULT 0,
    ADD COLUMN replays smallint NOT NULL DEFAULT 0,
    ADD COLUMN first_at timestamptz,                                            -- of the first attempt
    ADD COLUMN last_at timestamptz,
    ADD COLUMN last_status smallint,
    ADD COLUMN last_error text,
    ADD COLUMN done_at timestamptz,
    ADD CHECK ((state > 2) = (done_at IS NOT NULL));
CREATE INDEX webhook_outbox_due ON webhook_outbox (endpoint_id, due, id) WHERE state < 3;
CREATE INDEX webhook_outbox_done ON webhook_outbox (endpoint_id, done_at) WHERE state > 2;
CREATE INDEX webhook_outbox_message ON webhook_outbox (endpoint_id, message_id, id);

-- ---- what always holds ---------------------------------------------------------------------------------------

CREATE FUNCTION webhook_limit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('webhook_endpoint:' || NEW.tenant_id::text, 0));
    IF (SELECT count(*) FROM troth.webhook_endpoint WHERE tenant_id = NEW.tenant_id) >= 10 THEN
        RAISE EXCEPTION 'a client has at most 10 webhook endpoints: remove one first' USING ERRCODE = '22023';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER at_most BEFORE INSERT ON webhook_endpoint FOR EACH ROW EXECUTE FUNCTION webhook_limit();

CREATE FUNCTION webhook_secret_limit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    DELETE FROM troth.webhook_secret WHERE endpoint_id = NEW.endpoint_id AND ends_at <= troth.now_v1();
    IF (SELECT count(*) FROM troth.webhook_secret WHERE endpoint_id = NEW.endpoint_id) >= 5 THEN
        RAISE EXCEPTION 'five secrets of this endpoint sign already: wait until one ends, or rotate with no overlap'
            USING ERRCODE = '22023';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER at_most BEFORE INSERT ON webhook_secret FOR EACH ROW EXECUTE FUNCTION webhook_secret_limit();

-- No change of an endpoint without its ledger entry, whoever makes it. `troth.actor` says who, where a person did.
CREATE FUNCTION webhook_entry(p_act text, p_tenant uuid, p_endpoint uuid, p_more text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY[p_act], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['by', 'endpoint', 'more'],
        ARRAY[coalesce(nullif(current_setting('troth.actor', true), ''), 'role:' || session_user::text),
              p_endpoint::text, p_more])])
$$;

CREATE FUNCTION webhook_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM troth.webhook_entry('webhook:endpoint:remove', OLD.tenant_id, OLD.id, '');
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM troth.webhook_entry('webhook:endpoint:add', NEW.tenant_id, NEW.id, 'kinds ' || NEW.kinds::text);
        RETURN NULL;
    ELSIF (OLD.id, OLD.tenant_id, OLD.created_at) IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.created_at) THEN
        RAISE EXCEPTION 'an endpoint keeps its id, its client and its beginning' USING ERRCODE = '42501';
    END IF;
    -- one statement may do both, and hides neither
    IF (OLD.kinds, OLD.url_ct) IS DISTINCT FROM (NEW.kinds, NEW.url_ct) THEN
        PERFORM troth.webhook_entry('webhook:endpoint:change', NEW.tenant_id, NEW.id, 'kinds ' || NEW.kinds::text);
    END IF;
    IF OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN
        -- what waits is given up, in sight and to be replayed; the token ends whoever is under way with it
        UPDATE troth.webhook_outbox SET state = 4, token = token + 1, done_at = troth.now_v1(),
            last_error = 'endpoint-disabled' WHERE endpoint_id = NEW.id AND state < 3;
        PERFORM troth.webhook_entry('webhook:endpoint:disable', NEW.tenant_id, NEW.id, coalesce(NEW.disabled_why, ''));
    ELSIF OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL THEN
        UPDATE troth.webhook_health SET failing_since = NULL, failures = 0, quiet_until = NULL, notice = 0,
            notice_at = NULL, notice_why = NULL WHERE endpoint_id = NEW.id;
        PERFORM troth.webhook_entry('webhook:endpoint:enable', NEW.tenant_id, NEW.id, '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON webhook_endpoint
    FOR EACH ROW EXECUTE FUNCTION webhook_told();

-- A secret that once has an end keeps an end, so that one that leaked does not come back; each end is told.
CREATE FUNCTION webhook_secret_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM troth.webhook_entry('webhook:secret:add', NEW.tenant_id, NEW.endpoint_id, NEW.id::text);
    ELSIF coalesce(NEW.ends_at, 'infinity') > coalesce(OLD.ends_at, 'infinity') THEN
        RAISE EXCEPTION 'a secret that ends does not go on for longer' USING ERRCODE = '42501';
    ELSIF NEW.ends_at IS DISTINCT FROM OLD.ends_at THEN
        PERFORM troth.webhook_entry('webhook:secret:end', NEW.tenant_id, NEW.endpoint_id, NEW.id::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT OR UPDATE ON webhook_secret FOR EACH ROW EXECUTE FUNCTION webhook_secret_told();

-- ---- what control may ask of the sender ----------------------------------------------------------------------

-- An endpoint of the transaction's tenant that takes deliveries; missing and another's read the same.
CREATE FUNCTION webhook_open(p_endpoint uuid) RETURNS webhook_endpoint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE w troth.webhook_endpoint;
BEGIN
    SELECT * INTO w FROM troth.webhook_endpoint
    WHERE id = p_endpoint AND tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid;
    IF w.id IS NULL THEN
        RAISE EXCEPTION 'there is no such endpoint here' USING ERRCODE = '42501';
    ELSIF w.disabled_at IS NOT NULL THEN
        RAISE EXCEPTION 'this endpoint is disabled: enable it first' USING ERRCODE = '55000';
    END IF;
    RETURN w;
END $$;

-- Send again what this endpoint was due: since a time, one message's (and kind's), what was given up. Same rows, so
-- the same ids. What waits already is due at once.
CREATE FUNCTION webhook_replay_v1(p_endpoint uuid, p_since timestamptz, p_message uuid, p_kind smallint,
                                  p_failed boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    w troth.webhook_endpoint := troth.webhook_open(p_endpoint);
    n bigint;
BEGIN
    UPDATE troth.webhook_outbox SET due = troth.now_v1(),
        state = 1, done_at = NULL, token = token + 1,
        attempts = CASE WHEN state = 1 THEN attempts ELSE 0 END,
        first_at = CASE WHEN state = 1 THEN first_at END,
        replays = least(replays + (state <> 1)::int, 32767)
    WHERE endpoint_id = w.id AND state <> 2
      AND (p_since IS NULL OR at >= p_since) AND (p_message IS NULL OR message_id = p_message)
      AND (p_kind IS NULL OR kind = p_kind) AND (NOT p_failed OR state = 4);
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM troth.webhook_entry('webhook:delivery:replay', w.tenant_id, w.id, n::text);
    RETURN n;
END $$;

CREATE FUNCTION webhook_test_v1(p_endpoint uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    w troth.webhook_endpoint := troth.webhook_open(p_endpoint);
    made bigint;
BEGIN
    INSERT INTO troth.webhook_outbox (tenant_id, endpoint_id, message_id, kind, source_key, at, due)
    VALUES (w.tenant_id, w.id, gen_random_uuid(), 0, 'test', troth.now_v1(), troth.now_v1())
    RETURNING id INTO made;
    RETURN made;
END $$;

-- Whom the sender tells that an endpoint was disabled: the client's administrators, still sealed by the operator's keyset.
CREATE FUNCTION webhook_admins_v1(p_tenant uuid) RETURNS TABLE (account_id uuid, address_ct bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.id, a.address_ct FROM troth.account a
    WHERE a.tenant_id = p_tenant AND a.role = 'admin' AND a.disabled_at IS NULL ORDER BY a.id
$$;
