-- What comes of the desks' cases: whose mail it was about where a person had to find that out, that confirmed abuse stops
-- the account in the same transaction, who is thanked in public, and what whoever handles a case is shown.

-- ---- abuse: whose mail it was, and that confirmed abuse stops it -----------------------------------------------

-- Where no token told it: the client that a person found a case to be about.
CREATE TABLE case_client (
    case_id    uuid PRIMARY KEY REFERENCES case_file,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    found_by   uuid NOT NULL REFERENCES account,
    found_at   timestamptz NOT NULL
);
CREATE FUNCTION case_client_v1(p_case uuid, p_tenant uuid, p_entry uuid, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
    who troth.account := troth.session_account(p_session);
BEGIN
    IF c.tenant_id IS NOT NULL THEN
        RAISE EXCEPTION 'the message itself says whose mail it is' USING ERRCODE = '55000';
    ELSIF c.kind <> 'abuse' THEN
        RAISE EXCEPTION 'only a report of abuse is about a client’s mail' USING ERRCODE = '22023';
    ELSIF c.state NOT IN ('open', 'acknowledged') OR c.outcome IS NOT NULL THEN
        RAISE EXCEPTION '% is %: reopen it first', c.reference, c.state USING ERRCODE = '55000';
    ELSIF NOT EXISTS (SELECT FROM troth.tenant t WHERE t.id = p_tenant AND t.kind = 1) THEN
        RAISE EXCEPTION 'choose a client' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.case_client AS k (case_id, tenant_id, found_by, found_at) VALUES (c.id, p_tenant, who.id, troth.now_v1())
    ON CONFLICT (case_id) DO UPDATE SET tenant_id = EXCLUDED.tenant_id, found_by = EXCLUDED.found_by, found_at = EXCLUDED.found_at;
    PERFORM troth.case_enter(c, p_entry, who, 'client', p_tenant::text, NULL, NULL);
END $$;

-- Whether a level of what rules a client says that confirmed abuse stops it: one is enough. A promise of before there
-- was such a switch says that it does (rules/earlier.py).
CREATE FUNCTION abuse_suspends(p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(bool_or(coalesce((d.promise::jsonb -> 'cases' ->> 'abuse_suspends')::boolean, true)
        OR coalesce((d.operator::jsonb -> 'cases' ->> 'abuse_suspends')::boolean, false)
        OR coalesce((d.client::jsonb -> 'cases' ->> 'abuse_suspends')::boolean, false)), true)
    FROM troth.desk_policies_v1(p_tenant, NULL) AS d
$$;

-- However it comes to be confirmed: the same transaction stops the account. Two people lift it, as every stop.
CREATE FUNCTION abuse_confirmed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    whose uuid := coalesce(NEW.tenant_id, (SELECT k.tenant_id FROM troth.case_client k WHERE k.case_id = NEW.id));
    told text := 'Abuse was confirmed: ' || NEW.reference;
BEGIN
    IF whose IS NULL THEN
        RAISE EXCEPTION 'say first which client’s mail it was' USING ERRCODE = '55000';
    ELSIF troth.abuse_suspends(whose) AND NOT EXISTS (
        SELECT FROM troth.pause p WHERE p.tenant_id = whose AND p.started_by = 'abuse' AND p.reason = told
        AND p.category_id IS NULL AND p.effect = 'stop-delivery' AND p.released_at IS NULL) THEN
        PERFORM troth.pause_v1(ARRAY[whose], 'stop-delivery', told, 'abuse');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER abuse_confirmed AFTER UPDATE ON case_file FOR EACH ROW
    WHEN (NEW.kind = 'abuse' AND NEW.outcome = 'confirmed' AND OLD.outcome IS DISTINCT FROM NEW.outcome)
    EXECUTE FUNCTION abuse_confirmed();

-- A recipient's report from their own page is answered when its case is: what came of it stands there.
CREATE FUNCTION abuse_report_answered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file;
BEGIN
    SELECT * INTO c FROM troth.case_file f WHERE f.id = NEW.case_id;
    IF c.kind = 'abuse' AND c.cause = 'report' THEN
        UPDATE troth.abuse_report SET closed_at = troth.now_v1(), closed_by = NEW.by_account
        WHERE message_id = c.message_id AND closed_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER abuse_report_answered AFTER INSERT ON case_entry FOR EACH ROW
    WHEN (NEW.kind = 'resolve' AND NEW.by_account IS NOT NULL) EXECUTE FUNCTION abuse_report_answered();

-- ---- disclosure: thanks in public ------------------------------------------------------------------------------

-- Consent to be named, with the name sealed (keys/places.case_credit) until it is published; withdrawn at any time.
CREATE TABLE disclosure_credit (
    case_id      uuid PRIMARY KEY REFERENCES case_file,
    name_ct      bytea NOT NULL CHECK (get_byte(name_ct, 0) = 1),
    consented_at timestamptz NOT NULL,
    name         text CHECK (btrim(name) <> '' AND length(name) <= 100),
    what         text CHECK (length(what) <= 200),
    published_at timestamptz,
    published_by uuid REFERENCES account,
    withdrawn_at timestamptz,
    CHECK ((published_at IS NULL) = (name IS NULL) AND (published_at IS NULL) = (published_by IS NULL))
);
CREATE INDEX disclosure_credit_shown ON disclosure_credit (published_at) WHERE published_at IS NOT NULL AND withdrawn_at IS NULL;

-- With the form itself, in the same breath: whoever reports says that they would like to be named, and how.
CREATE FUNCTION disclosure_consent_v1(p_case uuid, p_name bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file;
BEGIN
    SELECT * INTO c FROM troth.case_file f WHERE f.id = p_case AND f.kind = 'disclosure' AND f.cause = 'form' AND f.state = 'open'
        AND f.opened_at > troth.now_v1() - interval '1 minute';
    INSERT INTO troth.disclosure_credit (case_id, name_ct, consented_at)
    SELECT c.id, p_name, troth.now_v1() WHERE c.id IS NOT NULL ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'consent comes with the report, or a person writes down where it was given' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.case_enter(c, troth.uuid7_now(), NULL::troth.account, 'credit-consent', '', NULL, p_name);
END $$;

-- Or said later, in a letter or on the telephone: a person writes down where.
CREATE FUNCTION disclosure_consented_v1(p_case uuid, p_name bytea, p_entry uuid, p_words bytea, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
    who troth.account := troth.session_account(p_session);
BEGIN
    IF c.kind <> 'disclosure' OR p_name IS NULL OR p_words IS NULL THEN
        RAISE EXCEPTION 'say under which name, and where the reporter said so' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.disclosure_credit AS d (case_id, name_ct, consented_at) VALUES (c.id, p_name, troth.now_v1())
    ON CONFLICT (case_id) DO UPDATE SET name_ct = EXCLUDED.name_ct, consented_at = EXCLUDED.consented_at, withdrawn_at = NULL,
        name = NULL, what = NULL, published_at = NULL, published_by = NULL;
    PERFORM troth.case_enter(c, p_entry, who, 'credit-consent', '', p_words, p_name);
END $$;

-- The ledger has the digest of what is shown.
CREATE FUNCTION disclosure_publish_v1(p_case uuid, p_name text, p_what text, p_entry uuid, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
    who troth.account := troth.session_account(p_session);
BEGIN
    IF c.outcome IS DISTINCT FROM 'fixed' THEN
        RAISE EXCEPTION 'nobody is named before the weakness is mended' USING ERRCODE = '55000';
    END IF;
    UPDATE troth.disclosure_credit SET name = p_name, what = p_what, published_at = troth.now_v1(), published_by = who.id
    WHERE case_id = c.id AND withdrawn_at IS NULL AND published_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'without the reporter’s consent nobody is named, and each is named once' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.case_enter(c, p_entry, who, 'credit', '', NULL, convert_to(p_name || E'\n' || coalesce(p_what, ''), 'UTF8'));
END $$;
CREATE FUNCTION disclosure_unname_v1(p_case uuid, p_entry uuid, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
BEGIN
    UPDATE troth.disclosure_credit SET withdrawn_at = troth.now_v1(), name = NULL, what = NULL, published_at = NULL, published_by = NULL
    WHERE case_id = c.id AND withdrawn_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody is named for it' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.case_enter(c, p_entry, troth.session_account(p_session), 'credit-end', '', NULL, NULL);
END $$;
CREATE FUNCTION disclosure_thanks_v1(p_most integer) RETURNS TABLE (name text, what text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT d.name, coalesce(d.what, ''), d.published_at FROM troth.disclosure_credit d
    WHERE d.published_at IS NOT NULL AND d.withdrawn_at IS NULL ORDER BY d.published_at DESC LIMIT p_most
$$;

-- ---- for whoever handles a case --------------------------------------------------------------------------------

-- What the desks know of a case beside the case itself; sealed things for whoever may read it.
CREATE FUNCTION case_desk_v1(p_case uuid, p_session bytea)
RETURNS TABLE (tenant_id uuid, client text, found boolean, suspends boolean, stopped_at timestamptz, address_ct bytea,
               confirmed_at timestamptz, confirmed_how text, quiet_at timestamptz, received text, name_ct bytea,
               consented_at timestamptz, published_at timestamptz, withdrawn_at timestamptz, report uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'read', p_session);
BEGIN
    RETURN QUERY
    SELECT t.id, t.name, c.tenant_id IS NULL, troth.abuse_suspends(t.id),
           (SELECT max(s.started_at) FROM troth.pause s WHERE s.tenant_id = t.id AND s.released_at IS NULL AND s.category_id IS NULL),
           r.address_ct, r.confirmed_at, r.confirmed_how, r.stopped_at,
           CASE WHEN l.id IS NULL THEN '' WHEN l.done_at IS NULL THEN 'queued' ELSE coalesce(l.why, 'mailed') END,
           d.name_ct, d.consented_at, d.published_at, d.withdrawn_at,
           CASE WHEN c.cause = 'report' THEN (SELECT a.id FROM troth.abuse_report a WHERE a.message_id = c.message_id) END
    FROM (SELECT 1) AS one
    LEFT JOIN troth.case_client k ON k.case_id = c.id
    LEFT JOIN troth.tenant t ON t.id = coalesce(c.tenant_id, k.tenant_id)
    LEFT JOIN troth.case_reporter r ON r.case_id = c.id
    LEFT JOIN troth.case_letter l ON l.case_id = c.id AND l.kind = 'received'
    LEFT JOIN troth.disclosure_credit d ON d.case_id = c.id;
END $$;
