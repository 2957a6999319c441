-- Four eyes. What the gate reads are snapshot rows; only approve_v1 inserts them, and it derives both people from
-- sessions that it checks itself. The engine that acts stands in 0002_engine.sql.

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

CREATE FUNCTION genesis_done() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT EXISTS (SELECT FROM troth.snapshot WHERE kind = 'genesis') $$;

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
