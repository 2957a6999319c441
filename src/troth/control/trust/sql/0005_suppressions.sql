-- The suppression list against its feed, in parts: a check takes as long at ten million entries as at a hundred thousand.

-- By blind index, as the part is compared.
CREATE INDEX suppression_feed_index ON suppression_feed (blind_index, reason);

-- One part of the list, by its blind indexes (they are evenly spread), entry by entry against the same part of the feed; and
-- the newest p_most rows of the feed against the list. A small list is one part. p_turn: which part, in turn.
-- listed, fed: entries of the part; newest: the feed's last id; wrong: entries without the other.
CREATE FUNCTION suppression_part_v1(p_turn bigint, p_most integer)
RETURNS TABLE (part integer, parts integer, listed bigint, fed bigint, wrong bigint, newest bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    low bytea;
    high bytea;
BEGIN
    newest := coalesce((SELECT max(f.id) FROM troth.suppression_feed f), 0);
    parts := 1;
    WHILE newest > p_most::bigint * parts AND parts < 65536 LOOP
        parts := parts * 2;
    END LOOP;
    part := (p_turn % parts)::integer;
    low := substring(int8send((part::bigint << 32) / parts) FROM 5);
    high := CASE WHEN part + 1 = parts THEN decode(repeat('ff', 33), 'hex')
                 ELSE substring(int8send(((part + 1)::bigint << 32) / parts) FROM 5) END;
    SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM troth.suppression_feed f WHERE f.blind_index = s.blind_index AND f.reason = s.reason))
    INTO listed, wrong FROM troth.suppression s WHERE s.blind_index >= low AND s.blind_index < high;
    SELECT count(*), wrong + count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM troth.suppression s WHERE s.blind_index = f.blind_index AND s.reason = f.reason))
    INTO fed, wrong FROM troth.suppression_feed f WHERE f.blind_index >= low AND f.blind_index < high;
    wrong := wrong + abs(listed - fed);
    IF parts > 1 THEN
        wrong := wrong + (SELECT count(*) FROM troth.suppression_feed f WHERE f.id > newest - p_most AND NOT EXISTS (
            SELECT FROM troth.suppression s WHERE s.blind_index = f.blind_index AND s.reason = f.reason));
    END IF;
    RETURN NEXT;
END $$;
