-- The ledger: leaves, the tree's nodes and signed checkpoints. The sequencer (troth_ledger) moves what waits into the
-- tree; it can add, it cannot change, and what it takes from the line must be in the tree first.

-- One leaf of the tree (RFC 9162 section 2.1.1). The columns beside `leaf` repeat it, for looking up.
CREATE TABLE ledger_leaf (
    log_id    smallint NOT NULL,
    index     bigint NOT NULL CHECK (index >= 0),
    tenant_id uuid,
    kind      text NOT NULL CHECK (kind ~ '^[a-z]+:[a-z-]+:[a-z-]+$'),
    at        timestamptz NOT NULL,
    leaf      text NOT NULL CHECK (jsonb_typeof(leaf::jsonb) = 'object'),
    leaf_hash bytea NOT NULL CHECK (leaf_hash = sha256('\x00'::bytea || convert_to(leaf, 'UTF8'))),
    PRIMARY KEY (log_id, index),
    CHECK (leaf::jsonb ->> 'kind' = kind AND leaf::jsonb ->> 'tenant' = coalesce(tenant_id::text, '')
           AND (leaf::jsonb ->> 'at')::bigint = (extract(epoch FROM at) * 1000000)::bigint)
);
CREATE INDEX ledger_leaf_tenant ON ledger_leaf (tenant_id, index);
CREATE INDEX ledger_leaf_hash ON ledger_leaf (leaf_hash);

-- What a sealing leaf seals: the leaf hashes of message events, 32 octets each, in order. Retention keeps these.
CREATE TABLE ledger_batch (
    log_id   smallint NOT NULL,
    index    bigint NOT NULL,
    events   integer NOT NULL CHECK (events > 0),
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL CHECK (last_at >= first_at),
    hashes   bytea NOT NULL CHECK (octet_length(hashes) = 32 * events),
    PRIMARY KEY (log_id, index),
    FOREIGN KEY (log_id, index) REFERENCES ledger_leaf
);
ALTER TABLE ledger_batch ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not compress
CREATE INDEX ledger_batch_time ON ledger_batch (last_at);

-- Complete subtrees: node (level, index) stands on leaves [index * 2^level, (index + 1) * 2^level).
CREATE TABLE ledger_node (
    log_id smallint NOT NULL,
    level  smallint NOT NULL CHECK (level BETWEEN 1 AND 62),
    index  bigint NOT NULL CHECK (index >= 0),
    hash   bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (log_id, level, index)
);

-- C2SP tlog-checkpoint in a signed note (Ed25519).
CREATE TABLE ledger_checkpoint (
    log_id smallint NOT NULL,
    size   bigint NOT NULL CHECK (size > 0),
    root   bytea NOT NULL CHECK (octet_length(root) = 32),
    at     timestamptz NOT NULL,
    note   text NOT NULL,
    PRIMARY KEY (log_id, size)
);

CREATE TABLE ledger_key (
    log_id     smallint PRIMARY KEY,
    vkey       text NOT NULL,                                     -- C2SP signed-note verifier key
    created_at timestamptz NOT NULL
);

-- The line of message events: one row an inserting statement, and what it adds to the counts.
CREATE TABLE event_pending (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id       smallint NOT NULL DEFAULT 1,
    at           timestamptz NOT NULL,
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    hashes       bytea NOT NULL CHECK (octet_length(hashes) > 0 AND octet_length(hashes) % 32 = 0),
    tally_tenant uuid[] NOT NULL,
    tally_hour   timestamptz[] NOT NULL,
    tally_kind   smallint[] NOT NULL,
    tally_n      bigint[] NOT NULL
);
ALTER TABLE event_pending ALTER hashes SET STORAGE EXTERNAL;

-- How many events of a kind a client had in an hour (UTC); the sequencer counts as it seals.
CREATE TABLE event_tally (
    tenant_id uuid NOT NULL,
    hour      timestamptz NOT NULL,
    kind      smallint NOT NULL,
    n         bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (tenant_id, hour, kind)
);

-- No event without its place in the line, whoever writes it.
CREATE FUNCTION event_to_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.event_pending (at, first_at, last_at, hashes, tally_tenant, tally_hour, tally_kind, tally_n)
    SELECT troth.now_v1(), min(g.first_at), max(g.last_at), string_agg(g.hashes, ''::bytea),
           array_agg(g.tenant_id), array_agg(g.hour), array_agg(g.kind), array_agg(g.n)
    FROM (SELECT tenant_id, date_trunc('hour', at, 'UTC') AS hour, kind, count(*) AS n, min(at) AS first_at,
                 max(at) AS last_at, string_agg(leaf_hash, ''::bytea) AS hashes
          FROM fresh GROUP BY 1, 2, 3) AS g
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER to_line AFTER INSERT ON event REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION event_to_line();

-- An entry fits into an export's bundle, which says its length in two octets (C2SP tlog-tiles).
ALTER TABLE ledger_pending ADD CONSTRAINT fits_a_bundle CHECK (octet_length(leaf) <= 65535);
ALTER TABLE ledger_leaf ADD CONSTRAINT fits_a_bundle CHECK (octet_length(leaf) <= 65535);
-- Times that every calendar has, so that no event can stop the sequencer.
ALTER TABLE event_pending ADD CONSTRAINT of_this_era
    CHECK (first_at >= '1970-01-01 00:00Z' AND last_at < '9999-01-01 00:00Z' AND last_at >= first_at);

-- ---- what holds whoever writes ------------------------------------------------------------------------------

-- Leaves come one after the other, each from the line; a batch's own leaf comes with the batch (sealed_batch).
CREATE FUNCTION leaf_in_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    waited boolean;
    ordered boolean;
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT log_id, min(index) AS low, max(index) AS high, count(*) AS n FROM fresh GROUP BY 1) AS f
        WHERE f.high - f.low + 1 <> f.n
           OR f.low <> coalesce((SELECT max(l.index) + 1 FROM troth.ledger_leaf l
                                 WHERE l.log_id = f.log_id AND l.index < f.low), 0)) THEN
        RAISE EXCEPTION 'a leaf comes right after the one before it' USING ERRCODE = '23514';
    END IF;
    -- Each takes its own out of the line, so that nothing that waited once is in the tree twice.
    WITH f AS (SELECT log_id, index, leaf_hash, row_number() OVER (PARTITION BY log_id, leaf_hash ORDER BY index) AS nth
               FROM fresh WHERE kind <> 'evidence:batch:seal'),
         p AS (SELECT id, log_id, leaf_hash, row_number() OVER (PARTITION BY log_id, leaf_hash ORDER BY id) AS nth
               FROM troth.ledger_pending WHERE leaf_hash IN (SELECT leaf_hash FROM f)),
         pair AS (SELECT f.index, p.id FROM f JOIN p USING (log_id, leaf_hash, nth)),
         gone AS (DELETE FROM troth.ledger_pending q USING pair WHERE q.id = pair.id)
    SELECT (SELECT count(*) FROM f) = (SELECT count(*) FROM pair),
           NOT EXISTS (SELECT FROM (SELECT id < lag(id) OVER (ORDER BY index) AS back FROM pair) AS o WHERE o.back)
    INTO waited, ordered;
    IF NOT waited THEN
        RAISE EXCEPTION 'a leaf is what waited in the line' USING ERRCODE = '42501';
    ELSIF NOT ordered THEN
        RAISE EXCEPTION 'leaves come in the order of the line' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER in_order AFTER INSERT ON ledger_leaf REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION leaf_in_order();

CREATE FUNCTION batch_is_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f JOIN troth.ledger_leaf l USING (log_id, index)
               WHERE l.kind <> 'evidence:batch:seal' OR (l.leaf::jsonb ->> 'count')::bigint <> f.events) THEN
        RAISE EXCEPTION 'a batch belongs to the leaf that seals it' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sealed AFTER INSERT ON ledger_batch REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION batch_is_sealed();

-- A node is the hash of its two halves (RFC 9162 section 2.1.1), and a checkpoint is of the whole tree.
CREATE FUNCTION node_of_halves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (
        WITH half AS (
            SELECT n.log_id, n.level, n.index, n.hash FROM troth.ledger_node n
            JOIN (SELECT DISTINCT log_id, level - 1 AS level, 2 * index + side AS index
                  FROM fresh, generate_series(0, 1) AS side) AS w USING (log_id, level, index)
            UNION ALL
            SELECT l.log_id, 0, l.index, l.leaf_hash FROM troth.ledger_leaf l
            JOIN (SELECT log_id, 2 * index + side AS index FROM fresh, generate_series(0, 1) AS side WHERE level = 1) AS w
            USING (log_id, index))
        SELECT FROM fresh f
        LEFT JOIN half l ON l.log_id = f.log_id AND l.level = f.level - 1 AND l.index = 2 * f.index
        LEFT JOIN half r ON r.log_id = f.log_id AND r.level = f.level - 1 AND r.index = 2 * f.index + 1
        WHERE (f.hash = sha256('\x01'::bytea || l.hash || r.hash)) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a node is the hash of its two halves' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER of_halves AFTER INSERT ON ledger_node REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION node_of_halves();

CREATE FUNCTION checkpoint_of_all() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NEW.size IS DISTINCT FROM (SELECT max(index) + 1 FROM troth.ledger_leaf WHERE log_id = NEW.log_id) THEN
        RAISE EXCEPTION 'a checkpoint is of all that is in the tree' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_all BEFORE INSERT ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION checkpoint_of_all();

-- What leaves the line is in the tree.
CREATE FUNCTION only_sequenced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g WHERE NOT EXISTS (
            SELECT FROM troth.ledger_leaf l WHERE l.leaf_hash = g.leaf_hash AND l.log_id = g.log_id)) THEN
        RAISE EXCEPTION 'this entry is not in the tree yet' USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER only_sequenced AFTER DELETE ON ledger_pending REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION only_sequenced();

CREATE FUNCTION only_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g WHERE NOT EXISTS (
            SELECT FROM troth.ledger_batch b
            WHERE b.log_id = g.log_id AND b.last_at >= g.last_at AND b.first_at <= g.first_at
              AND position(g.hashes IN b.hashes) % 32 = 1)) THEN
        RAISE EXCEPTION 'these events are not sealed yet' USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER only_sealed AFTER DELETE ON event_pending REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION only_sealed();

CREATE TRIGGER insert_only BEFORE UPDATE ON event_pending FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON event_pending FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['ledger_leaf', 'ledger_batch', 'ledger_node', 'ledger_checkpoint', 'ledger_key'] LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION insert_only()', t);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION insert_only()', t);
    END LOOP;
END $$;
