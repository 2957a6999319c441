-- The life of a DKIM key: pending -> active -> overlapping -> retired. A domain signs with its active key alone; a new one
-- takes over when every resolver has shown its record for long enough, and the one before it stays published until all
-- that it signed has arrived. Which key signs is no new promise to anybody: the domain is approved by two, its keys change
-- by a logged duty (docs/decisions.md).

ALTER TABLE dkim_key
    ALTER private_ct DROP NOT NULL,
    ADD state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active', 'overlapping', 'retired')),
    ADD begun_by text CHECK (begun_by ~ '^(duty|account:[0-9a-f-]{36})$'), -- who began the rotation to it; NULL: a proposal brought it
    ADD seen_at timestamptz,       -- since when every resolver has shown its record, without a break
    ADD active_at timestamptz,
    ADD overlap_ends timestamptz,  -- until when its record must stay
    ADD ended text CHECK (ended IN ('overlap-over', 'record-never-came', 'by-hand', 'domain-retired'));

UPDATE dkim_key SET state = 'retired', private_ct = NULL, ended = 'by-hand' WHERE retired_at IS NOT NULL;
UPDATE dkim_key SET state = 'active', active_at = created_at WHERE id IN (
    SELECT DISTINCT ON (k.domain_id) k.id FROM dkim_key k
    LEFT JOIN governed g ON g.subject = k.domain_id LEFT JOIN snapshot s ON s.id = g.snapshot_id
    WHERE k.retired_at IS NULL ORDER BY k.domain_id, (s.artefact::jsonb ->> 'selector' = k.selector) DESC NULLS LAST, k.created_at DESC);

ALTER TABLE dkim_key
    -- a retired key can sign nothing any more, whoever reads the database or a backup of it
    ADD CONSTRAINT dkim_key_destroyed CHECK ((state = 'retired') = (private_ct IS NULL)),
    ADD CONSTRAINT dkim_key_ended CHECK ((state = 'retired') = (retired_at IS NOT NULL) AND (state = 'retired') = (ended IS NOT NULL)),
    ADD CONSTRAINT dkim_key_overlaps CHECK ((state = 'overlapping') <= (overlap_ends IS NOT NULL)),
    ADD CONSTRAINT dkim_key_overlapped CHECK (ended IS DISTINCT FROM 'overlap-over' OR retired_at >= overlap_ends);
CREATE UNIQUE INDEX dkim_key_one_active ON dkim_key (domain_id) WHERE state = 'active';
CREATE UNIQUE INDEX dkim_key_one_begun ON dkim_key (domain_id) WHERE state = 'pending' AND begun_by IS NOT NULL;

-- The first key of a domain signs as soon as the domain may send, for which its record must hold; every later one waits.
CREATE FUNCTION dkim_key_comes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = NEW.domain_id AND state = 'active') THEN
        NEW.state := 'pending';
        NEW.active_at := NULL;
    ELSE
        NEW.state := 'active';
        NEW.active_at := NEW.created_at;
    END IF;
    NEW.seen_at := NULL;
    NEW.overlap_ends := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER comes BEFORE INSERT ON dkim_key FOR EACH ROW EXECUTE FUNCTION dkim_key_comes();

-- Legal steps alone; who a key is, and what it showed, never changes.
CREATE FUNCTION dkim_key_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.domain_id, OLD.selector, OLD.created_at)
       IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.domain_id, NEW.selector, NEW.created_at) THEN
        RAISE EXCEPTION 'a key stays the key of its domain and selector' USING ERRCODE = '42501';
    ELSIF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('pending', 'active'), ('active', 'overlapping'),
            ('overlapping', 'retired'), ('pending', 'retired'), ('active', 'retired')) THEN
        RAISE EXCEPTION 'a key that is % does not become %', OLD.state, NEW.state USING ERRCODE = '42501';
    ELSIF NEW.state = 'active' AND OLD.state = 'pending' AND NEW.seen_at IS NULL THEN
        RAISE EXCEPTION 'a key signs when every resolver has shown its record, not before' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step BEFORE UPDATE ON dkim_key FOR EACH ROW EXECUTE FUNCTION dkim_key_step();

-- Each step is in the ledger, whoever takes it.
CREATE FUNCTION dkim_key_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.ledger_entry(ARRAY['sending:dkim:' || NEW.state], ARRAY[NEW.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['begun_by', 'domain', 'ended', 'key', 'public_sha256', 'selector'],
        ARRAY[coalesce(NEW.begun_by, ''), NEW.domain_id::text, coalesce(NEW.ended, ''), NEW.id::text,
              encode(sha256(NEW.public_der), 'hex'), NEW.selector])]);
    RETURN NULL;
END $$;
CREATE TRIGGER begun AFTER INSERT ON dkim_key FOR EACH ROW WHEN (NEW.begun_by IS NOT NULL) EXECUTE FUNCTION dkim_key_entry();
CREATE TRIGGER entry AFTER UPDATE OF state ON dkim_key FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION dkim_key_entry();

-- With dkim_key_one_active: a domain that has an active key keeps exactly one, until it is retired itself.
CREATE FUNCTION dkim_key_succeeded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = OLD.domain_id AND state = 'active')
       AND EXISTS (SELECT FROM troth.governed WHERE subject = OLD.domain_id AND NOT retired) THEN
        RAISE EXCEPTION 'a domain that may send keeps one active key' USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER succeeded AFTER UPDATE ON dkim_key DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state = 'active' AND NEW.state <> 'active') EXECUTE FUNCTION dkim_key_succeeded();

-- ---- a rotation's steps -------------------------------------------------------------------------------------

CREATE FUNCTION dkim_begin(p_domain uuid, p_selector text, p_private bytea, p_public bytea, p_bits integer, p_by text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made uuid := gen_random_uuid();
    whose uuid;
BEGIN
    SELECT g.tenant_id INTO whose FROM troth.governed g WHERE g.subject = p_domain AND g.kind = 'domain' AND NOT g.retired FOR UPDATE;
    IF whose IS NULL THEN
        RAISE EXCEPTION 'this domain is not in service, so its key is not rotated' USING ERRCODE = '22023';
    ELSIF p_selector !~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' THEN
        RAISE EXCEPTION 'a selector is one label of a-z, 0-9 and -' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = p_domain AND state = 'pending' AND begun_by IS NOT NULL) THEN
        RAISE EXCEPTION 'a rotation of this domain is under way: let it end, or stop it first' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = p_domain AND selector = p_selector) THEN
        RAISE EXCEPTION 'this domain had a key under this selector: a selector is used once' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at, begun_by)
    VALUES (made, whose, p_domain, p_selector, p_bits, p_private, p_public, troth.now_v1(), p_by);
    RETURN made;
END $$;

-- A person's: by hand, at any time.
CREATE FUNCTION dkim_rotate_v1(p_domain uuid, p_selector text, p_private bytea, p_public bytea, p_bits integer, p_session bytea)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    whose uuid := (SELECT tenant_id FROM troth.domain_state WHERE domain_id = p_domain);
    who troth.account := troth.allowed(p_session, 'domain:rotate', whose);
BEGIN
    RETURN troth.dkim_begin(p_domain, p_selector, p_private, p_public, p_bits, 'account:' || who.id);
END $$;

-- The duty's: when the active key is as old as the schedule says (30 days at the least). NULL: it is not due.
CREATE FUNCTION dkim_due_v1(p_domain uuid, p_selector text, p_private bytea, p_public bytea, p_bits integer, p_after interval)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = p_domain AND state = 'active'
                   AND active_at <= troth.now_v1() - greatest(p_after, interval '30 days'))
       OR EXISTS (SELECT FROM troth.dkim_key WHERE domain_id = p_domain AND state IN ('pending', 'overlapping')) THEN
        RETURN NULL;
    END IF;
    RETURN troth.dkim_begin(p_domain, p_selector, p_private, p_public, p_bits, 'duty');
END $$;

-- What a look at a waiting key's record found, at every resolver. When it has been there for p_settle without a break, the
-- key takes over in this one statement, and the one before it stays published for p_overlap. Says the key's state then.
CREATE FUNCTION dkim_looked_v1(p_key uuid, p_everywhere boolean, p_settle interval, p_overlap interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    it troth.dkim_key;
    n integer;
BEGIN
    SELECT * INTO it FROM troth.dkim_key WHERE id = p_key FOR UPDATE;
    IF it.state IS DISTINCT FROM 'pending' THEN
        RETURN it.state;
    ELSIF it.begun_by IS NULL AND NOT EXISTS (SELECT FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
            WHERE g.subject = it.domain_id AND NOT g.retired AND s.artefact::jsonb ->> 'selector' = it.selector) THEN
        RETURN 'pending';  -- a proposal brought it, and nobody has approved that
    ELSIF p_everywhere IS NOT TRUE OR p_settle IS NULL THEN -- not known to have been seen is not seen
        UPDATE troth.dkim_key SET seen_at = NULL WHERE id = p_key AND seen_at IS NOT NULL;
        RETURN 'pending';
    ELSIF it.seen_at IS NULL THEN
        UPDATE troth.dkim_key SET seen_at = troth.now_v1() WHERE id = p_key;
        it.seen_at := troth.now_v1();
    END IF;
    -- nobody can have looked in vain for a key of a domain that never sent
    IF it.seen_at > troth.now_v1() - greatest(p_settle, interval '0') AND EXISTS (
            SELECT FROM troth.domain_state d WHERE d.domain_id = it.domain_id AND d.last_good_at IS NOT NULL) THEN
        RETURN 'pending';
    END IF;
    UPDATE troth.dkim_key SET state = 'overlapping', overlap_ends = troth.now_v1() + greatest(p_overlap, interval '7 days')
    WHERE domain_id = it.domain_id AND state = 'active';
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE troth.dkim_key SET state = 'active', active_at = troth.now_v1() WHERE id = p_key;
    RETURN CASE n WHEN 0 THEN 'first' ELSE 'active' END;
END $$;

-- Ends what has had its time: keys whose overlap is over, rotations whose record never came, keys of retired domains. Their
-- private parts are gone for good.
CREATE FUNCTION dkim_end_v1(p_patience interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    at timestamptz := troth.now_v1();
    n integer;
    m integer;
BEGIN
    UPDATE troth.dkim_key k SET state = 'retired', private_ct = NULL, retired_at = at,
        ended = CASE state WHEN 'overlapping' THEN 'overlap-over' ELSE 'record-never-came' END
    WHERE state = 'overlapping' AND overlap_ends <= at
       OR state = 'pending' AND seen_at IS NULL AND created_at <= at - greatest(p_patience, interval '1 day')
          AND (begun_by IS NOT NULL OR EXISTS (SELECT FROM troth.governed g WHERE g.subject = k.domain_id));
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE troth.dkim_key k SET state = 'retired', private_ct = NULL, retired_at = at, ended = 'domain-retired'
    WHERE state IN ('pending', 'active', 'overlapping')
      AND EXISTS (SELECT FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id WHERE g.subject = k.domain_id
                  AND g.retired AND s.approved_at <= at - interval '7 days');
    GET DIAGNOSTICS m = ROW_COUNT;
    RETURN n + m;
END $$;

-- A rotation is stopped by hand: the new key goes, the one in force stays.
CREATE FUNCTION dkim_stop_v1(p_domain uuid, p_session bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    whose uuid := (SELECT tenant_id FROM troth.domain_state WHERE domain_id = p_domain);
    who troth.account := troth.allowed(p_session, 'domain:rotate', whose);
    stopped uuid;
BEGIN
    UPDATE troth.dkim_key SET state = 'retired', private_ct = NULL, retired_at = troth.now_v1(), ended = 'by-hand'
    WHERE domain_id = p_domain AND state = 'pending' AND begun_by IS NOT NULL RETURNING id INTO stopped;
    IF stopped IS NULL THEN
        RETURN false;
    END IF;
    -- the key's own entry says who began it
    PERFORM troth.ledger_entry(ARRAY['sending:dkim:stopped'], ARRAY[whose], ARRAY[troth.leaf_json(
        ARRAY['by', 'domain', 'key'], ARRAY[who.human_id::text, p_domain::text, stopped::text])]);
    RETURN true;
END $$;

-- ---- what several resolvers saw -----------------------------------------------------------------------------

ALTER TABLE domain_state
    ADD views jsonb NOT NULL DEFAULT '[]',              -- one a resolver of the last look: who, what it saw, how long it keeps it
    ADD look_asked_at timestamptz,                      -- somebody pressed "check now"
    ADD path_until timestamptz NOT NULL DEFAULT 'epoch', -- bounce.<name> may be its return path until then
    ADD broken_at timestamptz;                          -- since when it does not hold, having held; NULL: it holds, or never did

-- A person asks for a look now: it is made by the duties within seconds. One in 20 seconds for each domain.
CREATE FUNCTION domain_look_v1(p_domain uuid, p_session bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    it troth.domain_state;
BEGIN
    SELECT * INTO it FROM troth.domain_state WHERE domain_id = p_domain FOR UPDATE;
    PERFORM troth.allowed(p_session, 'domain:look', it.tenant_id);
    IF it.look_asked_at > troth.now_v1() - interval '20 seconds' OR it.checked_at > troth.now_v1() - interval '5 seconds' THEN
        RETURN false;
    END IF;
    UPDATE troth.domain_state SET look_asked_at = troth.now_v1() WHERE domain_id = p_domain;
    RETURN true;
END $$;

-- Those who may propose a domain for its client are told by mail that it stopped; once for each case.
CREATE FUNCTION domain_tell_v1(p_domain uuid, p_case uuid, p_what text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    it troth.domain_state;
    who troth.account;
    n integer := 0;
BEGIN
    SELECT * INTO it FROM troth.domain_state WHERE domain_id = p_domain;
    FOR who IN SELECT a.* FROM troth.account a WHERE (a.tenant_id IS NULL OR a.tenant_id = it.tenant_id)
               AND a.disabled_at IS NULL ORDER BY a.id LIMIT 500 LOOP
        IF (troth.cell_of(who, 'domain:propose', it.tenant_id)).action IS NOT NULL THEN
            PERFORM troth.access_tell(who.id, 'domain-stopped', p_case::text, jsonb_build_object(
                'domain', p_domain, 'client', it.name, 'what', left(p_what, 600)));
            n := n + 1;
        END IF;
    END LOOP;
    RETURN n;
END $$;
