-- Claims, watched: each row of the history has an entry of the ledger's that is its own, a first look is told apart from a
-- turn, a state stands only as the ledger was told, and whoever answers for a claim hears of its turns.

-- `was`: the state before; NULL: none. `first`: the first look of this version of Troth at it, which is no turn, whatever it
-- found. `version`: a digest of what looked. `entry`: the leaf hash of its own entry; NULL, as `first` and `version`: from
-- before this migration, when an entry held the claim, the programme, the state and the evidence's hash alone.
ALTER TABLE claim_history
    ADD COLUMN was text CHECK (was IN ('holds', 'fails', 'stale', 'no data yet')),
    ADD COLUMN first boolean,
    ADD COLUMN version text CHECK (version ~ '^[0-9a-f]{1,64}$'),
    ADD COLUMN entry bytea UNIQUE CHECK (octet_length(entry) = 32),
    ADD CONSTRAINT told CHECK ((entry IS NULL) = (first IS NULL) AND (entry IS NULL) = (version IS NULL)),
    ADD CONSTRAINT found CHECK (state IN ('holds', 'fails', 'stale', 'no data yet'));
CREATE INDEX claim_history_newest ON claim_history (claim, id);
CREATE INDEX claim_history_day ON claim_history (programme_id, checked_at) INCLUDE (claim, state, was);
CREATE INDEX claim_history_turn ON claim_history (programme_id, id) WHERE was <> state;
CREATE INDEX claim_history_turned ON claim_history (id) WHERE was <> state;

-- Somebody asked for a look before it is due.
CREATE TABLE claim_ask (
    claim text PRIMARY KEY CHECK (claim ~ '^[A-Z]{3}-[1-9][0-9]?$'),
    at    timestamptz NOT NULL
);

-- Up to which row of the history somebody was told of turns, and when.
CREATE TABLE claim_told (
    account_id uuid PRIMARY KEY REFERENCES account,
    at         timestamptz NOT NULL,
    row_id     bigint NOT NULL
);

-- A state is what the newest row of its history says, was not looked at in the future, and stays.
CREATE FUNCTION claim_state_as_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    told troth.claim_history;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what a claim stands at is for good' USING ERRCODE = '42501';
    END IF;
    SELECT * INTO told FROM troth.claim_history h
    WHERE h.claim = NEW.claim AND h.programme_id IS NOT DISTINCT FROM NEW.programme_id ORDER BY h.id DESC LIMIT 1;
    IF told.id IS NULL OR told.state <> NEW.state OR told.checked_at <> NEW.told_at THEN
        RAISE EXCEPTION 'a claim stands as the ledger was told' USING ERRCODE = '42501';
    ELSIF NEW.checked_at > troth.now_v1() OR NEW.checked_at < NEW.told_at THEN
        RAISE EXCEPTION 'a claim was looked at since it was told, and not later than now' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_told BEFORE INSERT OR UPDATE OR DELETE ON claim_state FOR EACH ROW EXECUTE FUNCTION claim_state_as_told();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON claim_state FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What one check found. The ledger hears of each change, of each first look, and once a day (UTC) that a state stands.
CREATE FUNCTION claim_record_v2(p_claims text[], p_programmes uuid[], p_states text[], p_evidence text[], p_version text)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz;
    each record;
    told troth.claim_history;
    stands timestamptz; -- since when it does, by its history: whatever somebody wrote into claim_state
BEGIN
    PERFORM pg_advisory_xact_lock(7413);
    now := troth.now_v1();
    FOR each IN SELECT c, p, s, e FROM unnest(p_claims, p_programmes, p_states, p_evidence) AS u(c, p, s, e) ORDER BY c, p LOOP
        SELECT * INTO told FROM troth.claim_history h
        WHERE h.claim = each.c AND h.programme_id IS NOT DISTINCT FROM each.p ORDER BY h.id DESC LIMIT 1;
        IF told.id IS NULL OR told.state <> each.s OR told.version IS DISTINCT FROM p_version
           OR told.checked_at > now OR date_trunc('day', told.checked_at, 'UTC') < date_trunc('day', now, 'UTC') THEN
            PERFORM troth.claim_enter(each.c, each.p, each.s, each.e, now, told, p_version);
            told.checked_at := now;
        END IF;
        SELECT h.checked_at INTO stands FROM troth.claim_history h
        WHERE h.claim = each.c AND h.programme_id IS NOT DISTINCT FROM each.p
          AND h.id > coalesce((SELECT o.id FROM troth.claim_history o WHERE o.claim = each.c
                               AND o.programme_id IS NOT DISTINCT FROM each.p AND o.state <> each.s ORDER BY o.id DESC LIMIT 1), 0)
        ORDER BY h.id LIMIT 1;
        INSERT INTO troth.claim_state (claim, programme_id, state, evidence, checked_at, since, told_at)
        VALUES (each.c, each.p, each.s, each.e, now, stands, told.checked_at)
        ON CONFLICT (claim, programme_id) DO UPDATE SET state = EXCLUDED.state, evidence = EXCLUDED.evidence,
            checked_at = EXCLUDED.checked_at, since = EXCLUDED.since, told_at = EXCLUDED.told_at;
    END LOOP;
    DELETE FROM troth.claim_ask a WHERE a.claim = ANY (p_claims);
    RETURN now;
END $$;
DROP FUNCTION claim_record_v1;

-- A row of the history with its own entry, which holds all that the row does; granted to nobody.
CREATE FUNCTION claim_enter(p_claim text, p_programme uuid, p_state text, p_evidence text, p_at timestamptz,
                            p_before claim_history, p_version text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    made bigint := nextval(pg_get_serial_sequence('troth.claim_history', 'id'));
    is_first boolean := (p_before).version IS DISTINCT FROM p_version;
    waits bigint[];
BEGIN
    waits := troth.ledger_entry(ARRAY['trust:claim:check'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['checked_at', 'claim', 'evidence', 'first', 'programme', 'row', 'state', 'version', 'was'],
        ARRAY[((extract(epoch FROM p_at) * 1000000)::bigint)::text, p_claim, encode(sha256(convert_to(p_evidence, 'UTF8')), 'hex'),
              CASE WHEN is_first THEN 'yes' ELSE 'no' END, coalesce(p_programme::text, ''), made::text, p_state, p_version,
              coalesce((p_before).state, '')])]);
    INSERT INTO troth.claim_history (id, claim, programme_id, state, evidence, checked_at, was, first, version, entry)
    OVERRIDING SYSTEM VALUE
    VALUES (made, p_claim, p_programme, p_state, p_evidence, p_at, (p_before).state, is_first, p_version,
            (SELECT p.leaf_hash FROM troth.ledger_pending p WHERE p.id = waits[1]));
END $$;

-- Somebody with the right asks for a look; the watch makes it within a minute or two.
CREATE FUNCTION claim_ask_v1(p_claim text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.allowed(p_session, 'claim:check', NULL);
    INSERT INTO troth.claim_ask (claim, at) VALUES (p_claim, troth.now_v1()) ON CONFLICT DO NOTHING;
END $$;

-- Mail to those whose role answers for a claim, of the turns since they were last told: one letter, at most one an hour. A
-- role that nobody has is the owners'. Of a claim that turned more than once the newest turn is told. How many letters.
CREATE FUNCTION claim_tell_v1(p_claims text[], p_owners text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    newest bigint := (SELECT max(h.id) FROM troth.claim_history h);
    who troth.account;
    since bigint;
    news record;
    n integer := 0;
BEGIN
    FOR who IN SELECT a.* FROM troth.account a LEFT JOIN troth.claim_told d ON d.account_id = a.id
               WHERE a.tenant_id IS NULL AND a.disabled_at IS NULL
                 AND (d.at IS NULL OR d.at > now OR d.at <= now - interval '1 hour') LOOP
        since := coalesce((SELECT d.row_id FROM troth.claim_told d WHERE d.account_id = who.id),
                          (SELECT max(h.id) FROM troth.claim_history h WHERE h.checked_at <= who.created_at), 0);
        SELECT count(*) AS claims, count(*) FILTER (WHERE t.state = 'fails') AS fails,
               string_agg(t.line, '; ' ORDER BY t.state <> 'fails', t.claim, t.code) AS lines, min(t.claim) AS one
        INTO news
        FROM (SELECT DISTINCT ON (h.claim, h.programme_id) h.claim, h.state, p.code,
                     h.claim || coalesce(' of ' || p.code, '') || CASE h.state WHEN 'fails' THEN ' fails'
                         WHEN 'holds' THEN ' holds' WHEN 'stale' THEN ' is stale' ELSE ' has no data' END AS line
              FROM troth.claim_history h
              JOIN unnest(p_claims, p_owners) AS o(claim, role) ON o.claim = h.claim
              LEFT JOIN troth.programme p ON p.id = h.programme_id
              WHERE h.id > since AND h.was <> h.state AND (NOT h.first OR h.state = 'fails') -- what fails now held before
                AND (o.role = who.role OR (who.role = 'owner' AND NOT EXISTS (SELECT FROM troth.account b
                     WHERE b.tenant_id IS NULL AND b.disabled_at IS NULL AND b.role = o.role)))
              ORDER BY h.claim, h.programme_id, h.id DESC) AS t;
        CONTINUE WHEN news.claims = 0;
        INSERT INTO troth.claim_told AS d (account_id, at, row_id) VALUES (who.id, now, newest)
        ON CONFLICT (account_id) DO UPDATE SET at = now, row_id = newest;
        PERFORM troth.access_tell(who.id, 'claim-notice', newest::text, jsonb_build_object(
            'claims', news.claims, 'fails', news.fails,
            'lines', CASE WHEN length(news.lines) > 380 THEN left(news.lines, 370) || ', and more' ELSE news.lines END,
            'claim', CASE WHEN news.claims = 1 THEN news.one ELSE '' END));
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- Claims that turned to fail and have had no case of that turn yet; none while one of the claim and programme is open.
CREATE FUNCTION claim_turned_v1() RETURNS TABLE (claim text, programme_id uuid, turn bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT k.claim, k.programme_id, h.id
    FROM troth.claim_state k JOIN LATERAL (
        SELECT * FROM troth.claim_history o WHERE o.claim = k.claim AND o.programme_id IS NOT DISTINCT FROM k.programme_id
        AND o.checked_at = k.since ORDER BY o.id DESC LIMIT 1) AS h ON h.was <> h.state
    WHERE k.state = 'fails' AND NOT EXISTS (
        SELECT FROM troth.case_file f WHERE f.kind = 'incident' AND f.cause = 'claim'
        AND starts_with(f.key, 'claim:' || k.claim || ':' || coalesce(k.programme_id::text, '') || ':')
        AND (f.state <> 'closed' OR f.key LIKE '%:' || h.id))
$$;

-- A case of such a turn; NULL: there is nothing to open any more. People close it.
CREATE FUNCTION claim_case_v1(p_id uuid, p_claim text, p_programme uuid, p_title text, p_clocks text[], p_dues timestamptz[],
                              p_words bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    turned bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7410, hashtext('incident'));
    SELECT t.turn INTO turned FROM troth.claim_turned_v1() AS t
    WHERE t.claim = p_claim AND t.programme_id IS NOT DISTINCT FROM p_programme;
    IF turned IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN troth.case_open_v1(p_id, 'incident', 'claim', 'claim:' || p_claim || ':' || coalesce(p_programme::text, '') || ':' || turned,
                              p_title, 'high', NULL, p_programme, NULL, NULL, NULL, p_clocks, p_dues, p_words);
END $$;
