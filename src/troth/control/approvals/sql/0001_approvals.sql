-- Four eyes. What the gate reads are snapshot rows; only approve_v1 inserts them, and it derives both people from
-- sessions that it checks itself.

-- Who may decide what, as data: the side and role that a kind of change needs. Scope 'own' is the change's own tenant.
CREATE TABLE approval_right (
    kind  text NOT NULL,
    act   text NOT NULL CHECK (act IN ('propose', 'approve')),
    side  text NOT NULL CHECK (side IN ('operator', 'client')),
    role  text NOT NULL,
    PRIMARY KEY (kind, act, side, role)
);
INSERT INTO approval_right
SELECT kind, act, 'operator', role
FROM (VALUES ('genesis'), ('programme'), ('tenant'), ('grant'), ('policy'), ('domain'), ('override'), ('release'),
             ('category'), ('template'), ('api-key')) AS k(kind),
     (VALUES ('propose'), ('approve')) AS a(act),
     (VALUES ('owner'), ('deliverability'), ('compliance')) AS r(role)
WHERE (kind, act) <> ('genesis', 'propose') -- genesis_v1 alone begins an installation
  AND (kind NOT IN ('grant', 'programme') OR role = 'owner') -- or two of the staff could make each other owners
UNION ALL
SELECT kind, act, 'client', role
FROM (VALUES ('category', 'propose', 'author'), ('category', 'propose', 'admin'), ('category', 'propose', 'approver'),
             ('category', 'approve', 'approver'), ('category', 'approve', 'admin'),
             ('template', 'propose', 'author'), ('template', 'propose', 'admin'), ('template', 'propose', 'approver'),
             ('template', 'approve', 'approver'), ('template', 'approve', 'admin'),
             ('api-key', 'propose', 'developer'), ('api-key', 'propose', 'admin'), ('api-key', 'approve', 'admin'),
             ('api-key', 'approve', 'approver'),
             ('grant', 'propose', 'admin'), ('grant', 'approve', 'admin'),
             -- a client may ask for these; an operator approves
             ('domain', 'propose', 'admin'), ('domain', 'propose', 'developer'), ('override', 'propose', 'admin'),
             ('release', 'propose', 'admin')) AS c(kind, act, role);

CREATE TABLE change (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    tenant_id      uuid REFERENCES tenant,       -- NULL: installation or programme
    subject        uuid NOT NULL,                -- what is governed: the category, the template, ...
    code           text NOT NULL,
    artefact       text NOT NULL CHECK (jsonb_typeof(artefact::jsonb) = 'object'),
    digest         bytea NOT NULL CHECK (digest = sha256(convert_to(artefact, 'UTF8'))),
    reason         text NOT NULL CHECK (btrim(reason) <> ''),
    proposer_account uuid NOT NULL REFERENCES account,
    proposer_human uuid NOT NULL REFERENCES human,
    proposed_at    timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    state          smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3, 4)), -- proposed, approved, rejected, withdrawn
    decided_at     timestamptz,
    decider_human  uuid REFERENCES human,
    decision_note  text,
    CHECK ((state = 1) = (decided_at IS NULL)),
    CHECK ((state = 1) = (decider_human IS NULL)),
    CHECK (state <> 2 OR decider_human <> proposer_human)
);
CREATE INDEX change_open ON change (tenant_id, proposed_at) WHERE state = 1;
-- What was proposed stays as it was proposed, and what was decided stays decided: even for the owner of the table.
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF id, kind, tenant_id, subject, code, artefact, digest, reason,
    proposer_account, proposer_human, proposed_at, expires_at ON change FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER decided_once BEFORE UPDATE ON change FOR EACH ROW WHEN (OLD.state <> 1) EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON change FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE snapshot (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    tenant_id      uuid REFERENCES tenant,
    subject        uuid NOT NULL,
    code           text NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    artefact       text NOT NULL,
    digest         bytea NOT NULL CHECK (digest = sha256(convert_to(artefact, 'UTF8'))),
    change_id      uuid NOT NULL UNIQUE REFERENCES change,
    proposer_human uuid NOT NULL REFERENCES human,
    approver_human uuid NOT NULL REFERENCES human,
    approved_at    timestamptz NOT NULL,
    UNIQUE (kind, subject, version),
    CHECK (proposer_human <> approver_human)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON snapshot FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON snapshot FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Not even the tables' owner inserts a version that is not an open change's, in the presence of its approver.
CREATE FUNCTION snapshot_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM troth.change c WHERE c.id = NEW.change_id AND c.state = 1 AND c.digest = NEW.digest
                   AND c.subject = NEW.subject AND c.kind = NEW.kind AND c.proposer_human = NEW.proposer_human)
       OR NOT EXISTS (SELECT FROM troth.session s JOIN troth.account a ON a.id = s.account_id
                      WHERE a.human_id = NEW.approver_human AND s.expires_at > troth.now_v1()) THEN
        RAISE EXCEPTION 'a version comes from an open change and its approver''s session' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON snapshot FOR EACH ROW EXECUTE FUNCTION snapshot_guard();

-- The version in force of each governed thing. Moved by approve_v1 alone.
CREATE TABLE governed (
    subject     uuid PRIMARY KEY,
    kind        text NOT NULL,
    tenant_id   uuid REFERENCES tenant,
    code        text NOT NULL,
    snapshot_id uuid NOT NULL REFERENCES snapshot,
    retired     boolean NOT NULL DEFAULT false,
    UNIQUE NULLS NOT DISTINCT (tenant_id, kind, code)
);

-- An emergency stop of one version: one person's act, never undone (a new version is approved instead).
CREATE TABLE revocation (
    snapshot_id uuid PRIMARY KEY REFERENCES snapshot,
    tenant_id   uuid,
    reason      text NOT NULL CHECK (btrim(reason) <> ''),
    revoked_at  timestamptz NOT NULL,
    revoked_by  uuid NOT NULL REFERENCES human
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON revocation FOR EACH ROW EXECUTE FUNCTION insert_only();

CREATE FUNCTION may(p_who account, p_kind text, p_act text, p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM troth.approval_right r
        WHERE r.kind = p_kind AND r.act = p_act AND r.role = (p_who).role
          AND CASE WHEN (p_who).tenant_id IS NULL THEN r.side = 'operator'
                   ELSE r.side = 'client' AND (p_who).tenant_id = p_tenant END)
$$;

CREATE FUNCTION change_entry(p_kind text, p_change change, p_human uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY[p_kind], ARRAY[(p_change).tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'change', 'code', 'digest', 'of', 'subject'],
        ARRAY[p_human::text, (p_change).id::text, (p_change).code, encode((p_change).digest, 'hex'),
              (p_change).kind, (p_change).subject::text])])
$$;

CREATE FUNCTION genesis_done() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT EXISTS (SELECT FROM troth.snapshot WHERE kind = 'genesis') $$;

CREATE FUNCTION propose_v1(p_id uuid, p_kind text, p_tenant uuid, p_subject uuid, p_code text, p_artefact text,
                           p_reason text, p_session bytea) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    made troth.change;
BEGIN
    IF NOT troth.may(who, p_kind, 'propose', p_tenant) THEN
        RAISE EXCEPTION 'the role % may not propose a % here', who.role, p_kind USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT FROM troth.governed g WHERE g.subject = p_subject
               AND (g.kind, g.tenant_id, g.code) IS DISTINCT FROM (p_kind, p_tenant, p_code)) THEN
        RAISE EXCEPTION 'this subject is another thing' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.change (id, kind, tenant_id, subject, code, artefact, digest, reason,
                              proposer_account, proposer_human, proposed_at, expires_at)
    VALUES (p_id, p_kind, p_tenant, p_subject, p_code, p_artefact, sha256(convert_to(p_artefact, 'UTF8')), p_reason,
            who.id, who.human_id, troth.now_v1(), troth.now_v1() + interval '14 days')
    RETURNING * INTO made;
    PERFORM troth.change_entry('governance:change:propose', made, who.human_id);
    RETURN made.digest;
END $$;

-- What an approved change does besides becoming a snapshot. Each is owned by troth_owner and granted to nobody.
CREATE FUNCTION apply_programme(c change) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.programme (id, code, name, profile, domain, created_at)
    SELECT (c).subject, (c).code, a ->> 'name', a ->> 'profile', a ->> 'domain', troth.now_v1()
    FROM (SELECT (c).artefact::jsonb AS a) AS x
    ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, domain = EXCLUDED.domain
$$;

CREATE FUNCTION apply_tenant(c change) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.tenant (id, programme_id, code, name, kind, timezone, plan, postal_address, keyset, created_at)
    SELECT (c).subject, (a ->> 'programme')::uuid, (c).code, a ->> 'name', (a ->> 'kind')::smallint, a ->> 'timezone',
           a ->> 'plan', a ->> 'postal_address', decode(a ->> 'keyset', 'base64'), troth.now_v1()
    FROM (SELECT (c).artefact::jsonb AS a) AS x
    ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, timezone = EXCLUDED.timezone, plan = EXCLUDED.plan,
        postal_address = EXCLUDED.postal_address
$$;

CREATE FUNCTION apply_grant(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE a jsonb := c.artefact::jsonb;
BEGIN
    -- an account keeps its person and its side: no grant gives somebody else's account another credential
    IF EXISTS (SELECT FROM troth.account WHERE id = c.subject
               AND (human_id <> (a ->> 'human')::uuid OR tenant_id IS DISTINCT FROM c.tenant_id)) THEN
        RAISE EXCEPTION 'this account is another person''s' USING ERRCODE = '42501';
    END IF;
    INSERT INTO troth.human (id, created_at) VALUES ((a ->> 'human')::uuid, troth.now_v1()) ON CONFLICT DO NOTHING;
    INSERT INTO troth.account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)
    VALUES (c.subject, (a ->> 'human')::uuid, c.tenant_id, a ->> 'role', decode(a ->> 'name_ct', 'base64'),
            decode(a ->> 'address_ct', 'base64'), decode(a ->> 'address_index', 'hex'), troth.now_v1())
    ON CONFLICT (id) DO UPDATE SET role = EXCLUDED.role;
    INSERT INTO troth.credential (id, account_id, device_hash, passphrase_salt, passphrase_hash, created_at)
    VALUES (gen_random_uuid(), c.subject, decode(a ->> 'device_hash', 'hex'), decode(a ->> 'passphrase_salt', 'hex'),
            decode(a ->> 'passphrase_hash', 'hex'), troth.now_v1())
    ON CONFLICT (device_hash) DO NOTHING;
END $$;

CREATE FUNCTION approve_v1(p_change uuid, p_digest bytea, p_session bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    c troth.change;
    made uuid := gen_random_uuid();
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change FOR UPDATE;
    IF c.id IS NULL OR NOT troth.may(who, c.kind, 'approve', c.tenant_id) THEN
        RAISE EXCEPTION 'there is no such change for you to approve' USING ERRCODE = '42501';
    ELSIF c.state <> 1 OR c.expires_at <= troth.now_v1() THEN
        RAISE EXCEPTION 'this change is no longer open' USING ERRCODE = '55000';
    ELSIF c.digest <> p_digest THEN
        RAISE EXCEPTION 'the digest is not that of the proposed artefact: look again at what you approve'
            USING ERRCODE = '22023';
    ELSIF c.proposer_human = who.human_id THEN
        RAISE EXCEPTION 'a second person must approve: the proposer cannot' USING ERRCODE = '42501';
    ELSIF c.kind <> 'genesis' AND NOT troth.genesis_done() THEN
        RAISE EXCEPTION 'both owners sign the genesis entry first' USING ERRCODE = '55000';
    END IF;
    -- versions of one subject are made one after another
    PERFORM pg_advisory_xact_lock(hashtextextended(c.subject::text, 0));
    -- the subject may have become another thing since this was proposed
    IF EXISTS (SELECT FROM troth.governed g WHERE g.subject = c.subject
               AND (g.kind, g.tenant_id, g.code) IS DISTINCT FROM (c.kind, c.tenant_id, c.code)) THEN
        RAISE EXCEPTION 'this subject is another thing' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id,
                                proposer_human, approver_human, approved_at)
    VALUES (made, c.kind, c.tenant_id, c.subject, c.code,
            (SELECT coalesce(max(version), 0) + 1 FROM troth.snapshot s WHERE s.kind = c.kind AND s.subject = c.subject),
            c.artefact, c.digest, c.id, c.proposer_human, who.human_id, troth.now_v1());
    INSERT INTO troth.governed (subject, kind, tenant_id, code, snapshot_id, retired)
    VALUES (c.subject, c.kind, c.tenant_id, c.code, made, coalesce((c.artefact::jsonb ->> 'retired')::boolean, false))
    ON CONFLICT (subject) DO UPDATE SET snapshot_id = EXCLUDED.snapshot_id, retired = EXCLUDED.retired;
    UPDATE troth.change SET state = 2, decided_at = troth.now_v1(), decider_human = who.human_id WHERE id = c.id;
    CASE c.kind
        WHEN 'programme' THEN PERFORM troth.apply_programme(c);
        WHEN 'tenant' THEN PERFORM troth.apply_tenant(c);
        WHEN 'grant' THEN PERFORM troth.apply_grant(c);
        WHEN 'api-key' THEN PERFORM troth.apply_api_key(c, made);
        WHEN 'domain' THEN PERFORM troth.apply_domain(c);
        WHEN 'override' THEN PERFORM troth.apply_override(c, made);
        WHEN 'release' THEN PERFORM troth.apply_release(c);
        ELSE NULL;
    END CASE;
    PERFORM troth.change_entry('governance:change:approve', c, who.human_id);
    RETURN made;
END $$;

CREATE FUNCTION close_v1(p_change uuid, p_note text, p_session bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    c troth.change;
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change AND state = 1 FOR UPDATE;
    IF c.id IS NULL OR NOT (c.proposer_human = who.human_id OR troth.may(who, c.kind, 'approve', c.tenant_id)) THEN
        RAISE EXCEPTION 'there is no such open change for you to close' USING ERRCODE = '42501';
    END IF;
    -- the proposer withdraws; anybody else who may decide rejects
    UPDATE troth.change SET state = CASE WHEN c.proposer_human = who.human_id THEN 4 ELSE 3 END,
        decided_at = troth.now_v1(), decider_human = who.human_id, decision_note = p_note WHERE id = c.id;
    PERFORM troth.change_entry(CASE WHEN c.proposer_human = who.human_id THEN 'governance:change:withdraw'
                               ELSE 'governance:change:reject' END, c, who.human_id);
    RETURN CASE WHEN c.proposer_human = who.human_id THEN 'withdrawn' ELSE 'rejected' END;
END $$;

CREATE FUNCTION revoke_v1(p_snapshot uuid, p_reason text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    s troth.snapshot;
BEGIN
    SELECT * INTO s FROM troth.snapshot WHERE id = p_snapshot;
    IF s.id IS NULL OR NOT troth.may(who, s.kind, 'approve', s.tenant_id) THEN
        RAISE EXCEPTION 'there is no such version for you to stop' USING ERRCODE = '42501';
    END IF;
    INSERT INTO troth.revocation (snapshot_id, tenant_id, reason, revoked_at, revoked_by)
    VALUES (s.id, s.tenant_id, p_reason, troth.now_v1(), who.human_id);
    PERFORM troth.stop_key(s);
    PERFORM troth.ledger_entry(ARRAY['governance:version:revoke'], ARRAY[s.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'digest', 'reason', 'snapshot'],
        ARRAY[who.human_id::text, encode(s.digest, 'hex'), p_reason, s.id::text])]);
END $$;

-- The first act of an installation: two owners are enrolled, each with credentials of their own, and the first
-- proposes the genesis change, which the second must approve. Possible once.
CREATE FUNCTION genesis_v1(p_change uuid, p_humans uuid[], p_accounts uuid[], p_names bytea[], p_addresses bytea[],
                           p_indexes bytea[], p_devices bytea[], p_salts bytea[], p_passphrases bytea[],
                           p_artefact text) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE c troth.change;
BEGIN
    LOCK TABLE troth.account IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM troth.account) THEN
        RAISE EXCEPTION 'this installation already has its owners' USING ERRCODE = '55000';
    ELSIF cardinality(p_humans) <> 2 OR p_humans[1] = p_humans[2] THEN
        RAISE EXCEPTION 'the first act needs two different people' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.human (id, created_at) SELECT h, troth.now_v1() FROM unnest(p_humans) AS h;
    INSERT INTO troth.account (id, human_id, role, name_ct, address_ct, address_index, created_at)
    SELECT a, h, 'owner', n, d, i, troth.now_v1() FROM unnest(p_accounts, p_humans, p_names, p_addresses, p_indexes) AS u(a, h, n, d, i);
    INSERT INTO troth.credential (id, account_id, device_hash, passphrase_salt, passphrase_hash, created_at)
    SELECT gen_random_uuid(), a, d, s, p, troth.now_v1() FROM unnest(p_accounts, p_devices, p_salts, p_passphrases) AS u(a, d, s, p);
    INSERT INTO troth.change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account,
                              proposer_human, proposed_at, expires_at)
    SELECT p_change, 'genesis', NULL, i.id, 'genesis', p_artefact, sha256(convert_to(p_artefact, 'UTF8')),
           'The installation begins', p_accounts[1], p_humans[1], troth.now_v1(), troth.now_v1() + interval '14 days'
    FROM troth.installation i
    RETURNING * INTO c;
    PERFORM troth.change_entry('governance:change:propose', c, p_humans[1]);
    RETURN c.digest;
END $$;
