-- What the inbound server leaves: that it lives, and the letters that a person has to read.

-- One row a domain whose mail is taken. `at` is the house's clock, `seen` the machine's own: a moved clock silences nobody.
CREATE TABLE inbound_beat (
    domain text PRIMARY KEY CHECK (domain <> '' AND domain = lower(domain) AND octet_length(domain) <= 255),
    at     timestamptz NOT NULL,
    seen   timestamptz NOT NULL
);

-- Letters to postmaster (RFC 5321 section 4.5.1), whole and sealed: an envelope's line or two, then the letter as it came.
CREATE TABLE inbound_letter (
    id        uuid PRIMARY KEY,
    desk      text NOT NULL CHECK (desk IN ('postmaster')),
    at        timestamptz NOT NULL,
    size      integer NOT NULL CHECK (size >= 0),
    letter_ct bytea NOT NULL CHECK (get_byte(letter_ct, 0) = 1),
    read_at   timestamptz,
    read_by   uuid REFERENCES account,
    CHECK ((read_at IS NULL) = (read_by IS NULL))
);
CREATE INDEX inbound_letter_unread ON inbound_letter (at) WHERE read_at IS NULL;
CREATE INDEX inbound_letter_newest ON inbound_letter (at);

-- A letter's octets for whoever may read it; each reading is an entry.
CREATE FUNCTION inbound_read_v1(p_letter uuid, p_session bytea) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'letter:read', NULL);
    found bytea;
BEGIN
    UPDATE troth.inbound_letter SET read_at = coalesce(read_at, troth.now_v1()), read_by = coalesce(read_by, who.id)
    WHERE id = p_letter RETURNING letter_ct INTO found;
    IF found IS NULL THEN
        RAISE EXCEPTION 'there is no such letter' USING ERRCODE = '55000';
    END IF;
    PERFORM troth.ledger_entry(ARRAY['feedback:letter:read'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['by', 'letter'], ARRAY[who.human_id::text, p_letter::text])]);
    RETURN found;
END $$;
