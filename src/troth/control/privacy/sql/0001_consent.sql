-- The consent ledger: what a recipient agreed to, what follows from a relationship, and what was taken back; insert-only,
-- one entry of the ledger a call. What somebody agreed to stays as it was said: the wording shown, how and from where are
-- sealed under the person's key, so that an erasure takes them along.

CREATE TABLE consent (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenant,
    person_id   uuid NOT NULL REFERENCES person,
    category_id uuid REFERENCES governed (subject),                -- NULL: all of this client's categories
    kind        smallint NOT NULL CHECK (kind IN (1, 2, 3)),       -- 1 express, 2 implied, 3 withdrawn
    basis       text NOT NULL CHECK (basis ~ '^[a-z][a-z0-9-]{1,40}$'),
    at          timestamptz NOT NULL,
    expires_at  timestamptz,
    detail_ct   bytea CHECK (get_byte(detail_ct, 0) = 2),          -- under the person's key; NULL: a withdrawal, or erased then
    CHECK (expires_at > at),
    CONSTRAINT consent_has_its_wording CHECK (kind = 3 OR detail_ct IS NOT NULL),
                                                                   -- consent without its wording is none
    CHECK (kind <> 3 OR expires_at IS NULL),                       -- a withdrawal does not run out
    -- implied consent runs out (CASL section 10(10) to (13)): two years of a business relationship, six months of an inquiry
    CHECK (kind <> 2 OR basis IN ('existing-business', 'existing-non-business', 'inquiry')),
    CHECK (kind <> 2 OR (expires_at IS NOT NULL AND expires_at AT TIME ZONE 'UTC' <= at AT TIME ZONE 'UTC'
           + CASE basis WHEN 'inquiry' THEN interval '6 months' ELSE interval '2 years' END))
);
CREATE INDEX consent_person ON consent (tenant_id, person_id, at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON consent FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consent FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Whatever changes what a person of one client wants waits here for whoever was first, until that one's transaction is
-- over, and then sees what came of it: the last one counts, and nothing else decides it. Several are taken in one order. Who
-- locks a message, too, locks that first. Granted to nobody.
CREATE FUNCTION one_wish_at_a_time(p_tenant uuid, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended(p_tenant::text || encode(i, 'hex'), 0) AS k FROM unnest(p_indexes) AS u(i) ORDER BY 1) AS w;
END $$;

-- Records consent or its withdrawal, of people of one client; arrays side by side. `p_at` NULL: now; consent given on
-- paper may be older, never newer. A person or category of another client is refused. Ids are UUIDv7 of the caller,
-- since the detail is sealed to its place (keys/places.consent). Answers how many are new: a known id is left as it was.
CREATE FUNCTION consent_v1(p_tenant uuid, p_ids uuid[], p_persons uuid[], p_categories uuid[], p_kinds smallint[],
                           p_bases text[], p_at timestamptz[], p_expires timestamptz[], p_details bytea[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz;
    own uuid := nullif(current_setting('troth.tenant', true), '')::uuid;
    made integer;
BEGIN
    IF own IS NOT NULL AND own <> p_tenant THEN
        RAISE EXCEPTION 'consent is recorded where the caller works' USING ERRCODE = '42501';
    ELSIF EXISTS (SELECT FROM unnest(p_persons) AS u(p)
                  WHERE NOT EXISTS (SELECT FROM troth.person q WHERE q.id = p AND q.tenant_id = p_tenant)) THEN
        RAISE EXCEPTION 'there is no such recipient of this client' USING ERRCODE = '42501';
    ELSIF EXISTS (SELECT FROM unnest(p_categories) AS u(c) WHERE c IS NOT NULL AND NOT EXISTS (
                  SELECT FROM troth.governed g WHERE g.subject = c AND g.kind = 'category' AND g.tenant_id = p_tenant)) THEN
        RAISE EXCEPTION 'there is no such category of this client' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.one_wish_at_a_time(p_tenant, ARRAY(
        SELECT coalesce(q.blind_index, uuid_send(q.id)) FROM troth.person q WHERE q.id = ANY (p_persons)));
    now := troth.now_v1(); -- of whoever waited: after the one that was waited for
    IF EXISTS (SELECT FROM unnest(p_at) AS u(a) WHERE a > now) THEN
        RAISE EXCEPTION 'consent was not given in the future' USING ERRCODE = '22023';
    END IF;
    WITH given AS (
        -- a clock that was set back makes no withdrawal void: it is not older than what it takes back
        SELECT i, p, c, k, b, coalesce(a, CASE WHEN k = 3 THEN greatest(now, (
                   SELECT max(q.at) FROM troth.consent q WHERE q.tenant_id = p_tenant AND q.person_id = p)) ELSE now END) AS a, e, d
        FROM unnest(p_ids, p_persons, p_categories, p_kinds, p_bases, p_at, p_expires, p_details)
             AS u(i, p, c, k, b, a, e, d)),
    entry AS (
        INSERT INTO troth.consent (id, tenant_id, person_id, category_id, kind, basis, at, expires_at, detail_ct)
        SELECT i, p_tenant, p, c, k, b, a, e, d FROM given ORDER BY i
        ON CONFLICT (id) DO NOTHING RETURNING *),
    said AS (
        SELECT count(*)::integer AS n, min(kind) AS first, max(kind) AS last, min(id::text) AS id,
               encode(sha256(convert_to(string_agg(concat_ws('|', id, person_id, coalesce(category_id::text, ''), kind, basis,
                   (extract(epoch FROM at) * 1000000)::bigint,
                   coalesce(((extract(epoch FROM expires_at) * 1000000)::bigint)::text, ''),
                   encode(sha256(coalesce(detail_ct, ''::bytea)), 'hex')), E'\n' ORDER BY id), 'UTF8')), 'hex') AS digest
        FROM entry HAVING count(*) > 0),
    told AS (
        SELECT troth.ledger_entry(
            ARRAY[CASE WHEN first = 3 THEN 'privacy:consent:withdraw' ELSE 'privacy:consent:record' END], ARRAY[p_tenant],
            ARRAY[troth.leaf_json(ARRAY['consent', 'count', 'digest'], ARRAY[id, n::text, digest])])
        FROM said)
    SELECT coalesce((SELECT n FROM said, told), 0) INTO made;
    RETURN made;
END $$;

-- What the ledger comes to for a person and a category at a moment: 'held', 'withdrawn' or 'none' (run out, or never given).
-- The rule is rules/consent.py's; the mark asks here, of what was accepted on consent.
CREATE FUNCTION consent_stands_v1(p_tenant uuid, p_person uuid, p_category uuid, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH told AS MATERIALIZED (
        SELECT c.category_id, c.kind, c.at, c.expires_at FROM troth.consent c
        WHERE c.tenant_id = p_tenant AND c.person_id = p_person AND (c.category_id IS NULL OR c.category_id = p_category))
    SELECT CASE
        WHEN EXISTS (SELECT FROM told g WHERE g.kind IN (1, 2) AND g.at <= p_at AND coalesce(g.expires_at > p_at, true)
                     AND NOT EXISTS (SELECT FROM told w WHERE w.kind = 3 AND (g.kind = 2 OR w.at >= g.at
                                     OR w.category_id IS NOT NULL AND g.category_id IS NULL))) THEN 'held'
        WHEN EXISTS (SELECT FROM told w WHERE w.kind = 3) THEN 'withdrawn'
        ELSE 'none' END
$$;

-- The way back from an opt-out of one category, by the recipient's own hand alone. Both tables are insert-only; whichever
-- is newer counts, and an opt-out counts when they are of one moment.
CREATE TABLE opt_in (
    tenant_id   uuid NOT NULL REFERENCES tenant,
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    category_id uuid NOT NULL,
    source      text NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, blind_index, category_id, created_at)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON opt_in FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON opt_in FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
ALTER TABLE opt_out DROP CONSTRAINT opt_out_pkey, ADD PRIMARY KEY (tenant_id, blind_index, category_id, created_at);

CREATE FUNCTION opted_out(p_tenant uuid, p_index bytea, p_category uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM troth.opt_out o WHERE o.tenant_id = p_tenant AND o.blind_index = p_index AND o.category_id = p_category
        AND NOT EXISTS (SELECT FROM troth.opt_in i WHERE i.tenant_id = o.tenant_id AND i.blind_index = o.blind_index
                        AND i.category_id = o.category_id AND i.created_at > o.created_at))
$$;

-- A clock that was set back makes neither of them void: each is later than the other's newest.
CREATE FUNCTION opt_out_v1(p_tenant uuid, p_index bytea, p_category uuid, p_source text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.one_wish_at_a_time(p_tenant, ARRAY[p_index]);
    INSERT INTO troth.opt_out (tenant_id, blind_index, category_id, source, created_at)
    SELECT p_tenant, p_index, p_category, p_source, greatest(troth.now_v1(), (
        SELECT max(i.created_at) FROM troth.opt_in i
        WHERE i.tenant_id = p_tenant AND i.blind_index = p_index AND i.category_id = p_category))
    WHERE NOT troth.opted_out(p_tenant, p_index, p_category)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

CREATE FUNCTION opt_in_v1(p_tenant uuid, p_index bytea, p_category uuid, p_source text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.one_wish_at_a_time(p_tenant, ARRAY[p_index]);
    INSERT INTO troth.opt_in (tenant_id, blind_index, category_id, source, created_at)
    SELECT p_tenant, p_index, p_category, p_source, greatest(troth.now_v1(), (
        SELECT max(o.created_at) + interval '1 microsecond' FROM troth.opt_out o
        WHERE o.tenant_id = p_tenant AND o.blind_index = p_index AND o.category_id = p_category))
    WHERE troth.opted_out(p_tenant, p_index, p_category)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;
