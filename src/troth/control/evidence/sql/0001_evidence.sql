-- Evidence that people hand in: one person brings a file under a claim, another accepts it, and it is good until a day.
-- Rows are only added; acceptance and withdrawal are each written once. Every act is an entry of the ledger, in the
-- same transaction, with a digest of all that was said: `troth verify` compares the two.

CREATE TABLE evidence (
    id                uuid PRIMARY KEY,
    programme_id      uuid REFERENCES programme,                  -- NULL: the whole installation's
    claim             text NOT NULL CHECK (claim ~ '^[A-Z]{3}-[1-9][0-9]?$'),
    kind              text NOT NULL CHECK (kind IN (
        'penetration-test', 'training', 'policy-review', 'code-review', 'static-scan', 'dynamic-scan', 'restore-drill',
        'incident-exercise', 'isolation-exercise', 'acceptable-use-policy', 'privacy-policy', 'safe-harbour', 'enrolment')),
    title             text NOT NULL CHECK (title = btrim(title) AND char_length(title) BETWEEN 1 AND 200),
    filename          text NOT NULL CHECK (filename ~ '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}[.](pdf|png|jpe?g|txt|csv|json)$'),
    media_type        text NOT NULL CHECK (media_type IN (
        'application/pdf', 'image/png', 'image/jpeg', 'text/plain', 'text/csv', 'application/json')),
    size              integer NOT NULL CHECK (size BETWEEN 1 AND 20971520),
    sha256            bytea NOT NULL CHECK (octet_length(sha256) = 32),        -- of the file as it came
    file_ct           bytea NOT NULL CHECK (get_byte(file_ct, 0) = 1),         -- sealed to keys/places.evidence of its id
    performed_on      date NOT NULL,
    valid_until       date NOT NULL CHECK (valid_until > performed_on),        -- the last day, by UTC
    public            boolean NOT NULL,
    digest            bytea NOT NULL CHECK (octet_length(digest) = 32),        -- of all of the above, and of who and when
    submitted_at      timestamptz NOT NULL,
    submitted_account uuid NOT NULL REFERENCES account,
    submitted_human   uuid NOT NULL REFERENCES human,
    accepted_at       timestamptz,
    accepted_account  uuid REFERENCES account,
    accepted_human    uuid REFERENCES human,
    withdrawn_at      timestamptz,
    withdrawn_account uuid REFERENCES account,
    withdrawn_human   uuid REFERENCES human,
    withdrawn_why     text CHECK (btrim(withdrawn_why) <> '' AND char_length(withdrawn_why) <= 500),
    CONSTRAINT second_person CHECK (accepted_human <> submitted_human),
    CHECK ((accepted_at IS NULL) = (accepted_human IS NULL) AND (accepted_at IS NULL) = (accepted_account IS NULL)),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_human IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_account IS NULL)
           AND (withdrawn_at IS NULL) = (withdrawn_why IS NULL))
);
CREATE INDEX evidence_claim ON evidence (claim, submitted_at);
CREATE INDEX evidence_newest ON evidence (submitted_at, id);
CREATE TRIGGER insert_only BEFORE DELETE OR UPDATE OF id, programme_id, claim, kind, title, filename, media_type, size, sha256,
    file_ct, performed_on, valid_until, public, digest, submitted_at, submitted_account, submitted_human ON evidence
    FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER accepted_once BEFORE UPDATE OF accepted_at, accepted_account, accepted_human ON evidence
    FOR EACH ROW WHEN (OLD.accepted_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION insert_only();
CREATE TRIGGER withdrawn_once BEFORE UPDATE ON evidence
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evidence FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Not even the tables' owner brings, accepts or withdraws for somebody who is not here.
CREATE FUNCTION evidence_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who uuid := CASE WHEN TG_OP = 'INSERT' THEN NEW.submitted_human WHEN NEW.withdrawn_at IS NOT NULL THEN NEW.withdrawn_human
                     ELSE NEW.accepted_human END;
    via uuid := CASE WHEN TG_OP = 'INSERT' THEN NEW.submitted_account WHEN NEW.withdrawn_at IS NOT NULL THEN NEW.withdrawn_account
                     ELSE NEW.accepted_account END;
BEGIN
    IF (troth.acts(who) AND EXISTS (SELECT FROM troth.account a WHERE a.id = via AND a.human_id = who AND a.tenant_id IS NULL)
        AND (TG_OP = 'UPDATE' OR (NEW.accepted_at IS NULL AND NEW.withdrawn_at IS NULL))) IS NOT TRUE THEN
        RAISE EXCEPTION 'evidence is brought, accepted and withdrawn by somebody who is here now' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_guard();

-- a check finds its entries of the ledger
CREATE INDEX ledger_leaf_evidence ON ledger_leaf (index) WHERE kind LIKE 'trust:evidence:%';

-- ---- what is said of a piece ------------------------------------------------------------------------------------

CREATE FUNCTION evidence_time(p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT ((extract(epoch FROM p_at) * 1000000)::bigint)::text $$;

-- Of every column that was there when it came: what a second person says yes to. control/evidence/told.py has the same.
CREATE FUNCTION evidence_digest(p_piece evidence) RETURNS bytea
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT sha256(convert_to(troth.leaf_json(
        ARRAY['account', 'by', 'claim', 'file', 'of', 'performed', 'piece', 'programme', 'public', 'sealed', 'sha256', 'size',
              'submitted', 'title', 'type', 'until'],
        ARRAY[(p_piece).submitted_account::text, (p_piece).submitted_human::text, (p_piece).claim, (p_piece).filename,
              (p_piece).kind, to_char((p_piece).performed_on, 'YYYY-MM-DD'), (p_piece).id::text,
              coalesce((p_piece).programme_id::text, ''), (p_piece).public::text, encode(sha256((p_piece).file_ct), 'hex'),
              encode((p_piece).sha256, 'hex'), (p_piece).size::text, troth.evidence_time((p_piece).submitted_at),
              (p_piece).title, (p_piece).media_type, to_char((p_piece).valid_until, 'YYYY-MM-DD')]), 'UTF8'))
$$;

CREATE FUNCTION evidence_entry(p_act text, p_piece uuid, p_by account, p_keys text[], p_values text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY['trust:evidence:' || p_act], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['account', 'by', 'piece'] || p_keys, ARRAY[(p_by).id::text, (p_by).human_id::text, p_piece::text] || p_values)])
$$;

-- For how many days a kind is good: the strictest of the operator's schedule and the programme's, or, of the whole
-- installation, every programme's. A promise older than the schedule has the strictest profile's. The same table:
-- rules/evidence_kinds.py.
CREATE FUNCTION evidence_days_v1(p_programme uuid, p_kind text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH field AS (
        SELECT CASE WHEN p_kind IN ('acceptable-use-policy', 'privacy-policy', 'safe-harbour') THEN 'policy_review'
                    WHEN p_kind = 'static-scan' THEN 'code_scan'
                    WHEN p_kind = 'dynamic-scan' THEN 'running_scan'
                    ELSE replace(p_kind, '-', '_') END AS name),
    silent AS (
        SELECT f.name, CASE WHEN f.name = 'code_scan' THEN 31
                            WHEN f.name IN ('code_review', 'running_scan', 'restore_drill') THEN 92 ELSE 365 END AS days
        FROM field f),
    said AS (
        SELECT CASE WHEN s.artefact::jsonb #>> ARRAY['schedule', f.name] ~ '^[1-9][0-9]{0,4}$'
                         THEN (s.artefact::jsonb #>> ARRAY['schedule', f.name])::integer
                    WHEN g.code <> 'operator' THEN f.days END AS days
        FROM silent f, troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
        WHERE g.kind = 'policy' AND NOT g.retired AND g.tenant_id IS NULL
          AND (g.code = 'operator' OR p_programme IS NULL
               OR g.code = 'programme:' || (SELECT p.code FROM troth.programme p WHERE p.id = p_programme)))
    SELECT coalesce((SELECT min(days) FROM said), f.days) FROM silent f
$$;

-- ---- what people do -----------------------------------------------------------------------------------------------

-- The same id again, of the same person: it is there, and nothing happens.
CREATE FUNCTION evidence_submit_v1(p_id uuid, p_programme uuid, p_claim text, p_kind text, p_title text, p_filename text,
                                   p_type text, p_size integer, p_sha256 bytea, p_file bytea, p_performed date, p_until date,
                                   p_public boolean, p_session bytea) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'evidence:submit', NULL);
    today date := (troth.now_v1() AT TIME ZONE 'UTC')::date;
    days integer := troth.evidence_days_v1(p_programme, p_kind);
    e troth.evidence;
BEGIN
    SELECT * INTO e FROM troth.evidence v WHERE v.id = p_id;
    IF e.id IS NOT NULL AND e.submitted_account = who.id THEN
        RETURN e.digest;
    ELSIF p_performed > today THEN
        RAISE EXCEPTION 'what is shown was done already: the day may not lie ahead' USING ERRCODE = '22023';
    ELSIF p_until > p_performed + days THEN
        RAISE EXCEPTION 'this is good for % days from its day at most, as policy says', days USING ERRCODE = '22023';
    ELSIF p_until < today THEN
        RAISE EXCEPTION 'it is over already: it was good for % days from its day', p_until - p_performed USING ERRCODE = '22023';
    END IF;
    PERFORM troth.acting(p_session);
    e := ROW(p_id, p_programme, p_claim, p_kind, p_title, p_filename, p_type, p_size, p_sha256, p_file, p_performed, p_until,
             p_public, NULL, troth.now_v1(), who.id, who.human_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::troth.evidence;
    e.digest := troth.evidence_digest(e);
    INSERT INTO troth.evidence VALUES (e.*);
    PERFORM troth.evidence_entry('submit', e.id, who,
        ARRAY['claim', 'digest', 'of', 'performed', 'programme', 'sha256', 'submitted', 'until'],
        ARRAY[e.claim, encode(e.digest, 'hex'), e.kind, to_char(e.performed_on, 'YYYY-MM-DD'), coalesce(e.programme_id::text, ''),
              encode(e.sha256, 'hex'), troth.evidence_time(e.submitted_at), to_char(e.valid_until, 'YYYY-MM-DD')]);
    RETURN e.digest;
END $$;

-- The digest is that of what the person was shown.
CREATE FUNCTION evidence_accept_v1(p_piece uuid, p_digest bytea, p_session bytea) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'evidence:accept', NULL);
    e troth.evidence;
BEGIN
    SELECT * INTO e FROM troth.evidence v WHERE v.id = p_piece FOR UPDATE;
    IF e.id IS NULL THEN
        RAISE EXCEPTION 'there is no such evidence' USING ERRCODE = '55000';
    ELSIF e.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'this was withdrawn: nothing is accepted of it any more' USING ERRCODE = '55000';
    ELSIF e.accepted_at IS NOT NULL THEN
        RAISE EXCEPTION 'somebody has accepted this already' USING ERRCODE = '55000';
    ELSIF e.submitted_human = who.human_id THEN
        RAISE EXCEPTION 'nobody accepts what they brought themselves: ask a second person' USING ERRCODE = '42501';
    ELSIF p_digest IS DISTINCT FROM e.digest OR e.digest IS DISTINCT FROM troth.evidence_digest(e) THEN
        RAISE EXCEPTION 'this is not what you were shown: look at it again' USING ERRCODE = '22023';
    ELSIF e.valid_until < (troth.now_v1() AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'it is over already: bring newer evidence' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.acting(p_session);
    UPDATE troth.evidence v SET accepted_at = troth.now_v1(), accepted_account = who.id, accepted_human = who.human_id
    WHERE v.id = e.id RETURNING v.* INTO e;
    PERFORM troth.evidence_entry('accept', e.id, who, ARRAY['accepted', 'digest'],
                                 ARRAY[troth.evidence_time(e.accepted_at), encode(e.digest, 'hex')]);
    RETURN e.accepted_at;
END $$;

-- One person is enough to take something back; it stays where it is, and says so.
CREATE FUNCTION evidence_withdraw_v1(p_piece uuid, p_why text, p_session bytea) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'evidence:withdraw', NULL);
    e troth.evidence;
BEGIN
    SELECT * INTO e FROM troth.evidence v WHERE v.id = p_piece FOR UPDATE;
    IF e.id IS NULL THEN
        RAISE EXCEPTION 'there is no such evidence' USING ERRCODE = '55000';
    ELSIF e.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'this was withdrawn already' USING ERRCODE = '55000';
    ELSIF btrim(coalesce(p_why, '')) = '' THEN
        RAISE EXCEPTION 'say why it is withdrawn: the reason is kept' USING ERRCODE = '22023';
    END IF;
    PERFORM troth.acting(p_session);
    UPDATE troth.evidence v SET withdrawn_at = troth.now_v1(), withdrawn_account = who.id, withdrawn_human = who.human_id,
                                withdrawn_why = btrim(p_why)
    WHERE v.id = e.id RETURNING v.* INTO e;
    PERFORM troth.evidence_entry('withdraw', e.id, who, ARRAY['why', 'withdrawn'],
                                 ARRAY[e.withdrawn_why, troth.evidence_time(e.withdrawn_at)]);
    RETURN e.withdrawn_at;
END $$;

-- ---- what is read ---------------------------------------------------------------------------------------------------

-- What the ledger says of evidence, sealed or in the line, for whoever compares it with the rows.
CREATE FUNCTION evidence_told_v1() RETURNS TABLE (kind text, leaf text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.kind, l.leaf FROM troth.ledger_leaf l WHERE l.kind LIKE 'trust:evidence:%'
    UNION ALL SELECT p.kind, p.leaf FROM troth.ledger_pending p WHERE p.kind LIKE 'trust:evidence:%'
$$;

-- An attempt that is always undone: what answers when one person brings and accepts, or when a piece is changed.
CREATE FUNCTION evidence_attempt_v1(p_how text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    e troth.evidence;
    answer text := 'accepted';
BEGIN
    SELECT * INTO e FROM troth.evidence v WHERE v.accepted_at IS NOT NULL AND v.withdrawn_at IS NULL
    ORDER BY v.submitted_at DESC LIMIT 1;
    IF e.id IS NULL THEN
        RETURN 'nothing there';
    END IF;
    BEGIN
        CASE p_how
        WHEN 'edit' THEN UPDATE troth.evidence SET valid_until = valid_until + 1 WHERE id = e.id;
        WHEN 'delete' THEN DELETE FROM troth.evidence WHERE id = e.id;
        WHEN 'again' THEN UPDATE troth.evidence SET accepted_at = troth.now_v1() WHERE id = e.id;
        WHEN 'forged' THEN
            e.id := troth.uuid7_now();
            e.withdrawn_at := NULL;
            INSERT INTO troth.evidence VALUES (e.*);
        ELSE RAISE EXCEPTION 'there is no attempt of that name' USING ERRCODE = '22023';
        END CASE;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'T0000';
    EXCEPTION
        WHEN SQLSTATE 'T0000' THEN NULL;
        WHEN OTHERS THEN answer := SQLSTATE;
    END;
    RETURN answer;
END $$;
