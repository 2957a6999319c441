-- Single sign-on per client firm. What is in force is a snapshot of kind `sign-on`, approved like every other; here are the
-- domains that it binds, each round trip to a provider (once), and the people who arrived without access.

-- A domain that a client has shown to be its own by a TXT record of the DNS, and when that was seen.
CREATE TABLE sign_on_proof (
    tenant_id uuid NOT NULL REFERENCES tenant,
    domain    text NOT NULL,
    seen_at   timestamptz NOT NULL,
    seen_by   uuid NOT NULL REFERENCES account,
    PRIMARY KEY (tenant_id, domain)
);

-- A domain's people sign on with one client's provider. Moved by approve_v1 alone (apply_sign_on).
CREATE TABLE sign_on_domain (
    domain    text PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant
);
CREATE INDEX sign_on_domain_tenant ON sign_on_domain (tenant_id);

-- A round trip: begun by one browser, answered once, within ten minutes. Only hashes of what the browser holds are kept.
CREATE TABLE sign_on_attempt (
    state_hash   bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    tenant_id    uuid NOT NULL REFERENCES tenant,
    snapshot_id  uuid NOT NULL REFERENCES snapshot,
    next_path    text NOT NULL CHECK (length(next_path) <= 2000),
    began_at     timestamptz NOT NULL,
    answered_at  timestamptz,
    ticket_hash  bytea UNIQUE CHECK (octet_length(ticket_hash) = 32),
    outcome_ct   bytea CHECK (get_byte(outcome_ct, 0) = 1), -- under the tenant's keyset, until its browser collects it
    collected_at timestamptz,
    CHECK (answered_at IS NOT NULL OR ticket_hash IS NULL),
    CHECK ((ticket_hash IS NULL) = (outcome_ct IS NULL) OR collected_at IS NOT NULL)
);
CREATE INDEX sign_on_attempt_began ON sign_on_attempt (began_at);

-- Somebody whom a firm's provider vouched for and who has no access. An administrator makes a grant of it, or forgets it.
CREATE TABLE arrival (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL REFERENCES tenant,
    address_index bytea NOT NULL CHECK (octet_length(address_index) = 32),
    name_ct       bytea NOT NULL CHECK (get_byte(name_ct, 0) = 1),    -- under the tenant's keyset
    address_ct    bytea NOT NULL CHECK (get_byte(address_ct, 0) = 1),
    first_at      timestamptz NOT NULL,
    last_at       timestamptz NOT NULL,
    UNIQUE (tenant_id, address_index)
);

-- The version in force for a client, or for a domain: nothing for a client that is closed, a version that was stopped or
-- a connection that was taken back. Nobody has signed in yet, so row-level security cannot go by the client.
CREATE FUNCTION sign_on_of_tenant_v1(p_tenant uuid)
RETURNS TABLE (tenant_id uuid, name text, keyset bytea, snapshot_id uuid, artefact text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT t.id, t.name, t.keyset, s.id, s.artefact
    FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id JOIN troth.tenant t ON t.id = g.tenant_id
    WHERE g.kind = 'sign-on' AND g.tenant_id = p_tenant AND NOT g.retired AND t.state = 1
      AND NOT EXISTS (SELECT FROM troth.revocation r WHERE r.snapshot_id = s.id)
$$;

CREATE FUNCTION sign_on_of_domain_v1(p_domain text)
RETURNS TABLE (tenant_id uuid, name text, keyset bytea, snapshot_id uuid, artefact text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.* FROM troth.sign_on_domain d, LATERAL troth.sign_on_of_tenant_v1(d.tenant_id) AS c WHERE d.domain = p_domain
$$;

CREATE FUNCTION sign_on_begin_v1(p_state_hash bytea, p_browser_hash bytea, p_tenant uuid, p_snapshot uuid, p_next text)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    DELETE FROM troth.sign_on_attempt WHERE began_at < troth.now_v1() - interval '1 day';
    INSERT INTO troth.sign_on_attempt (state_hash, browser_hash, tenant_id, snapshot_id, next_path, began_at)
    SELECT p_state_hash, p_browser_hash, c.tenant_id, c.snapshot_id, p_next, troth.now_v1()
    FROM troth.sign_on_of_tenant_v1(p_tenant) AS c WHERE c.snapshot_id = p_snapshot;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this sign-on is not in force any more' USING ERRCODE = '55000';
    END IF;
    RETURN troth.now_v1();
END $$;

-- Whether an answer is waited for.
CREATE FUNCTION sign_on_open_v1(p_state_hash bytea, p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM troth.sign_on_attempt a WHERE a.state_hash = p_state_hash AND a.tenant_id = p_tenant
                   AND a.answered_at IS NULL AND a.began_at > troth.now_v1() - interval '10 minutes')
$$;

-- The one answer that an attempt has. No row: it was answered, is too old, is another client's, or its version has been
-- replaced since. `p_browser` NULL: the answer came without the browser's cookie (SAML's POST from another site), which
-- sign_on_collect_v1 asks for.
CREATE FUNCTION sign_on_answer_v1(p_state_hash bytea, p_tenant uuid, p_browser_hash bytea)
RETURNS TABLE (next_path text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.sign_on_attempt a SET answered_at = troth.now_v1()
    FROM troth.sign_on_of_tenant_v1(p_tenant) AS c
    WHERE a.state_hash = p_state_hash AND a.answered_at IS NULL AND a.began_at > troth.now_v1() - interval '10 minutes'
      AND a.tenant_id = c.tenant_id AND a.snapshot_id = c.snapshot_id
      AND (p_browser_hash IS NULL OR a.browser_hash = p_browser_hash)
    RETURNING a.next_path
$$;

-- What an answer came to, for the browser that began.
CREATE FUNCTION sign_on_keep_v1(p_state_hash bytea, p_tenant uuid, p_ticket_hash bytea, p_outcome_ct bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    UPDATE troth.sign_on_attempt SET ticket_hash = p_ticket_hash, outcome_ct = p_outcome_ct
    WHERE state_hash = p_state_hash AND tenant_id = p_tenant AND answered_at IS NOT NULL AND ticket_hash IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this attempt has no answer to keep' USING ERRCODE = '55000';
    END IF;
END $$;

CREATE FUNCTION sign_on_collect_v1(p_ticket_hash bytea, p_tenant uuid, p_browser_hash bytea)
RETURNS TABLE (next_path text, outcome_ct bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH found AS (
        SELECT a.state_hash, a.next_path, a.outcome_ct FROM troth.sign_on_attempt a
        JOIN troth.sign_on_of_tenant_v1(p_tenant) AS c ON c.tenant_id = a.tenant_id AND c.snapshot_id = a.snapshot_id
        WHERE a.ticket_hash = p_ticket_hash AND a.browser_hash = p_browser_hash AND a.collected_at IS NULL
          AND a.answered_at > troth.now_v1() - interval '2 minutes' FOR UPDATE OF a),
    gone AS (
        UPDATE troth.sign_on_attempt a SET collected_at = troth.now_v1(), outcome_ct = NULL
        FROM found f WHERE a.state_hash = f.state_hash RETURNING 1)
    SELECT f.next_path, f.outcome_ct FROM found f, gone
$$;

-- The account with one of these indexes (an address's, in each layer) in this client, and in no other.
CREATE FUNCTION sign_on_account_v1(p_tenant uuid, p_indexes bytea[]) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.id FROM troth.account a JOIN troth.tenant t ON t.id = a.tenant_id
    WHERE a.tenant_id = p_tenant AND a.address_index = ANY(p_indexes) AND a.disabled_at IS NULL AND t.state = 1
    ORDER BY array_position(p_indexes, a.address_index) LIMIT 1
$$;

-- Somebody came who has no access; at most 500 a client wait. Gives whether they are on the list now.
CREATE FUNCTION arrival_v1(p_id uuid, p_tenant uuid, p_index bytea, p_name_ct bytea, p_address_ct bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    UPDATE troth.arrival SET last_at = troth.now_v1() WHERE tenant_id = p_tenant AND address_index = p_index;
    IF FOUND THEN
        RETURN true;
    ELSIF (SELECT count(*) FROM troth.arrival WHERE tenant_id = p_tenant) >= 500
          OR NOT EXISTS (SELECT FROM troth.sign_on_of_tenant_v1(p_tenant)) THEN
        RETURN false;
    END IF;
    INSERT INTO troth.arrival (id, tenant_id, address_index, name_ct, address_ct, first_at, last_at)
    VALUES (p_id, p_tenant, p_index, p_name_ct, p_address_ct, troth.now_v1(), troth.now_v1())
    ON CONFLICT (tenant_id, address_index) DO UPDATE SET last_at = EXCLUDED.last_at;
    RETURN true;
END $$;

-- An administrator takes somebody off the list; they are on it again when they come again. Gives whether they were on it.
CREATE FUNCTION arrival_forget_v1(p_secret bytea, p_tenant uuid, p_arrival uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who troth.account := troth.allowed(p_secret, 'grant:propose', p_tenant);
BEGIN
    DELETE FROM troth.arrival WHERE id = p_arrival AND tenant_id = p_tenant;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM troth.ledger_entry(ARRAY['people:arrival:forget'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['arrival', 'by'], ARRAY[p_arrival::text, who.human_id::text])]);
    RETURN true;
END $$;

-- Whoever has access does not wait for it.
CREATE FUNCTION arrival_over() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    DELETE FROM troth.arrival WHERE tenant_id = NEW.tenant_id AND address_index = NEW.address_index;
    RETURN NULL;
END $$;
CREATE TRIGGER arrival_over AFTER INSERT OR UPDATE OF address_index, disabled_at ON account
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL AND NEW.disabled_at IS NULL) EXECUTE FUNCTION arrival_over();

-- The pages saw the record in the DNS, asked by somebody who may propose.
CREATE FUNCTION sign_on_prove_v1(p_secret bytea, p_tenant uuid, p_domain text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who troth.account := troth.allowed(p_secret, 'sign-on:propose', p_tenant);
BEGIN
    INSERT INTO troth.sign_on_proof (tenant_id, domain, seen_at, seen_by) VALUES (p_tenant, p_domain, troth.now_v1(), who.id)
    ON CONFLICT (tenant_id, domain) DO UPDATE SET seen_at = EXCLUDED.seen_at, seen_by = EXCLUDED.seen_by;
    PERFORM troth.ledger_entry(ARRAY['people:sign-on-domain:prove'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['by', 'domain'], ARRAY[who.human_id::text, p_domain])]);
END $$;

-- Whether a client has shown that a domain is its own: by a TXT record in the last 30 days, or because it is one of its
-- sending domains, whose DNS is in order now.
CREATE FUNCTION sign_on_proved(p_tenant uuid, p_domain text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM troth.sign_on_proof p WHERE p.tenant_id = p_tenant AND p.domain = p_domain
                   AND p.seen_at > troth.now_v1() - interval '30 days')
        OR EXISTS (SELECT FROM troth.governed g JOIN troth.domain_state d ON d.domain_id = g.subject
                   WHERE g.kind = 'domain' AND g.tenant_id = p_tenant AND g.code = p_domain AND NOT g.retired
                     AND d.ready_until > troth.now_v1())
$$;

-- For the pages and the check of a proposal: of these domains, which are proved, and which are another client's.
CREATE FUNCTION sign_on_domains_v1(p_tenant uuid, p_domains text[])
RETURNS TABLE (domain text, proved boolean, taken boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT d, troth.sign_on_proved(p_tenant, d),
           EXISTS (SELECT FROM troth.sign_on_domain o WHERE o.domain = d AND o.tenant_id <> p_tenant)
    FROM unnest(p_domains) AS d
$$;

-- Whether this account may sign in with its firm's provider alone: its client enforces it, and it is not the one spare.
CREATE FUNCTION sign_on_enforced_v1(p_account uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM troth.account a, LATERAL troth.sign_on_of_tenant_v1(a.tenant_id) AS c
                   WHERE a.id = p_account AND coalesce((c.artefact::jsonb ->> 'enforced')::boolean, false)
                     AND (c.artefact::jsonb ->> 'spare') IS DISTINCT FROM a.id::text)
$$;

-- Somebody was not let in; there is no account to name, but the client's record tells of it.
CREATE FUNCTION sign_on_refused_v1(p_tenant uuid, p_why text, p_place bytea, p_detail_ct bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT troth.access_entry('sign-on-refused', p_tenant, NULL, NULL, p_why, p_place, p_detail_ct)
      WHERE EXISTS (SELECT FROM troth.tenant WHERE id = p_tenant) $$;

-- What an approved connection does: it binds its domains, each to one client, and only those that are proved.
CREATE FUNCTION apply_sign_on(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    wanted text[] := ARRAY(SELECT jsonb_array_elements_text(a -> 'domains'));
    odd text;
BEGIN
    DELETE FROM troth.sign_on_domain WHERE tenant_id = c.tenant_id;
    IF coalesce((a ->> 'retired')::boolean, false) THEN
        RETURN;
    END IF;
    SELECT d.domain INTO odd FROM troth.sign_on_domains_v1(c.tenant_id, wanted) AS d WHERE d.taken OR NOT d.proved LIMIT 1;
    IF odd IS NOT NULL THEN
        RAISE EXCEPTION 'the domain % is not shown to be this client''s own, or is bound to another', odd
            USING ERRCODE = '55000';
    END IF;
    INSERT INTO troth.sign_on_domain (domain, tenant_id) SELECT DISTINCT d, c.tenant_id FROM unnest(wanted) AS d;
    -- from now on the provider alone opens sessions: those that a password opened end
    IF coalesce((a ->> 'enforced')::boolean, false) THEN
        PERFORM troth.session_end(s.id, 'access ended')
        FROM troth.session s JOIN troth.account m ON m.id = s.account_id
        WHERE m.tenant_id = c.tenant_id AND s.kind = 'page' AND s.ended_at IS NULL AND NOT 'sign-on' = ANY(s.methods)
          AND (a ->> 'spare') IS DISTINCT FROM m.id::text;
    END IF;
END $$;
