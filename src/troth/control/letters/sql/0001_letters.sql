-- Letters that no code could deal with, or that are for people anyway: kept by desk and reason, bounded, counted by day.

ALTER TABLE inbound_letter
    DROP CONSTRAINT inbound_letter_desk_check,
    ADD CONSTRAINT inbound_letter_desk_check
        CHECK (desk IN ('postmaster', 'bounce', 'complaint', 'report', 'abuse', 'security')),
    -- why it is here: 'letter' is one for people; the others are a desk's closed words (docs/bounce-handling.md)
    ADD COLUMN reason text NOT NULL DEFAULT 'letter' CHECK (reason ~ '^[a-z][a-z0-9-]{0,39}$'),
    -- 16 octets of SHA-256 of the letter: the same letter again is the same row
    ADD COLUMN digest bytea CHECK (octet_length(digest) = 16),
    ADD COLUMN done_at timestamptz,
    ADD COLUMN done_by uuid REFERENCES account,
    ADD CONSTRAINT inbound_letter_done CHECK ((done_at IS NULL) = (done_by IS NULL));
CREATE UNIQUE INDEX inbound_letter_once ON inbound_letter (desk, digest);
CREATE INDEX inbound_letter_open ON inbound_letter (desk, reason, at) WHERE done_at IS NULL;
CREATE INDEX inbound_letter_desk ON inbound_letter (desk, at, id);
-- What is done about a letter moves on; the letter itself stays as it came.
CREATE TRIGGER insert_only BEFORE UPDATE OF id, desk, reason, digest, at, size, letter_ct ON inbound_letter
    FOR EACH ROW EXECUTE FUNCTION insert_only();

-- How many came, by desk, reason and day (UTC). `dropped`: not kept, since the desk was full of unread ones.
CREATE TABLE inbound_count (
    desk    text NOT NULL CHECK (desk IN ('postmaster', 'bounce', 'complaint', 'report', 'abuse', 'security')),
    reason  text NOT NULL CHECK (reason ~ '^[a-z][a-z0-9-]{0,39}$'),
    day     date NOT NULL,
    n       integer NOT NULL CHECK (n >= 0),
    dropped integer NOT NULL DEFAULT 0 CHECK (dropped BETWEEN 0 AND n),
    PRIMARY KEY (desk, reason, day)
);
CREATE INDEX inbound_count_day ON inbound_count (day);

CREATE FUNCTION letter_count_v1(p_desk text, p_reason text, p_dropped boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    INSERT INTO troth.inbound_count AS c (desk, reason, day, n, dropped)
    VALUES (p_desk, p_reason, (troth.now_v1() AT TIME ZONE 'UTC')::date, 1, p_dropped::int)
    ON CONFLICT (desk, reason, day) DO UPDATE SET n = c.n + 1, dropped = c.dropped + p_dropped::int
$$;

-- 'kept'; 'known': the same letter is here; 'full': the desk has p_most unread ones, or p_most_of_reason of this reason,
-- or p_octets of them: then it is a number alone. So a flood neither fills the disk nor hides what comes for another reason.
CREATE FUNCTION letter_keep_v1(p_id uuid, p_desk text, p_reason text, p_digest bytea, p_size integer, p_letter bytea,
                               p_most integer, p_most_of_reason integer, p_octets bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    waiting bigint; alike bigint; held bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('letter_keep:' || p_desk, 0));
    IF EXISTS (SELECT FROM troth.inbound_letter WHERE desk = p_desk AND digest = p_digest) THEN
        RETURN 'known';
    END IF;
    SELECT count(*), count(*) FILTER (WHERE reason = p_reason), coalesce(sum(octet_length(letter_ct)), 0)
    INTO waiting, alike, held FROM troth.inbound_letter WHERE desk = p_desk AND done_at IS NULL AND read_at IS NULL;
    IF waiting >= p_most OR alike >= p_most_of_reason OR held + octet_length(p_letter) > p_octets THEN
        PERFORM troth.letter_count_v1(p_desk, p_reason, true);
        RETURN 'full';
    END IF;
    PERFORM troth.letter_count_v1(p_desk, p_reason, false);
    INSERT INTO troth.inbound_letter (id, desk, reason, digest, at, size, letter_ct)
    VALUES (p_id, p_desk, p_reason, p_digest, troth.now_v1(), p_size, p_letter);
    RETURN 'kept';
END $$;

-- People are done with these letters; an entry of the ledger says with how many, and with the SHA-256 of their ids, in order
-- and a space between them, with which. Those that are done already stay so.
CREATE FUNCTION letters_done_v1(p_letters uuid[], p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'letter:done', NULL);
    n integer;
    which text;
    desks text;
BEGIN
    WITH done AS (
        UPDATE troth.inbound_letter SET done_at = troth.now_v1(), done_by = who.id
        WHERE id = ANY(p_letters) AND done_at IS NULL RETURNING id, desk)
    SELECT count(*), string_agg(d.id::text, ' ' ORDER BY d.id), string_agg(DISTINCT d.desk, ' ') INTO n, which, desks FROM done d;
    IF n > 0 THEN
        PERFORM troth.ledger_entry(ARRAY['feedback:letter:done'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
            ARRAY['by', 'count', 'desks', 'letters'],
            ARRAY[who.human_id::text, n::text, desks, encode(sha256(convert_to(which, 'UTF8')), 'hex')])]);
    END IF;
    RETURN n;
END $$;

-- A flood put aside at once: all of a desk and reason that came until a moment that the person saw.
CREATE FUNCTION letters_all_done_v1(p_desk text, p_reason text, p_until timestamptz, p_session bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF p_until IS NULL OR p_until > troth.now_v1() THEN
        RAISE EXCEPTION 'say until when you saw what there is: nobody is done with letters that have not come' USING ERRCODE = '22023';
    END IF;
    RETURN troth.letters_done_v1(ARRAY(SELECT id FROM troth.inbound_letter
        WHERE desk = p_desk AND reason = p_reason AND done_at IS NULL AND at <= p_until), p_session);
END $$;

-- A letter's octets for whoever may read it, and the papers of its desk's cases; each reading is an entry, which names the desk.
CREATE OR REPLACE FUNCTION inbound_read_v1(p_letter uuid, p_session bytea) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'letter:read', NULL);
    found troth.inbound_letter;
BEGIN
    UPDATE troth.inbound_letter SET read_at = coalesce(read_at, troth.now_v1()), read_by = coalesce(read_by, who.id)
    WHERE id = p_letter RETURNING * INTO found;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'there is no such letter' USING ERRCODE = '55000';
    ELSIF found.desk IN ('abuse', 'security') THEN
        PERFORM troth.allowed(p_session, CASE found.desk WHEN 'abuse' THEN 'abuse-case:paper' ELSE 'disclosure:paper' END, NULL);
    END IF;
    PERFORM troth.ledger_entry(ARRAY['feedback:letter:read'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'letter', 'desk'], ARRAY[who.human_id::text, p_letter::text, found.desk])]);
    RETURN found.letter_ct;
END $$;
