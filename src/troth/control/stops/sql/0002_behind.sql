-- A database that is behind what the ledger has shown already (an old backup, an old copy of the machine) has forgotten
-- opt-outs, complaints, stops and what was sent. The sequencer is the first to see it: its witness holds a checkpoint that
-- this ledger does not. It stops all sending, and two people alone let it go on, as after any stop.

-- True: it was not stopped for this yet. p_seen: entries of the ledger that the witness saw.
CREATE FUNCTION ledger_behind_v1(p_seen bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger-behind', 0));
    IF EXISTS (SELECT FROM troth.pause WHERE tenant_id IS NULL AND started_by = 'ledger' AND released_at IS NULL) THEN
        RETURN false;
    END IF;
    PERFORM troth.pause_v1(ARRAY[NULL]::uuid[], 'stop-delivery', 'The database is behind its ledger: '
        || to_char(p_seen, 'FM999,999,999,999') || ' entries were seen before, and this database does not hold them. It was '
        'rolled back or is an old copy.', 'ledger');
    RETURN true;
END $$;

-- A clock that was once ahead left its highest mark in the future, and nothing is sent until then. Whoever has found that
-- the clock is right now stops everything in so many words; when two people have released that stop, the mark is the time
-- of the release. Nothing else takes a mark back.
CREATE FUNCTION clock_stop_v1(p_reason text, p_session bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'pause:start', NULL);
    made uuid := gen_random_uuid();
    mark timestamptz := (SELECT high_water FROM troth.clock_mark);
    utc text := 'YYYY-MM-DD"T"HH24:MI:SS"Z"';
BEGIN
    IF coalesce(mark <= troth.now_v1() + interval '5 seconds', true) THEN
        RAISE EXCEPTION 'the clock does not stand behind its highest mark: there is nothing to take back' USING ERRCODE = '55000';
    ELSIF EXISTS (SELECT FROM troth.pause WHERE started_by = 'clock' AND released_at IS NULL) THEN
        RAISE EXCEPTION 'everything is stopped for the clock already: propose the release of that stop' USING ERRCODE = '55000';
    ELSIF btrim(coalesce(p_reason, '')) = '' THEN
        RAISE EXCEPTION 'say why, for those who look at it later' USING ERRCODE = '22023';
    END IF;
    INSERT INTO troth.pause (id, tenant_id, effect, reason, started_by, started_at)
    VALUES (made, NULL, 'stop-delivery', left(p_reason, 4000), 'clock', troth.now_v1());
    PERFORM troth.ledger_entry(ARRAY['sending:clock:stop'], ARRAY[NULL]::uuid[], ARRAY[troth.leaf_json(
        ARRAY['by', 'mark', 'now', 'pause', 'reason'],
        ARRAY[who.human_id::text, to_char(mark AT TIME ZONE 'UTC', utc), to_char(troth.now_v1() AT TIME ZONE 'UTC', utc),
              made::text, left(p_reason, 4000)])]);
    RETURN made;
END $$;

CREATE FUNCTION clock_trusted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    old_mark timestamptz := (SELECT high_water FROM troth.clock_mark);
    utc text := 'YYYY-MM-DD"T"HH24:MI:SS"Z"';
BEGIN
    UPDATE troth.clock_mark SET high_water = troth.now_v1();
    PERFORM troth.ledger_entry(ARRAY['sending:clock:set'], ARRAY[NULL]::uuid[], ARRAY[troth.leaf_json(
        ARRAY['change', 'from', 'to'],
        ARRAY[NEW.release_change::text, to_char(old_mark AT TIME ZONE 'UTC', utc),
              to_char(troth.now_v1() AT TIME ZONE 'UTC', utc)])]);
    RETURN NULL;
END $$;
CREATE TRIGGER clock_trusted AFTER UPDATE OF released_at ON pause FOR EACH ROW
    WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND NEW.started_by = 'clock')
    EXECUTE FUNCTION clock_trusted();
