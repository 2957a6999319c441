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

-- ---- what holds whoever writes ------------------------------------------------------------------------------

-- Leaves come one after the other, each from the line; a batch's own leaf comes with the batch (sealed_batch).
CREATE FUNCTION leaf_in_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT log_id, min(index) AS low, max(index) AS high, count(*) AS n FROM fresh GROUP BY 1) AS f
        WHERE f.high - f.low + 1 <> f.n
           OR f.low <> coalesce((SELECT max(l.index) + 1 FROM troth.ledger_leaf l
                                 WHERE l.log_id = f.log_id AND l.index < f.low), 0)) THEN
        RAISE EXCEPTION 'a leaf comes right after the one before it' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (SELECT FROM fresh f WHERE f.kind <> 'evidence:batch:seal' AND NOT EXISTS (
            SELECT FROM troth.ledger_pending p WHERE p.log_id = f.log_id AND p.leaf_hash = f.leaf_hash)) THEN
        RAISE EXCEPTION 'a leaf is what waited in the line' USING ERRCODE = '42501';
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
              AND position(g.hashes IN b.hashes) > 0)) THEN
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
