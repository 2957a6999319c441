-- What people do about the list: an administrative entry, which is one person's act, and the override, which takes two
-- and is bounded here, whoever approved it.

CREATE TABLE suppression_act (
    id          uuid PRIMARY KEY,
    tenant_id   uuid REFERENCES tenant,                       -- for whom it was done; NULL: for the operator
    blind_index bytea NOT NULL CHECK (octet_length(blind_index) = 32),
    account_id  uuid NOT NULL REFERENCES account,
    why_ct      bytea NOT NULL CHECK (get_byte(why_ct, 0) = 1), -- their words, under the client's keyset or the operator's
    at          timestamptz NOT NULL
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON suppression_act FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON suppression_act FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- The operator's own entries, newest first, for staff who look at no client.
CREATE INDEX suppression_house ON suppression (created_at, blind_index, reason, source) WHERE tenant_id IS NULL;

-- One person puts an address on the list, which stops everybody's mail to it. So a client's own people name nobody but who
-- is, or was, a verified recipient of theirs: a registration alone is their own word. False: it stands there by hand already,
-- for the same client. The entry of the ledger holds a digest of the sealed words, no address and no index.
CREATE FUNCTION suppress_by_hand_v1(p_id uuid, p_tenant uuid, p_index bytea, p_address_ct bytea, p_why_ct bytea,
                                    p_session bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE who troth.account := troth.allowed(p_session, 'suppression:add', p_tenant);
BEGIN
    IF EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = p_index AND s.reason = 5
               AND s.tenant_id IS NOT DISTINCT FROM p_tenant) THEN
        RETURN false;
    ELSIF who.tenant_id IS NOT NULL AND NOT EXISTS (SELECT FROM troth.person q WHERE q.tenant_id = who.tenant_id
                                                    AND q.blind_index = p_index AND q.verified_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the list is one for all clients, and this address was never a verified recipient of yours: '
            'ask the operator to put it there' USING ERRCODE = '42501';
    END IF;
    INSERT INTO troth.suppression_act (id, tenant_id, blind_index, account_id, why_ct, at)
    VALUES (p_id, p_tenant, p_index, who.id, p_why_ct, troth.now_v1());
    PERFORM troth.suppress_v1(ARRAY[p_index], ARRAY[5::smallint], ARRAY['by-hand:' || p_id], ARRAY[p_tenant],
                              ARRAY[p_address_ct]);
    PERFORM troth.ledger_entry(ARRAY['suppression:entry:add'], ARRAY[p_tenant], ARRAY[troth.leaf_json(
        ARRAY['by', 'entry', 'words'], ARRAY[who.human_id::text, p_id::text, encode(sha256(p_why_ct), 'hex')])]);
    RETURN true;
END $$;

-- All that is written of one address, whoever's mail it was: for staff who look at no client; nothing where one is looked
-- at. `reason` 0: an opt-out of one category.
CREATE FUNCTION suppression_all_v1(p_indexes bytea[], p_most integer)
RETURNS TABLE (created_at timestamptz, blind_index bytea, reason integer, what text, source text, category_id uuid,
               address_ct bytea, tenant_id uuid, tenant_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT e.*, t.name
    FROM (SELECT s.created_at, s.blind_index, s.reason::integer, s.source AS what, s.source, NULL::uuid, s.address_ct,
                 s.tenant_id
          FROM troth.suppression s WHERE s.blind_index = ANY(p_indexes)
          UNION ALL
          SELECT o.created_at, o.blind_index, 0, o.category_id::text, o.source, o.category_id, NULL, o.tenant_id
          FROM troth.tenant c JOIN troth.opt_out o ON o.tenant_id = c.id AND o.blind_index = ANY(p_indexes))
         AS e (since, idx, why, what, said, category, sealed, client)
    LEFT JOIN troth.tenant t ON t.id = e.client
    WHERE troth.looked_at() IS NULL
    ORDER BY e.since DESC, e.why, e.what LIMIT p_most
$$;

-- Whoever writes an override meets this: never of a complaint or an opt-out, never longer than the client's policies let it
-- last, and of the entries that stand there now. They are named one by one: a time would let a clock that is set back make
-- later ones older.
CREATE FUNCTION override_bounded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE hours integer := troth.policy_number(NEW.tenant_id, 'installation', 'override_hours', false);
BEGIN
    IF EXISTS (SELECT FROM troth.suppression s WHERE s.blind_index = NEW.blind_index AND s.reason IN (2, 3, 4)) THEN
        RAISE EXCEPTION 'a complaint or an opt-out is never overridden' USING ERRCODE = '42501';
    ELSIF hours IS NULL THEN
        RAISE EXCEPTION 'no policy is in force, so nothing can be overridden' USING ERRCODE = '42501';
    ELSIF NEW.expires_at > troth.now_v1() + make_interval(hours => hours) THEN
        RAISE EXCEPTION 'an override ends within % hours', hours USING ERRCODE = '42501';
    END IF;
    NEW.covers := ARRAY(SELECT s.reason || ':' || s.source FROM troth.suppression s
                        WHERE s.blind_index = NEW.blind_index ORDER BY 1);
    RETURN NEW;
END $$;
CREATE TRIGGER bounded BEFORE INSERT OR UPDATE ON suppression_override FOR EACH ROW EXECUTE FUNCTION override_bounded();

-- Whether an override of this client was in force for this entry of the list at some moment from p_from to p_until; the
-- gate, the mark and the control of SUP-1 ask here. Of one moment alone every stop counts, whatever time it bears: a clock
-- that is set back undoes none.
CREATE FUNCTION overridden_v1(p_tenant uuid, p_index bytea, p_reason smallint, p_source text, p_from timestamptz,
                              p_until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p_reason NOT IN (2, 3, 4) AND EXISTS (
        SELECT FROM troth.suppression_override v JOIN troth.snapshot a ON a.id = v.snapshot_id
        LEFT JOIN troth.revocation r ON r.snapshot_id = v.snapshot_id
        WHERE v.tenant_id = p_tenant AND v.blind_index = p_index AND p_reason || ':' || p_source = ANY(v.covers)
          AND a.approved_at <= p_until AND v.expires_at > p_from
          AND (r.snapshot_id IS NULL OR p_from < p_until AND r.revoked_at > p_from)
          AND NOT EXISTS (SELECT FROM troth.snapshot n WHERE n.kind = a.kind AND n.subject = a.subject
                          AND n.version > a.version AND (p_from = p_until OR n.approved_at <= p_from))) -- the newest alone is in force
$$;

-- Whether the policies that bind an email let an override count; the mark asks for what is overridden. A level that is
-- silent says nothing, and where none speaks the answer is no.
CREATE FUNCTION overrides_count_v1(p_tenant uuid, p_email uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(bool_and((l.recipients ->> 'overrides')::boolean), false)
    FROM (SELECT s.artefact::jsonb -> 'recipients' AS recipients
          FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
          JOIN troth.governed g ON g.kind = 'policy' AND (g.tenant_id = t.id OR g.tenant_id IS NULL
                                   AND g.code IN ('operator', 'programme:' || p.code))
          JOIN troth.snapshot s ON s.id = g.snapshot_id
          WHERE t.id = p_tenant
          UNION ALL
          SELECT s.artefact::jsonb #> '{policy,recipients}'
          FROM troth.email e JOIN troth.governed g ON g.subject IN (e.category_id, e.api_key_id)
          JOIN troth.snapshot s ON s.id = g.snapshot_id
          WHERE e.id = p_email AND e.tenant_id = p_tenant) AS l
$$;

CREATE FUNCTION apply_override(c change, p_snapshot uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.suppression_override (tenant_id, blind_index, snapshot_id, expires_at)
    VALUES ((c).tenant_id, decode((c).artefact::jsonb ->> 'blind_index', 'hex'), p_snapshot,
            ((c).artefact::jsonb ->> 'expires_at')::timestamptz)
$$;
