-- The change engine, whole: drafts that anybody who may propose edits; a proposal whose words never change; as many
-- approvals as policy asks for, each by another person and bound to the digest shown; comments, assigned approvers,
-- expiry. Whoever wrote a word of it cannot approve it.

DROP TABLE IF EXISTS approval_right; -- the rights stand in `permission`
DROP FUNCTION IF EXISTS may(account, text, text, uuid);

-- Work in progress, and the only thing here that is edited. `content` is the editor's own form of it.
CREATE TABLE draft (
    id         uuid PRIMARY KEY,
    tenant_id  uuid REFERENCES tenant,    -- NULL: of the installation or a programme
    kind       text NOT NULL,
    subject    uuid,                      -- what it will be a new version of; NULL: a new thing
    code       text NOT NULL,
    content    text NOT NULL CHECK (jsonb_typeof(content::jsonb) = 'object' AND octet_length(content) <= 4194304),
    revision   integer NOT NULL CHECK (revision > 0),
    created_by uuid NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL,
    updated_by uuid NOT NULL REFERENCES account,
    updated_at timestamptz NOT NULL,
    change_id  uuid                       -- as it was proposed last
);
CREATE INDEX draft_tenant ON draft (tenant_id, kind, updated_at);
-- Everybody who wrote on it.
CREATE TABLE draft_author (
    draft_id  uuid NOT NULL,              -- kept when the draft is gone: its change still names it
    tenant_id uuid,
    human_id  uuid NOT NULL REFERENCES human,
    PRIMARY KEY (draft_id, human_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON draft_author FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON draft_author FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

ALTER TABLE change ADD draft_id uuid;
DO $$
DECLARE name text;
BEGIN -- a change that nobody decided in time has nobody who decided
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'troth.change'::regclass AND contype = 'c'
                AND pg_get_constraintdef(oid) LIKE '%state%' LOOP
        EXECUTE format('ALTER TABLE troth.change DROP CONSTRAINT %I', name);
    END LOOP;
END $$;
ALTER TABLE change
    -- proposed, approved, rejected, withdrawn, expired
    ADD CONSTRAINT change_state CHECK (state IN (1, 2, 3, 4, 5)),
    ADD CONSTRAINT change_decided CHECK ((state = 1) = (decided_at IS NULL)),
    ADD CONSTRAINT change_decider CHECK ((state IN (1, 5)) = (decider_human IS NULL)),
    ADD CONSTRAINT change_second CHECK (state <> 2 OR decider_human <> proposer_human);
CREATE TRIGGER draft_stays BEFORE UPDATE OF draft_id ON change FOR EACH ROW EXECUTE FUNCTION insert_only();

-- One person's yes to exactly these words.
CREATE TABLE approval (
    change_id  uuid NOT NULL REFERENCES change,
    human_id   uuid NOT NULL REFERENCES human,
    tenant_id  uuid,
    account_id uuid NOT NULL REFERENCES account,
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    at         timestamptz NOT NULL,
    PRIMARY KEY (change_id, human_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Who wrote a word of what is proposed.
CREATE FUNCTION wrote(p_change change, p_human uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT (p_change).proposer_human = p_human OR EXISTS (
        SELECT FROM troth.draft_author d WHERE d.draft_id = (p_change).draft_id AND d.human_id = p_human)
$$;

-- The functions that act say with whose secret, for as long as they act (NULL: they are done), so that the guards below
-- need no word of theirs: only its person has a session's secret, the database keeps its hash. Granted to nobody.
CREATE FUNCTION acting(p_session bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT set_config('troth.acting', coalesce(encode(p_session, 'hex'), ''), true) $$;

CREATE FUNCTION acts(p_human uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM troth.session s JOIN troth.account a ON a.id = s.account_id
        WHERE s.secret_hash = sha256(decode(nullif(current_setting('troth.acting', true), ''), 'hex'))
          AND s.ended_at IS NULL AND s.expires_at > troth.now_v1() AND a.human_id = p_human AND a.disabled_at IS NULL)
$$;

-- Not even the tables' owner proposes in somebody else's name, to say yes to it then. Approved is what has become a
-- version, and whoever decides is here. Genesis comes before all sessions.
CREATE FUNCTION change_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF (CASE
        WHEN TG_OP = 'INSERT' THEN NEW.state = 1 AND EXISTS (
                SELECT FROM troth.account a WHERE a.id = NEW.proposer_account AND a.human_id = NEW.proposer_human)
            AND CASE NEW.kind WHEN 'genesis' THEN NOT troth.genesis_done() ELSE troth.acts(NEW.proposer_human) END
        WHEN NEW.state = 2 THEN troth.acts(NEW.decider_human) AND EXISTS (
                SELECT FROM troth.snapshot s WHERE s.change_id = NEW.id AND s.approver_human = NEW.decider_human)
        WHEN NEW.state IN (3, 4) THEN troth.acts(NEW.decider_human)
        WHEN NEW.state = 5 THEN NEW.expires_at <= troth.now_v1()
        ELSE true
    END) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a change is proposed and decided by somebody who is here now' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON change FOR EACH ROW EXECUTE FUNCTION change_guard();

-- Not even the tables' owner says yes for somebody who is not there, who may not, or who wrote it.
CREATE FUNCTION approval_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT troth.acts(NEW.human_id)
       OR NOT EXISTS (SELECT FROM troth.change c, troth.approvers_of(c) AS may
                      WHERE c.id = NEW.change_id AND c.state = 1 AND c.digest = NEW.digest
                        AND c.expires_at > troth.now_v1() AND (may.id, may.human_id) = (NEW.account_id, NEW.human_id)) THEN
        RAISE EXCEPTION 'an approval is of an open change, by somebody else who is here now' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON approval FOR EACH ROW EXECUTE FUNCTION approval_guard();

-- How many must say yes: the most that any level of the policy in force asks for; one at least.
CREATE FUNCTION approvers_wanted(p_tenant uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT greatest(1, troth.policy_number(p_tenant, 'governance', 'approvers', true)) $$;

-- What a file brings onto the list of suppressions counts for every client's mail, so none of one client's own people
-- decides it. Granted to nobody.
CREATE FUNCTION house_alone(p_change change) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT (p_change).kind = 'import' AND (p_change).artefact::jsonb ->> 'of' = 'suppressions' $$;

-- Who could say yes to it: a role with the right, an open account, and not a word written by them. Granted to nobody.
CREATE FUNCTION approvers_of(p_change change) RETURNS SETOF account
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.* FROM troth.account a
    WHERE a.disabled_at IS NULL
      AND (a.tenant_id IS NULL OR (a.tenant_id = (p_change).tenant_id AND NOT troth.house_alone(p_change)))
      AND NOT troth.wrote(p_change, a.human_id)
      AND (troth.cell_of(a, (p_change).kind || ':approve', (p_change).tenant_id)).action IS NOT NULL
$$;

-- The approvals that count: of these words, by people who could still give them. Granted to nobody.
CREATE FUNCTION approvals_of(p_change change) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT count(*)::integer FROM troth.approval a JOIN troth.approvers_of(p_change) AS may ON may.id = a.account_id
    WHERE a.change_id = (p_change).id AND a.digest = (p_change).digest AND a.human_id = may.human_id
$$;

-- Not even the tables' owner inserts a version that is not an open change's, with every approval that is wanted, in the
-- presence of its approver.
CREATE OR REPLACE FUNCTION snapshot_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF NOT troth.acts(NEW.approver_human)
       OR NOT EXISTS (SELECT FROM troth.change c JOIN troth.approval a ON a.change_id = c.id
                      WHERE c.id = NEW.change_id AND c.state = 1 AND c.expires_at > troth.now_v1()
                        AND (c.kind, c.subject, c.code, c.digest) = (NEW.kind, NEW.subject, NEW.code, NEW.digest)
                        AND c.tenant_id IS NOT DISTINCT FROM NEW.tenant_id AND c.proposer_human = NEW.proposer_human
                        AND a.human_id = NEW.approver_human AND a.digest = NEW.digest
                        AND troth.approvals_of(c) >= troth.approvers_wanted(c.tenant_id)) THEN
        RAISE EXCEPTION 'a version comes from an open change, its approvals and its approver''s session'
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON snapshot FOR EACH ROW EXECUTE FUNCTION snapshot_guard();

-- No policy of the house asks for more approvals than its owners can give: nobody could be made an owner then, and
-- nothing approved again, not even fewer. A client's own may: more people can still be given the right.
CREATE FUNCTION approvers_enough() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    most integer := troth.approvers_wanted(NULL);
    others integer := (SELECT count(DISTINCT human_id) - 1 FROM troth.account
                       WHERE tenant_id IS NULL AND role = 'owner' AND disabled_at IS NULL);
BEGIN
    IF most > greatest(others, 1) THEN
        RAISE EXCEPTION 'this asks for % approvals of every change of the operator''s own, and besides its author there are '
            'only % owners to give them: make more people owners first', most, others USING ERRCODE = '22023';
    END IF;
END $$;

-- What moves `governed` is a version that has just been approved, even for the table's owner.
CREATE FUNCTION governed_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NOT EXISTS (SELECT FROM troth.snapshot s JOIN troth.change c ON c.id = s.change_id
                                       WHERE s.id = NEW.snapshot_id AND c.state = 1 AND s.subject = NEW.subject
                                         AND (s.kind, s.code) = (NEW.kind, NEW.code)
                                         AND s.tenant_id IS NOT DISTINCT FROM NEW.tenant_id) THEN
        RAISE EXCEPTION 'what is in force changes with an approval alone' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON governed FOR EACH ROW EXECUTE FUNCTION governed_guard();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON governed FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE change_comment (
    id         uuid PRIMARY KEY,
    change_id  uuid NOT NULL REFERENCES change,
    tenant_id  uuid,
    account_id uuid NOT NULL REFERENCES account,
    human_id   uuid NOT NULL REFERENCES human,
    words      text NOT NULL CHECK (btrim(words) <> '' AND char_length(words) <= 4000),
    at         timestamptz NOT NULL
);
CREATE INDEX change_comment_change ON change_comment (change_id, at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON change_comment FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON change_comment FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Who was asked to look; anybody else with the right may approve, too.
CREATE TABLE change_assignee (
    change_id   uuid NOT NULL REFERENCES change,
    account_id  uuid NOT NULL REFERENCES account,
    tenant_id   uuid,
    assigned_by uuid NOT NULL REFERENCES account,
    at          timestamptz NOT NULL,
    PRIMARY KEY (change_id, account_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON change_assignee FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON change_assignee FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A step's entry: `before` is the digest of the version that was in force, empty for none. Both versions' words are kept
-- for good in `snapshot` and `change`, which the digests bind.
CREATE OR REPLACE FUNCTION change_entry(p_kind text, p_change change, p_human uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY[p_kind], ARRAY[(p_change).tenant_id], ARRAY[troth.leaf_json(
        ARRAY['before', 'by', 'change', 'code', 'digest', 'of', 'proposer', 'reason', 'subject'],
        ARRAY[coalesce((SELECT encode(s.digest, 'hex') FROM troth.snapshot s
                        WHERE s.kind = (p_change).kind AND s.subject = (p_change).subject AND s.change_id <> (p_change).id
                        ORDER BY s.version DESC LIMIT 1), ''),
              coalesce(p_human::text, ''), (p_change).id::text, (p_change).code, encode((p_change).digest, 'hex'),
              (p_change).kind, (p_change).proposer_human::text, left((p_change).reason, 4000), (p_change).subject::text])])
$$;

-- ---- drafts -------------------------------------------------------------------------------------------------

-- Revision 0 begins one; else the revision that was looked at. Editing what is proposed withdraws the proposal.
CREATE FUNCTION draft_save_v1(p_id uuid, p_tenant uuid, p_kind text, p_subject uuid, p_code text, p_content text,
                              p_revision integer, p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'draft:write', p_tenant);
    there troth.draft;
BEGIN
    PERFORM troth.allowed(p_session, p_kind || ':propose', p_tenant);
    SELECT * INTO there FROM troth.draft d WHERE d.id = p_id FOR UPDATE;
    IF there.id IS NULL AND p_revision = 0 THEN
        INSERT INTO troth.draft (id, tenant_id, kind, subject, code, content, revision, created_by, created_at, updated_by,
                                 updated_at)
        VALUES (p_id, p_tenant, p_kind, p_subject, p_code, p_content, 1, who.id, troth.now_v1(), who.id, troth.now_v1());
    ELSIF there.id IS NULL OR (there.tenant_id, there.kind) IS DISTINCT FROM (p_tenant, p_kind)
          OR there.subject <> p_subject THEN -- NULL for either: a new thing, until it is proposed
        RAISE EXCEPTION 'there is no such draft for you to save' USING ERRCODE = '42501';
    ELSIF there.revision IS DISTINCT FROM p_revision THEN
        RAISE EXCEPTION 'somebody has saved this draft since you opened it: look at both, then save again'
            USING ERRCODE = '55000';
    ELSE
        PERFORM troth.draft_voids(there, who, p_session);
        UPDATE troth.draft SET code = p_code, content = p_content, revision = revision + 1, updated_by = who.id,
            updated_at = troth.now_v1(), change_id = NULL WHERE id = p_id;
    END IF;
    INSERT INTO troth.draft_author (draft_id, tenant_id, human_id) VALUES (p_id, p_tenant, who.human_id) ON CONFLICT DO NOTHING;
    RETURN p_revision + 1;
END $$;

-- The open proposal of a draft is withdrawn, and its approvals are worth nothing from then on. Granted to nobody.
CREATE FUNCTION draft_voids(p_draft draft, p_who account, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE c troth.change;
BEGIN
    PERFORM troth.acting(p_session);
    FOR c IN UPDATE troth.change SET state = 4, decided_at = troth.now_v1(), decider_human = (p_who).human_id,
                 decision_note = 'Its draft was edited' WHERE draft_id = (p_draft).id AND state = 1 RETURNING * LOOP
        PERFORM troth.change_entry('governance:change:withdraw', c, (p_who).human_id);
    END LOOP;
    PERFORM troth.acting(NULL);
END $$;

CREATE FUNCTION draft_drop_v1(p_id uuid, p_revision integer, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    there troth.draft;
BEGIN
    SELECT * INTO there FROM troth.draft d WHERE d.id = p_id FOR UPDATE;
    IF there.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM there.tenant_id) THEN
        RAISE EXCEPTION 'there is no such draft for you to discard' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_session, 'draft:write', there.tenant_id);
    PERFORM troth.allowed(p_session, there.kind || ':propose', there.tenant_id);
    IF there.revision IS DISTINCT FROM p_revision THEN
        RAISE EXCEPTION 'somebody has saved this draft since you opened it' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.draft_voids(there, who, p_session);
    DELETE FROM troth.draft WHERE id = p_id;
END $$;

-- ---- from proposal to version -------------------------------------------------------------------------------

DROP FUNCTION IF EXISTS propose_v1(uuid, text, uuid, uuid, text, text, text, bytea);
CREATE FUNCTION propose_v1(p_id uuid, p_kind text, p_tenant uuid, p_subject uuid, p_code text, p_artefact text,
                           p_reason text, p_session bytea, p_draft uuid DEFAULT NULL) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, p_kind || ':propose', p_tenant);
    made troth.change;
    there troth.draft;
BEGIN
    IF EXISTS (SELECT FROM troth.governed g WHERE g.subject = p_subject
               AND (g.kind, g.tenant_id, g.code) IS DISTINCT FROM (p_kind, p_tenant, p_code)) THEN
        RAISE EXCEPTION 'this subject is another thing' USING ERRCODE = '22023';
    END IF;
    IF p_draft IS NOT NULL THEN
        SELECT * INTO there FROM troth.draft d WHERE d.id = p_draft FOR UPDATE;
        IF there.id IS NULL OR (there.tenant_id, there.kind) IS DISTINCT FROM (p_tenant, p_kind) THEN
            RAISE EXCEPTION 'there is no such draft for you to propose' USING ERRCODE = '42501';
        END IF;
        PERFORM troth.draft_voids(there, who, p_session);
        INSERT INTO troth.draft_author (draft_id, tenant_id, human_id) VALUES (p_draft, p_tenant, who.human_id)
        ON CONFLICT DO NOTHING;
    END IF;
    PERFORM troth.acting(p_session);
    INSERT INTO troth.change (id, kind, tenant_id, subject, code, artefact, digest, reason,
                              proposer_account, proposer_human, proposed_at, expires_at, draft_id)
    VALUES (p_id, p_kind, p_tenant, p_subject, p_code, p_artefact, sha256(convert_to(p_artefact, 'UTF8')), p_reason,
            who.id, who.human_id, troth.now_v1(), troth.now_v1() + make_interval(
                days => coalesce(troth.policy_number(p_tenant, 'governance', 'change_days', false), 14)), p_draft)
    RETURNING * INTO made;
    PERFORM troth.acting(NULL);
    UPDATE troth.draft SET change_id = made.id, subject = p_subject WHERE id = p_draft;
    PERFORM troth.change_entry('governance:change:propose', made, who.human_id);
    RETURN made.digest;
END $$;

-- The two who may write, from an artefact {"accounts": [...]}.
CREATE FUNCTION apply_designation(c change) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    DELETE FROM troth.designation WHERE tenant_id = (c).tenant_id;
    INSERT INTO troth.designation (tenant_id, account_id, place, named_at)
    SELECT (c).tenant_id, a.id, n, troth.now_v1()
    FROM jsonb_array_elements_text((c).artefact::jsonb -> 'accounts') WITH ORDINALITY AS given(one, n)
    JOIN troth.account a ON a.id = one::uuid AND a.disabled_at IS NULL
     AND (a.tenant_id = (c).tenant_id OR a.tenant_id IS NULL)
$$;

-- Access given, changed or ended. Device credentials are for the command line, and may be left out: a person then sets a
-- password with the link of an invitation.
CREATE OR REPLACE FUNCTION apply_grant(c change) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a jsonb := c.artefact::jsonb;
    ends boolean := coalesce((a ->> 'retired')::boolean, false);
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
    ON CONFLICT (id) DO UPDATE SET role = EXCLUDED.role,
        disabled_at = CASE WHEN ends THEN coalesce(account.disabled_at, troth.now_v1()) END,
        disabled_why = CASE WHEN ends THEN coalesce(account.disabled_why, 'removed') END,
        left_at = CASE WHEN ends THEN account.left_at END,
        -- who comes back is not unused
        last_used_at = CASE WHEN account.disabled_at IS NOT NULL AND NOT ends THEN troth.now_v1() ELSE account.last_used_at END;
    IF a ? 'device_hash' AND NOT ends THEN
        INSERT INTO troth.credential (id, account_id, device_hash, passphrase_salt, passphrase_hash, created_at)
        VALUES (gen_random_uuid(), c.subject, decode(a ->> 'device_hash', 'hex'), decode(a ->> 'passphrase_salt', 'hex'),
                decode(a ->> 'passphrase_hash', 'hex'), troth.now_v1())
        ON CONFLICT (device_hash) DO NOTHING;
    END IF;
END $$;

-- NULL: it is counted, and more approvals are wanted. Else the version that is in force now.
CREATE OR REPLACE FUNCTION approve_v1(p_change uuid, p_digest bytea, p_session bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account;
    c troth.change;
    made uuid := gen_random_uuid();
BEGIN
    who := troth.session_account(p_session);
    -- whoever edits its draft locks that first, too
    PERFORM FROM troth.draft WHERE id = (SELECT draft_id FROM troth.change WHERE id = p_change) FOR UPDATE;
    SELECT * INTO c FROM troth.change WHERE id = p_change FOR UPDATE;
    IF c.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM c.tenant_id) THEN
        RAISE EXCEPTION 'there is no such change for you to approve' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_session, c.kind || ':approve', c.tenant_id);
    IF c.state <> 1 OR c.expires_at <= troth.now_v1() THEN
        RAISE EXCEPTION 'this change is no longer open' USING ERRCODE = '55000';
    ELSIF c.digest <> p_digest THEN
        RAISE EXCEPTION 'the digest is not that of the proposed artefact: look again at what you approve'
            USING ERRCODE = '22023';
    ELSIF c.proposer_human = who.human_id THEN
        RAISE EXCEPTION 'a second person must approve: the proposer cannot' USING ERRCODE = '42501';
    ELSIF troth.wrote(c, who.human_id) THEN
        RAISE EXCEPTION 'a second person must approve: who wrote on the draft cannot' USING ERRCODE = '42501';
    ELSIF who.tenant_id IS NOT NULL AND troth.house_alone(c) THEN
        RAISE EXCEPTION 'the list of suppressions is one for all clients: somebody of the operator approves what a file puts on it'
            USING ERRCODE = '42501';
    ELSIF c.kind <> 'genesis' AND NOT troth.genesis_done() THEN
        RAISE EXCEPTION 'both owners sign the genesis entry first' USING ERRCODE = '55000';
    ELSIF EXISTS (SELECT FROM troth.approval a WHERE a.change_id = c.id AND a.human_id = who.human_id) THEN
        RAISE EXCEPTION 'you have approved this already: it waits for somebody else' USING ERRCODE = '55000';
    END IF;
    -- versions of one subject are made one after another
    PERFORM pg_advisory_xact_lock(hashtextextended(c.subject::text, 0));
    -- the subject may have become another thing since this was proposed
    IF EXISTS (SELECT FROM troth.governed g WHERE g.subject = c.subject
               AND (g.kind, g.tenant_id, g.code) IS DISTINCT FROM (c.kind, c.tenant_id, c.code)) THEN
        RAISE EXCEPTION 'this subject is another thing' USING ERRCODE = '22023';
    END IF;
    PERFORM troth.acting(p_session);
    INSERT INTO troth.approval (change_id, human_id, tenant_id, account_id, digest, at)
    VALUES (c.id, who.human_id, c.tenant_id, who.id, p_digest, troth.now_v1());
    IF troth.approvals_of(c) < troth.approvers_wanted(c.tenant_id) THEN
        PERFORM troth.change_entry('governance:change:endorse', c, who.human_id);
        PERFORM troth.acting(NULL);
        RETURN NULL;
    END IF;
    INSERT INTO troth.snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id,
                                proposer_human, approver_human, approved_at)
    VALUES (made, c.kind, c.tenant_id, c.subject, c.code,
            (SELECT coalesce(max(version), 0) + 1 FROM troth.snapshot s WHERE s.kind = c.kind AND s.subject = c.subject),
            c.artefact, c.digest, c.id, c.proposer_human, who.human_id, troth.now_v1());
    INSERT INTO troth.governed (subject, kind, tenant_id, code, snapshot_id, retired)
    VALUES (c.subject, c.kind, c.tenant_id, c.code, made, coalesce((c.artefact::jsonb ->> 'retired')::boolean, false))
    ON CONFLICT (subject) DO UPDATE SET snapshot_id = EXCLUDED.snapshot_id, retired = EXCLUDED.retired;
    PERFORM troth.change_entry('governance:change:approve', c, who.human_id);
    UPDATE troth.change SET state = 2, decided_at = troth.now_v1(), decider_human = who.human_id WHERE id = c.id;
    PERFORM troth.acting(NULL);
    DELETE FROM troth.draft WHERE id = c.draft_id;
    CASE c.kind
        WHEN 'policy' THEN
            IF c.tenant_id IS NULL THEN
                PERFORM troth.approvers_enough();
            END IF;
        WHEN 'programme' THEN PERFORM troth.apply_programme(c);
        WHEN 'tenant' THEN PERFORM troth.apply_tenant(c);
        WHEN 'grant' THEN PERFORM troth.apply_grant(c);
        WHEN 'designation' THEN PERFORM troth.apply_designation(c);
        WHEN 'sign-on' THEN PERFORM troth.apply_sign_on(c); -- people/sql/0005_sign_on.sql
        WHEN 'api-key' THEN PERFORM troth.apply_api_key(c, made);
        WHEN 'domain' THEN PERFORM troth.apply_domain(c);
        WHEN 'override' THEN PERFORM troth.apply_override(c, made);
        WHEN 'release' THEN PERFORM troth.apply_release(c);
        WHEN 'import' THEN PERFORM troth.apply_import(c); -- imports/sql/0001_imports.sql
        ELSE NULL;
    END CASE;
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION close_v1(p_change uuid, p_note text, p_session bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    c troth.change;
    own boolean;
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change AND state = 1 AND expires_at > troth.now_v1() FOR UPDATE;
    own := c.proposer_human = who.human_id;
    IF c.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM c.tenant_id) THEN
        RAISE EXCEPTION 'there is no such open change for you to close' USING ERRCODE = '42501';
    ELSIF NOT own THEN
        PERFORM troth.allowed(p_session, c.kind || ':approve', c.tenant_id);
        IF btrim(coalesce(p_note, '')) = '' THEN
            RAISE EXCEPTION 'say why you reject it, for the person who proposed it' USING ERRCODE = '22023';
        END IF;
    END IF;
    PERFORM troth.acting(p_session);
    -- the proposer withdraws; anybody else who may decide rejects
    UPDATE troth.change SET state = CASE WHEN own THEN 4 ELSE 3 END,
        decided_at = troth.now_v1(), decider_human = who.human_id, decision_note = p_note WHERE id = c.id;
    PERFORM troth.acting(NULL);
    PERFORM troth.change_entry(CASE WHEN own THEN 'governance:change:withdraw' ELSE 'governance:change:reject' END, c,
                               who.human_id);
    RETURN CASE WHEN own THEN 'withdrawn' ELSE 'rejected' END;
END $$;

-- What nobody decided in time says so, in the ledger too. How many there were.
CREATE FUNCTION expire_changes_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.change;
    n integer := 0;
BEGIN
    FOR c IN UPDATE troth.change SET state = 5, decided_at = troth.now_v1()
             WHERE id = ANY (ARRAY(SELECT id FROM troth.change WHERE state = 1 AND expires_at <= troth.now_v1()
                                   ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)) RETURNING * LOOP
        PERFORM troth.change_entry('governance:change:expire', c, NULL);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

CREATE FUNCTION comment_v1(p_id uuid, p_change uuid, p_words text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.change;
    who troth.account := troth.session_account(p_session);
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change;
    IF c.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM c.tenant_id) THEN
        RAISE EXCEPTION 'there is no such change for you to comment on' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_session, 'change:comment', c.tenant_id);
    INSERT INTO troth.change_comment (id, change_id, tenant_id, account_id, human_id, words, at)
    VALUES (p_id, c.id, c.tenant_id, who.id, who.human_id, p_words, troth.now_v1());
    PERFORM troth.ledger_entry(ARRAY['governance:change:comment'], ARRAY[c.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'change', 'comment', 'words'],
        ARRAY[who.human_id::text, c.id::text, p_id::text, encode(sha256(convert_to(p_words, 'UTF8')), 'hex')])]);
END $$;

-- Asked by the proposer, or by somebody who could approve it: only who could approve it themselves can be asked.
CREATE FUNCTION assign_v1(p_change uuid, p_accounts uuid[], p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.change;
    who troth.account := troth.session_account(p_session);
    n integer;
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change AND state = 1;
    IF c.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM c.tenant_id) THEN
        RAISE EXCEPTION 'there is no such open change for you to hand on' USING ERRCODE = '42501';
    ELSIF NOT troth.wrote(c, who.human_id) THEN
        PERFORM troth.allowed(p_session, c.kind || ':approve', c.tenant_id);
    END IF;
    INSERT INTO troth.change_assignee (change_id, account_id, tenant_id, assigned_by, at)
    SELECT c.id, a.id, c.tenant_id, who.id, troth.now_v1() FROM troth.approvers_of(c) AS a WHERE a.id = ANY (p_accounts)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM troth.ledger_entry(ARRAY['governance:change:assign'], ARRAY[c.tenant_id], ARRAY[troth.leaf_json(
            ARRAY['accounts', 'by', 'change'],
            ARRAY[array_to_string(ARRAY(SELECT unnest(p_accounts)::text ORDER BY 1), ' '), who.human_id::text, c.id::text])]);
    END IF;
    RETURN n;
END $$;

-- The same for the page, by a change's id: whom one may ask.
CREATE FUNCTION approvers_v1(p_change uuid, p_session bytea) RETURNS TABLE (account_id uuid, name_ct bytea, role text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.change;
    who troth.account := troth.session_account(p_session);
BEGIN
    SELECT * INTO c FROM troth.change WHERE id = p_change;
    IF c.id IS NOT NULL AND (who.tenant_id IS NULL OR who.tenant_id IS NOT DISTINCT FROM c.tenant_id) THEN
        RETURN QUERY SELECT a.id, a.name_ct, a.role FROM troth.approvers_of(c) AS a ORDER BY a.created_at, a.id LIMIT 200;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION revoke_v1(p_snapshot uuid, p_reason text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.session_account(p_session);
    s troth.snapshot;
BEGIN
    SELECT * INTO s FROM troth.snapshot WHERE id = p_snapshot;
    IF s.id IS NULL OR (who.tenant_id IS NOT NULL AND who.tenant_id IS DISTINCT FROM s.tenant_id) THEN
        RAISE EXCEPTION 'there is no such version for you to stop' USING ERRCODE = '42501';
    END IF;
    PERFORM troth.allowed(p_session, 'version:revoke', s.tenant_id);
    INSERT INTO troth.revocation (snapshot_id, tenant_id, reason, revoked_at, revoked_by)
    VALUES (s.id, s.tenant_id, p_reason, troth.now_v1(), who.human_id);
    PERFORM troth.stop_key(s);
    PERFORM troth.ledger_entry(ARRAY['governance:version:revoke'], ARRAY[s.tenant_id], ARRAY[troth.leaf_json(
        ARRAY['by', 'digest', 'reason', 'snapshot'],
        ARRAY[who.human_id::text, encode(s.digest, 'hex'), p_reason, s.id::text])]);
END $$;
