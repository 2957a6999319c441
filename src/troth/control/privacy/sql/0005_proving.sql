-- A mail's link opens the page about that mail, and a mail is passed on. So what reaches beyond it, a copy of everything and
-- erasure, takes a code that is mailed to the address itself. Who may not be mailed asks the client firm instead.

CREATE TABLE own_code (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    person_id   uuid NOT NULL REFERENCES person,
    message_id  uuid NOT NULL,                                    -- whose link was followed
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    act         smallint NOT NULL CHECK (act IN (1, 2)),          -- 1 a copy of everything, 2 erasure
    code_hash   bytea NOT NULL CHECK (octet_length(code_hash) = 32), -- SHA-256 of the browser's nonce, the id and the code
    tries       smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5), -- wrong codes; five, and it is dead
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL CHECK (expires_at <= created_at + interval '30 minutes'),
    used_at     timestamptz                                       -- once
);
CREATE INDEX own_code_index ON own_code (blind_index, created_at);
CREATE INDEX own_code_age ON own_code (expires_at);
CREATE INDEX confirmation_age ON confirmation (expires_at);

-- What proves somebody's own act is kept for 30 days after its end, and swept then (duties.sql): by nobody sooner.
CREATE FUNCTION kept_30_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF OLD.expires_at > troth.now_v1() - interval '30 days' THEN
        RAISE EXCEPTION 'this is kept for 30 days' USING ERRCODE = '42501';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER kept_30_days BEFORE DELETE ON own_code FOR EACH ROW EXECUTE FUNCTION kept_30_days();
CREATE TRIGGER kept_30_days BEFORE DELETE ON confirmation FOR EACH ROW EXECUTE FUNCTION kept_30_days();

-- Makes one, for a mail that is yet to be sent: 'made'. 'often': an address is mailed three an hour and ten a day, whichever
-- of its messages was passed on. 'gone': whoever was erased needs none.
CREATE FUNCTION own_code_ask_v1(p_id uuid, p_message uuid, p_act smallint, p_hash bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz;
    m troth.message;
    hour integer;
    day integer;
BEGIN
    SELECT w.* INTO m FROM troth.message w JOIN troth.person p ON p.id = w.person_id AND p.tenant_id = w.tenant_id
    WHERE w.id = p_message AND p.status <> 4;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('own-code' || encode(m.blind_index, 'hex'), 0));
    now := troth.now_v1();
    SELECT count(*) FILTER (WHERE created_at > now - interval '1 hour'), count(*) INTO hour, day
    FROM troth.own_code WHERE blind_index = m.blind_index AND created_at > now - interval '1 day';
    IF hour >= 3 OR day >= 10 THEN
        RETURN 'often';
    END IF;
    INSERT INTO troth.own_code (id, tenant_id, person_id, message_id, blind_index, act, code_hash, created_at, expires_at)
    VALUES (p_id, m.tenant_id, m.person_id, m.id, m.blind_index, p_act, p_hash, now, now + interval '30 minutes');
    RETURN 'made';
END $$;

-- 1 right, and used by that; 0 wrong, which is counted; -1 it serves no more, or never did. Granted to nobody.
CREATE FUNCTION own_prove(p_code uuid, p_message uuid, p_act smallint, p_hash bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz;
    c troth.own_code;
BEGIN
    SELECT * INTO c FROM troth.own_code WHERE id = p_code AND message_id = p_message AND act = p_act FOR UPDATE;
    now := troth.now_v1();
    IF c.id IS NULL OR c.used_at IS NOT NULL OR c.tries >= 5 OR c.expires_at <= now THEN
        RETURN -1;
    ELSIF c.code_hash IS DISTINCT FROM p_hash THEN
        UPDATE troth.own_code SET tries = tries + 1 WHERE id = p_code;
        RETURN 0;
    END IF;
    UPDATE troth.own_code SET used_at = now WHERE id = p_code;
    RETURN 1;
END $$;

-- A recipient's own hand, proven by the code. Under Troth's own mail it concerns the one confirmation that was asked for,
-- and Troth's copy where nobody else needs it: what clients hold is theirs. The suppression stays, which the law keeps.
CREATE FUNCTION erase_own_v1(p_message uuid, p_code uuid, p_hash bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    m troth.message;
    asked troth.confirmation;
    proven integer := troth.own_prove(p_code, p_message, 2::smallint, p_hash);
BEGIN
    IF proven <> 1 THEN
        RETURN proven;
    END IF;
    SELECT * INTO m FROM troth.message WHERE id = p_message;
    IF (SELECT kind FROM troth.tenant WHERE id = m.tenant_id) <> 2 THEN
        PERFORM troth.erase_recipient(m.tenant_id, m.person_id,
            troth.leaf_json(ARRAY['by', 'person'], ARRAY['recipient', m.person_id::text]));
    ELSE
        SELECT * INTO asked FROM troth.confirmation WHERE email_id = m.email_id;
        PERFORM troth.unask(ARRAY[asked.secret_hash]);
        PERFORM troth.erase_copy(coalesce(asked.tenant_id, m.tenant_id), m.blind_index);
    END IF;
    RETURN 1;
END $$;

-- A recipient takes a copy of everything that is held about them: an entry.
CREATE FUNCTION export_own_v1(p_message uuid, p_code uuid, p_hash bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    proven integer := troth.own_prove(p_code, p_message, 1::smallint, p_hash);
BEGIN
    IF proven = 1 THEN
        PERFORM troth.ledger_entry(ARRAY['privacy:person:export'], ARRAY[m.tenant_id],
            ARRAY[troth.leaf_json(ARRAY['by', 'person'], ARRAY['recipient', m.person_id::text])])
        FROM troth.message m WHERE m.id = p_message;
    END IF;
    RETURN proven;
END $$;

-- ---- asked of the firm ------------------------------------------------------------------------------------------

-- A request of somebody to whom no code can be mailed is served otherwise, too: its id is its own, `about` is the message
-- whose link was followed. One month: GDPR Article 12 (3).
ALTER TABLE serve_otherwise ADD asks text CHECK (asks IN ('copy', 'erasure')), ADD about uuid,
    ADD CHECK ((asks IS NULL) = (about IS NULL));
CREATE UNIQUE INDEX serve_otherwise_asked ON serve_otherwise (person_id, asks) WHERE done_at IS NULL AND asks IS NOT NULL;

-- Until when the firm has; one that waits is not asked a second time.
CREATE FUNCTION own_request_v1(p_id uuid, p_message uuid, p_act smallint) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH said AS (
        SELECT m.tenant_id, m.person_id, m.category_id, CASE p_act WHEN 1 THEN 'copy' ELSE 'erasure' END AS asks, troth.now_v1() AS now
        FROM troth.message m WHERE m.id = p_message),
    opened AS (
        INSERT INTO troth.serve_otherwise (message_id, tenant_id, person_id, category_id, opened_at, due, asks, about)
        SELECT p_id, tenant_id, person_id, category_id, now, now + interval '1 month', asks, p_message FROM said
        ON CONFLICT (person_id, asks) WHERE done_at IS NULL AND asks IS NOT NULL DO NOTHING
        RETURNING message_id, tenant_id, asks, due),
    entry AS (
        SELECT troth.ledger_entry(ARRAY['privacy:request:open'], ARRAY[tenant_id],
            ARRAY[troth.leaf_json(ARRAY['asks', 'request'], ARRAY[asks, message_id::text])]) FROM opened)
    SELECT coalesce((SELECT due FROM opened, entry), (
        SELECT s.due FROM troth.serve_otherwise s, said
        WHERE s.person_id = said.person_id AND s.asks = said.asks AND s.done_at IS NULL))
$$;
