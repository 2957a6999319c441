-- Unusual volumes: how much each client had accepted, what the watch made of it, what it stopped, and what became of the
-- mail that was held. A client's mail is counted in the transaction that accepts it, never by looking through messages.

-- Accepted messages in five minutes of UTC; test keys' and Troth's own are not counted.
CREATE TABLE volume_slot (
    tenant_id uuid NOT NULL,
    at        timestamptz NOT NULL CHECK (at = date_bin('5 minutes', at, 'epoch')),
    n         bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (tenant_id, at)
) WITH (fillfactor = 50);

-- The trailing 24 hours and the seven before, as last counted, and what came since. Nothing leaves `recent` between two
-- counts, so that a count that is late is too high, never too low. Locked by whoever accepts for the client.
CREATE TABLE volume_gauge (
    tenant_id   uuid PRIMARY KEY,
    first_at    timestamptz NOT NULL,                   -- the client's first slot
    counted_at  timestamptz NOT NULL,                   -- the end of the last 24 hours
    recent      bigint NOT NULL CHECK (recent >= 0),
    previous    bigint[] NOT NULL CHECK (cardinality(previous) <= 7), -- newest first; fewer: it began less than a week ago
    since       bigint NOT NULL DEFAULT 0 CHECK (since >= 0),
    reviewed    bigint NOT NULL DEFAULT 0,              -- the volume that two people let pass, for a day
    reviewed_at timestamptz,
    percent     integer,                                -- the policy's, as the watch last found it
    floor       bigint,
    action      text
) WITH (fillfactor = 50);

-- The machine's clock was seen to jump: until `until`, the last 24 hours begin so much earlier as it went ahead, so that
-- what was accepted before the jump is counted as long as if there had been none.
CREATE TABLE volume_doubt (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    until  timestamptz NOT NULL,                        -- by the machine's clock, which no test moves
    ahead  interval NOT NULL CHECK (ahead >= '0')
);

-- What the watch found. It is over when its pause is released; nobody changes it.
CREATE TABLE anomaly (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    pause_id   uuid NOT NULL UNIQUE REFERENCES pause,
    cause      text NOT NULL CHECK (cause IN ('volume', 'bounce', 'complaint')),
    action     text NOT NULL CHECK (action IN ('slow', 'stop-new', 'stop-delivery')),
    at         timestamptz NOT NULL,
    review_due timestamptz NOT NULL CHECK (review_due > at),
    n          bigint NOT NULL,                         -- messages of 24 h; or what bounced or complained
    of_n       bigint NOT NULL,                         -- messages of the seven windows before; or what was answered
    threshold  integer NOT NULL,                        -- percent of the mean; or per mille
    floor      bigint NOT NULL,                         -- at or below which nothing is one
    sentence   text NOT NULL CHECK (sentence <> ''),
    hours      bigint[] NOT NULL                        -- accepted in each of the 240 hours to that moment, oldest first
);
CREATE INDEX anomaly_tenant ON anomaly (tenant_id, at DESC);
CREATE INDEX anomaly_at ON anomaly (at DESC);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON anomaly FOR EACH ROW EXECUTE FUNCTION insert_only();

-- A person looked and left it stopped: an act of one, with its entry of the ledger.
CREATE TABLE anomaly_look (
    anomaly_id uuid NOT NULL REFERENCES anomaly,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    account_id uuid NOT NULL REFERENCES account,
    at         timestamptz NOT NULL,
    words      text NOT NULL CHECK (btrim(words) <> ''),
    PRIMARY KEY (anomaly_id, account_id, at)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON anomaly_look FOR EACH ROW EXECUTE FUNCTION insert_only();

-- Mail that the gate held for a pause of the watch, and what became of it.
CREATE TABLE held_mail (
    message_id  uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    pause_id    uuid NOT NULL,
    category_id uuid NOT NULL,
    template_id uuid,                                   -- governed subject; NULL: raw content
    at          timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    outcome     smallint CHECK (outcome BETWEEN 1 AND 4) -- released, refused, expired, withdrawn or suppressed meanwhile
);
CREATE INDEX held_mail_open ON held_mail (pause_id, message_id) WHERE outcome IS NULL;
CREATE INDEX held_mail_outcome ON held_mail (pause_id, outcome);
CREATE INDEX held_mail_waiting ON held_mail (message_id) WHERE outcome IS NULL;
CREATE INDEX held_mail_volume ON held_mail (tenant_id, at);

-- What two people decided of held mail; the flow's duty carries it out, in parts. Arrays: NULL is no matter which.
CREATE TABLE held_order (
    change_id  uuid PRIMARY KEY REFERENCES change,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    pause_id   uuid NOT NULL REFERENCES pause,
    act        text NOT NULL CHECK (act IN ('release', 'refuse')),
    messages   uuid[],
    categories uuid[],
    templates  uuid[],
    at         timestamptz NOT NULL,                    -- what was held later is not meant
    n          bigint NOT NULL DEFAULT 0,
    done_at    timestamptz
);
CREATE INDEX held_order_open ON held_order (at) WHERE done_at IS NULL;

ALTER TABLE pause DROP CONSTRAINT pause_effect_check,
    ADD CONSTRAINT pause_effect_check CHECK (effect IN ('slow', 'stop-new', 'stop-delivery')),
    ADD CONSTRAINT slowed_by_the_watch CHECK (effect <> 'slow' OR started_by = 'anomaly');

-- ---- counting ------------------------------------------------------------------------------------------------

-- The 24 hours to p_end and the seven windows before, newest first; windows before p_first's are left out. What is dated
-- later than p_end (a clock went back) counts as recent; so does p_ahead more of the past (a clock went ahead).
-- Mail that the watch held is left out: of the recent, since two people decide about it apart; of the windows before,
-- unless they let it go, so that what was refused never makes the next as much look usual.
CREATE FUNCTION volume_windows(p_tenant uuid, p_first timestamptz, p_end timestamptz, p_ahead interval)
RETURNS TABLE (recent bigint, previous bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH slots AS (
        SELECT s.at, s.n, 0::bigint AS held, 0::bigint AS barred
        FROM troth.volume_slot s WHERE s.tenant_id = p_tenant AND s.at >= p_end - p_ahead - interval '192 hours'
        UNION ALL
        SELECT date_bin('5 minutes', h.at, 'epoch'), 0, count(*), count(*) FILTER (WHERE h.outcome IS DISTINCT FROM 1)
        FROM troth.held_mail h WHERE h.tenant_id = p_tenant AND h.at >= p_end - p_ahead - interval '192 hours' GROUP BY 1),
    counted AS (
        -- the slot that begins at p_end - 24 h is the first of the recent ones
        SELECT greatest(0, ceil(extract(epoch FROM p_end - p_ahead - s.at) / 86400)::integer - 1) AS w,
               greatest(0, sum(s.n - s.held)) AS passed, greatest(0, sum(s.n - s.barred)) AS went
        FROM slots s GROUP BY 1)
    SELECT coalesce((SELECT sum(c.passed) FROM counted c WHERE c.w = 0), 0)::bigint,
           ARRAY(SELECT coalesce((SELECT sum(c.went) FROM counted c WHERE c.w = i.w), 0)::bigint
                 FROM generate_series(1, 7) AS i(w) WHERE p_end - p_ahead - i.w * interval '24 hours' > p_first ORDER BY i.w)
$$;

-- Counts these clients again, whose gauges the caller has locked.
CREATE FUNCTION volume_recount_v1(p_tenants uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    n integer;
    ahead interval := coalesce((SELECT d.ahead FROM troth.volume_doubt d WHERE d.until > clock_timestamp()), '0');
    slot_end timestamptz := date_bin('5 minutes', troth.now_v1(), 'epoch') + interval '5 minutes';
BEGIN
    UPDATE troth.volume_gauge g SET since = 0,
        counted_at = greatest(g.counted_at, slot_end),
        recent = w.recent, previous = w.previous
    FROM (SELECT o.tenant_id, v.recent, v.previous FROM troth.volume_gauge o,
          LATERAL troth.volume_windows(o.tenant_id, o.first_at, greatest(o.counted_at, slot_end), ahead) AS v
          WHERE o.tenant_id = ANY (p_tenants)) AS w
    WHERE g.tenant_id = w.tenant_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- ---- the pause -----------------------------------------------------------------------------------------------

CREATE FUNCTION volume_hours(p_tenant uuid, p_end timestamptz) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH counted AS (
        SELECT ceil(extract(epoch FROM p_end - s.at) / 3600)::integer AS h, sum(s.n) AS n FROM troth.volume_slot s
        WHERE s.tenant_id = p_tenant AND s.at >= p_end - interval '240 hours' GROUP BY 1)
    SELECT ARRAY(SELECT coalesce((SELECT sum(c.n) FROM counted c WHERE greatest(c.h, 1) = i.h), 0)::bigint
                 FROM generate_series(240, 1, -1) AS i(h) ORDER BY i.h DESC)
$$;

-- How strict a pause is.
CREATE FUNCTION pause_rank(p_effect text) RETURNS integer
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT array_position(ARRAY['slow', 'stop-new', 'stop-delivery'], p_effect) $$;

-- Whoever may propose the release is told by mail, once: of the operator's staff, and of the client's own people.
CREATE FUNCTION anomaly_tell(p_anomaly uuid, p_about text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    found troth.anomaly;
    client text;
    n integer := 0;
    who troth.account;
BEGIN
    SELECT * INTO found FROM troth.anomaly WHERE id = p_anomaly;
    SELECT t.name INTO client FROM troth.tenant t WHERE t.id = found.tenant_id;
    FOR who IN SELECT a.* FROM troth.account a WHERE (a.tenant_id IS NULL OR a.tenant_id = found.tenant_id)
               AND a.disabled_at IS NULL ORDER BY a.id LIMIT 500 LOOP
        IF (troth.cell_of(who, 'release:propose', found.tenant_id)).action IS NOT NULL THEN
            PERFORM troth.access_tell(who.id, 'sending-unusual', p_anomaly::text || ' ' || p_about, jsonb_build_object(
                'anomaly', p_anomaly, 'client', client, 'what', found.sentence, 'action', found.action,
                'about', p_about, 'due', found.review_due));
            n := n + 1;
        END IF;
    END LOOP;
    RETURN n;
END $$;

-- Stops or slows a client until a person has looked. NULL: something at least as strict is in force already.
CREATE FUNCTION anomaly_raise_v1(p_tenant uuid, p_cause text, p_action text, p_minutes integer, p_n bigint, p_of bigint,
                                 p_threshold integer, p_floor bigint, p_sentence text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid := gen_random_uuid();
    stop uuid;
    now timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('anomaly:' || p_tenant::text, 0));
    IF EXISTS (SELECT FROM troth.pause p WHERE p.tenant_id = p_tenant AND p.started_by = 'anomaly'
               AND p.released_at IS NULL AND troth.pause_rank(p.effect) >= troth.pause_rank(p_action)) THEN
        RETURN NULL;
    END IF;
    now := troth.now_v1();
    stop := (troth.pause_v1(ARRAY[p_tenant], p_action, p_sentence, 'anomaly'))[1];
    INSERT INTO troth.anomaly (id, tenant_id, pause_id, cause, action, at, review_due, n, of_n, threshold, floor,
                               sentence, hours)
    VALUES (made, p_tenant, stop, p_cause, p_action, now, now + make_interval(mins => p_minutes), p_n, p_of,
            p_threshold, p_floor, p_sentence, troth.volume_hours(p_tenant, now));
    PERFORM troth.ledger_entry(ARRAY['sending:anomaly:raise'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['action', 'anomaly', 'cause', 'floor', 'n', 'of', 'pause', 'review', 'threshold'],
        ARRAY[p_action, made::text, p_cause, p_floor::text, p_n::text, p_of::text, stop::text,
              to_char((now + make_interval(mins => p_minutes)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
              p_threshold::text])]);
    PERFORM troth.anomaly_tell(made, 'raised');
    RETURN made;
END $$;

-- Endpoints of the client, and of the operator's own (the programme's system tenant), hear that sending was slowed or
-- stopped, and that two people let it go on.
CREATE FUNCTION anomaly_outbox(p_anomaly uuid, p_tenant uuid, p_kind smallint, p_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.webhook_outbox (tenant_id, endpoint_id, message_id, kind, source_key, at, due)
    SELECT w.tenant_id, w.id, p_anomaly, p_kind, 'anomaly', p_at, p_at
    FROM troth.tenant t JOIN troth.tenant s ON s.programme_id = t.programme_id AND (s.id = t.id OR s.kind = 2)
    JOIN troth.webhook_endpoint w ON w.tenant_id = s.id AND w.disabled_at IS NULL AND p_kind = ANY (w.kinds)
    WHERE t.id = p_tenant ORDER BY w.id
$$;
CREATE FUNCTION anomaly_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.anomaly_outbox(NEW.id, NEW.tenant_id, 41::smallint, NEW.at);
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON anomaly FOR EACH ROW EXECUTE FUNCTION anomaly_told();
CREATE FUNCTION anomaly_over() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.anomaly_outbox(a.id, a.tenant_id, 42::smallint, NEW.released_at) FROM troth.anomaly a WHERE a.pause_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER over AFTER UPDATE OF released_at ON pause FOR EACH ROW
    WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL) EXECUTE FUNCTION anomaly_over();

-- Reviews whose time is over without anybody having looked: told once more. How many there were.
CREATE FUNCTION anomaly_overdue_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    late uuid;
    n integer := 0;
BEGIN
    FOR late IN SELECT a.id FROM troth.pause p JOIN troth.anomaly a ON a.pause_id = p.id
                WHERE p.released_at IS NULL AND p.started_by = 'anomaly' AND a.review_due <= troth.now_v1()
                  AND NOT EXISTS (SELECT FROM troth.anomaly_look l WHERE l.anomaly_id = a.id)
                  AND NOT EXISTS (SELECT FROM troth.access_notice o WHERE o.template = 'sending-unusual'
                                  AND o.about = a.id::text || ' overdue')
                ORDER BY a.at LIMIT 100 LOOP
        PERFORM troth.anomaly_tell(late, 'overdue');
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;
CREATE INDEX access_notice_about ON access_notice (about) WHERE template = 'sending-unusual';

CREATE FUNCTION anomaly_look_v1(p_anomaly uuid, p_words text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account;
    found troth.anomaly;
BEGIN
    SELECT a.* INTO found FROM troth.anomaly a JOIN troth.pause p ON p.id = a.pause_id
    WHERE a.id = p_anomaly AND p.released_at IS NULL;
    who := troth.allowed(p_session, 'release:propose', found.tenant_id);
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'there is no such anomaly for you to look at, or it is over' USING ERRCODE = '42501';
    ELSIF btrim(coalesce(p_words, '')) = '' THEN
        RAISE EXCEPTION 'say what you found, for those who decide about it' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.anomaly_look (anomaly_id, tenant_id, account_id, at, words)
    VALUES (found.id, found.tenant_id, who.id, troth.now_v1(), left(p_words, 2000));
    PERFORM troth.ledger_entry(ARRAY['sending:anomaly:look'], ARRAY[found.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['anomaly', 'by', 'words'],
        ARRAY[found.id::text, who.human_id::text, encode(sha256(convert_to(p_words, 'UTF8')), 'hex')])]);
END $$;
