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

-- ---- the release ---------------------------------------------------------------------------------------------

-- A release lifts a pause, or decides about mail that was held for it, or both; or puts one message that is held for
-- review back into the queue. Events alone change a message's state: this only leaves orders.
CREATE FUNCTION apply_release(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    p troth.pause;
    n integer := 0;
BEGIN
    SELECT * INTO p FROM troth.pause WHERE id = c.subject AND tenant_id IS NOT DISTINCT FROM c.tenant_id FOR UPDATE;
    IF p.id IS NOT NULL AND a ? 'held' THEN
        INSERT INTO troth.held_order (change_id, tenant_id, pause_id, act, messages, categories, templates, at)
        SELECT c.id, c.tenant_id, p.id, a ->> 'held', troth.ids_of(a -> 'messages'), troth.ids_of(a -> 'categories'),
               troth.ids_of(a -> 'templates'), troth.now_v1()
        WHERE p.started_by = 'anomaly' AND c.tenant_id IS NOT NULL;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF p.id IS NOT NULL AND p.released_at IS NULL AND coalesce((a ->> 'lift')::boolean, NOT a ? 'held') THEN
        UPDATE troth.pause SET released_at = troth.now_v1(), release_change = c.id WHERE id = p.id;
        n := n + 1;
        -- the volume that two people have looked at is no news for a day; what was held is no part of it
        UPDATE troth.volume_gauge SET reviewed = recent + since, reviewed_at = troth.now_v1()
        WHERE tenant_id = p.tenant_id
          AND EXISTS (SELECT FROM troth.anomaly x WHERE x.pause_id = p.id AND x.cause = 'volume');
    END IF;
    IF p.id IS NULL THEN
        WITH woken AS (UPDATE troth.spool SET due = troth.now_v1()
                       WHERE message_id = c.subject AND state = 10 AND tenant_id = c.tenant_id RETURNING message_id)
        INSERT INTO troth.release_order (message_id, tenant_id, change_id, at)
        SELECT message_id, c.tenant_id, c.id, troth.now_v1() FROM woken ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF n = 0 THEN
        RAISE EXCEPTION 'there is nothing held or paused to release' USING ERRCODE = '55000';
    END IF;
END $$;

-- Carries out an order to release, for at most these messages of it: those that it means, that are held still and that no
-- other order let go. Only the change of two people makes a release, whatever the role that asks. The next claim counts
-- each anew (flow/delivery/releasing.py) and tells.
CREATE FUNCTION held_release_v1(p_change uuid, p_messages uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE n integer;
BEGIN
    WITH meant AS (
        SELECT h.message_id FROM troth.held_order o JOIN troth.held_mail h ON h.pause_id = o.pause_id
        WHERE o.change_id = p_change AND o.act = 'release' AND h.message_id = ANY (p_messages) AND h.outcome IS NULL
          AND h.at <= o.at AND (o.messages IS NULL OR h.message_id = ANY (o.messages))
          AND (o.categories IS NULL OR h.category_id = ANY (o.categories))
          AND (o.templates IS NULL OR h.template_id = ANY (o.templates))),
    woken AS (
        UPDATE troth.spool SET due = troth.now_v1() WHERE message_id = ANY (ARRAY(SELECT message_id FROM meant)) AND state = 10
        RETURNING message_id, tenant_id)
    INSERT INTO troth.release_order (message_id, tenant_id, change_id, at)
    SELECT message_id, tenant_id, p_change, troth.now_v1() FROM woken ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- An artefact's list of ids; NULL where it has none.
CREATE FUNCTION ids_of(p_list jsonb) RETURNS uuid[]
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE WHEN jsonb_typeof(p_list) = 'array' THEN ARRAY(SELECT x::uuid FROM jsonb_array_elements_text(p_list) AS x) END $$;

-- ---- looking -------------------------------------------------------------------------------------------------

-- Clients by how near their last 24 hours are to what is unusual: the one looked at, or those with most of it.
CREATE FUNCTION volume_watch_v1(p_most integer)
RETURNS TABLE (tenant_id uuid, tenant_name text, recent bigint, previous bigint[], counted_at timestamptz, reviewed bigint,
               reviewed_at timestamptz, percent integer, floor bigint, action text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT g.tenant_id, t.name, g.recent + g.since, g.previous, g.counted_at, g.reviewed, g.reviewed_at, g.percent,
           g.floor, g.action
    FROM troth.looked_at() AS own, troth.volume_gauge g JOIN troth.tenant t ON t.id = g.tenant_id
    WHERE own IS NULL OR g.tenant_id = own
    ORDER BY (g.recent + g.since)::numeric / greatest(1, (SELECT sum(x) FROM unnest(g.previous) AS x), g.floor) DESC, t.name
    LIMIT p_most
$$;

-- Anomalies, newest first, of the client looked at or of all, or one of them. p_open: those alone, those that are over
-- alone, or NULL. `release`: the open change that would lift the pause.
CREATE FUNCTION anomalies_v1(p_before timestamptz, p_open boolean, p_one uuid, p_most integer)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_name text, pause_id uuid, cause text, action text, at timestamptz,
               review_due timestamptz, n bigint, of_n bigint, threshold integer, floor bigint, sentence text,
               released_at timestamptz, release_change uuid, looked_at timestamptz, release uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.id, a.tenant_id, t.name, a.pause_id, a.cause, a.action, a.at, a.review_due, a.n, a.of_n, a.threshold,
           a.floor, a.sentence, p.released_at, p.release_change,
           (SELECT min(l.at) FROM troth.anomaly_look l WHERE l.anomaly_id = a.id),
           (SELECT c.id FROM troth.change c WHERE c.kind = 'release' AND c.subject = a.pause_id AND c.state = 1
            AND c.expires_at > troth.now_v1() ORDER BY c.proposed_at DESC LIMIT 1)
    FROM troth.looked_at() AS own, troth.anomaly a JOIN troth.pause p ON p.id = a.pause_id
    JOIN troth.tenant t ON t.id = a.tenant_id
    WHERE (own IS NULL OR a.tenant_id = own) AND a.at < p_before AND (p_open IS NULL OR p_open = (p.released_at IS NULL))
      AND (p_one IS NULL OR a.id = p_one)
    ORDER BY a.at DESC LIMIT p_most
$$;

-- Accepted by hour, 240 hours to the moment: of the client that is looked at, to now; of an anomaly, some hours beyond it
-- while they are kept, else as they were found. `ends_at`: the end of the last hour.
CREATE FUNCTION volume_hours_v1() RETURNS TABLE (ends_at timestamptz, hours bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT e.at, troth.volume_hours(own, e.at) FROM troth.looked_at() AS own,
        (SELECT date_bin('5 minutes', troth.now_v1(), 'epoch') + interval '5 minutes' AS at) AS e
    WHERE own IS NOT NULL
$$;
CREATE FUNCTION anomaly_hours_v1(p_anomaly uuid) RETURNS TABLE (ends_at timestamptz, hours bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE WHEN k.kept THEN k.ends ELSE a.at END, CASE WHEN k.kept THEN troth.volume_hours(a.tenant_id, k.ends) ELSE a.hours END
    FROM troth.looked_at() AS own, troth.anomaly a,
        LATERAL (SELECT least(n.now, a.at + interval '12 hours') AS ends,
                        least(n.now, a.at + interval '12 hours') - interval '240 hours' > n.now - interval '12 days' AS kept
                 FROM (SELECT troth.now_v1() AS now) AS n) AS k
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own)
$$;

-- Mail held for an anomaly's pause that waits still, by category and template, of the first p_most.
CREATE FUNCTION anomaly_groups_v1(p_anomaly uuid, p_most integer)
RETURNS TABLE (category_id uuid, category text, template_id uuid, template text, n bigint, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.category_id, (SELECT g.code FROM troth.governed g WHERE g.subject = h.category_id), h.template_id,
           (SELECT g.code FROM troth.governed g WHERE g.subject = h.template_id), count(*), min(h.ends_at)
    FROM troth.looked_at() AS own, troth.anomaly a CROSS JOIN LATERAL (
        SELECT m.* FROM troth.held_mail m WHERE m.pause_id = a.pause_id AND m.outcome IS NULL LIMIT p_most) AS h
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) GROUP BY h.category_id, h.template_id ORDER BY 5 DESC, 2, 4
$$;
CREATE FUNCTION anomaly_held_v1(p_anomaly uuid, p_after uuid, p_most integer)
RETURNS TABLE (message_id uuid, category text, template text, at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.message_id, (SELECT g.code FROM troth.governed g WHERE g.subject = h.category_id),
           (SELECT g.code FROM troth.governed g WHERE g.subject = h.template_id), h.at, h.ends_at
    FROM troth.looked_at() AS own, troth.anomaly a JOIN troth.held_mail h ON h.pause_id = a.pause_id
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) AND h.outcome IS NULL AND h.message_id > p_after
    ORDER BY h.message_id LIMIT p_most
$$;
-- What became of it, of the first p_most: outcome NULL waits.
CREATE FUNCTION anomaly_outcomes_v1(p_anomaly uuid, p_most integer) RETURNS TABLE (outcome smallint, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT h.outcome, count(*) FROM troth.looked_at() AS own, troth.anomaly a CROSS JOIN LATERAL (
        SELECT m.outcome FROM troth.held_mail m WHERE m.pause_id = a.pause_id LIMIT p_most) AS h
    WHERE a.id = p_anomaly AND (own IS NULL OR a.tenant_id = own) GROUP BY 1
$$;
CREATE FUNCTION anomaly_looks_v1(p_anomaly uuid) RETURNS TABLE (at timestamptz, words text, account_id uuid, name_ct bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.at, l.words, l.account_id, c.name_ct FROM troth.looked_at() AS own, troth.anomaly_look l
    JOIN troth.account c ON c.id = l.account_id
    WHERE l.anomaly_id = p_anomaly AND (own IS NULL OR l.tenant_id = own) ORDER BY l.at LIMIT 20
$$;

-- What the control of LIM-3 counts: rows, how many are wrong, and an example of those.
CREATE FUNCTION volume_fact_v1(p_name text, p_since timestamptz)
RETURNS TABLE (tenant_id uuid, n bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE now timestamptz := troth.now_v1();
BEGIN
    CASE p_name
    WHEN 'volumes' THEN RETURN QUERY
        -- each sealed hour's slots against the events that the sequencer counted, which another role wrote: test keys' mail
        -- is accepted, cancelled and not counted
        SELECT h.tenant_id, sum(h.counted)::bigint, count(*) FILTER (WHERE h.bad),
               min(to_char(h.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"h"')) FILTER (WHERE h.bad)
        FROM (SELECT g.tenant_id, e.hour, coalesce(s.n, 0) AS counted,
                     coalesce(s.n, 0) > e.accepted OR coalesce(s.n, 0) < e.accepted - e.cancelled AS bad
              FROM troth.volume_gauge g JOIN troth.tenant t ON t.id = g.tenant_id AND t.kind = 1,
              LATERAL (SELECT x.hour, coalesce(sum(y.n) FILTER (WHERE y.kind = 1), 0) AS accepted,
                              coalesce(sum(y.n) FILTER (WHERE y.kind = 6), 0) AS cancelled
                       FROM generate_series(date_trunc('hour', greatest(g.first_at, now - interval '9 days'), 'UTC'),
                                            now - interval '2 hours', interval '1 hour') AS x(hour)
                       LEFT JOIN troth.event_tally y ON y.tenant_id = g.tenant_id AND y.hour = x.hour AND y.kind IN (1, 6)
                       GROUP BY x.hour) AS e
              LEFT JOIN LATERAL (SELECT sum(v.n) AS n FROM troth.volume_slot v WHERE v.tenant_id = g.tenant_id
                                 AND v.at >= e.hour AND v.at < e.hour + interval '1 hour') AS s ON true) AS h
        GROUP BY h.tenant_id;
    WHEN 'anomalies' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(a.id::text) FILTER (WHERE b.bad)
        FROM troth.anomaly a LEFT JOIN troth.pause p ON p.id = a.pause_id,
        LATERAL (SELECT p.id IS NULL OR p.tenant_id IS DISTINCT FROM a.tenant_id OR p.started_by <> 'anomaly'
            OR p.effect <> a.action OR p.category_id IS NOT NULL OR abs(extract(epoch FROM p.started_at - a.at)) > 60
            OR p.released_at IS NOT NULL AND NOT EXISTS (SELECT FROM troth.change c WHERE c.id = p.release_change
                AND c.kind = 'release' AND c.subject = p.id AND c.state = 2 AND c.proposer_human <> c.decider_human)
            OR NOT EXISTS (SELECT FROM troth.ledger_leaf l WHERE l.log_id = 1 AND l.kind = 'sending:anomaly:raise'
                           AND l.tenant_id = a.tenant_id AND l.leaf LIKE '%' || a.id::text || '%')
               AND NOT EXISTS (SELECT FROM troth.ledger_pending q WHERE q.kind = 'sending:anomaly:raise'
                               AND q.leaf LIKE '%' || a.id::text || '%') AS bad) AS b
        WHERE a.at >= p_since GROUP BY 1;
    WHEN 'reviews' THEN RETURN QUERY
        SELECT a.tenant_id, count(*), count(*) FILTER (WHERE r.at > a.review_due), min(a.id::text) FILTER (WHERE r.at > a.review_due)
        FROM troth.anomaly a JOIN troth.pause p ON p.id = a.pause_id,
        LATERAL (SELECT coalesce(least(p.released_at, (SELECT min(l.at) FROM troth.anomaly_look l WHERE l.anomaly_id = a.id)),
                                 now) AS at) AS r
        WHERE a.at >= p_since GROUP BY 1;
    WHEN 'sent while stopped' THEN RETURN QUERY
        -- whole hours within the stop; what was marked before it has its answer by then
        SELECT p.tenant_id, count(DISTINCT p.id), count(y.n), min(p.id::text) FILTER (WHERE y.n IS NOT NULL)
        FROM troth.pause p LEFT JOIN troth.event_tally y ON y.tenant_id = p.tenant_id AND y.kind = 8
             AND y.hour >= p.started_at + interval '1 hour' AND y.hour + interval '1 hour' <= coalesce(p.released_at, now)
        WHERE p.started_by = 'anomaly' AND p.effect = 'stop-delivery' AND p.started_at >= p_since GROUP BY 1;
    WHEN 'held' THEN RETURN QUERY
        -- held mail that is neither in the spool nor at its end is lost
        SELECT h.tenant_id, count(*), count(*) FILTER (WHERE b.bad), min(h.message_id::text) FILTER (WHERE b.bad)
        FROM (SELECT * FROM troth.held_mail o WHERE o.at >= p_since ORDER BY o.message_id DESC LIMIT 20000) AS h
        LEFT JOIN troth.message m ON m.id = h.message_id,
        LATERAL (SELECT m.id IS NULL OR m.state IN (2, 3, 4, 7, 9, 10)
                        AND NOT EXISTS (SELECT FROM troth.spool s WHERE s.message_id = h.message_id) AS bad) AS b
        GROUP BY 1;
    ELSE
        RAISE EXCEPTION 'there is no fact of that name' USING ERRCODE = '22023';
    END CASE;
END $$;
