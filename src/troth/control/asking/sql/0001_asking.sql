-- What strangers ask of a programme's trust centre: a question, or documents that are not public. Nothing is owed before
-- its address was confirmed by the button behind our one mail to it. Unconfirmed, it is gone after 48 hours; what
-- was asked and answered is shredded 90 days after the answer, and that it was asked and when it was answered stays.

CREATE TABLE asked (
    id            uuid PRIMARY KEY,
    programme_id  uuid NOT NULL REFERENCES programme,
    kind          text NOT NULL CHECK (kind IN ('question', 'documents')),
    reference     text UNIQUE CHECK (reference ~ '^ASK-[0-9]{4}-[0-9]{4,}$'),   -- given when it is confirmed
    asked_at      timestamptz NOT NULL,
    place         bytea CHECK (octet_length(place) = 32),                      -- of its network, as a keyed hash; 48 hours
    mailbox       bytea CHECK (octet_length(mailbox) = 32),                    -- the index of its address without a +tag
    address_index bytea CHECK (octet_length(address_index) = 32),
    address_ct    bytea CHECK (get_byte(address_ct, 0) = 1),                   -- sealed to keys/places.asked of its id
    words_ct      bytea CHECK (get_byte(words_ct, 0) = 1),                     -- name, firm, question: the same
    wants         text[] NOT NULL,                                             -- kinds of evidence; of a question, none
    agreement     bytea CHECK (octet_length(agreement) = 32),                  -- of the text that was agreed to
    confirmed_at  timestamptz,
    due_at        timestamptz,
    decided_at    timestamptz,
    decided_by    uuid REFERENCES account,
    outcome       text CHECK (outcome IN ('answered', 'granted', 'refused', 'put-aside')),
    answer_ct     bytea CHECK (get_byte(answer_ct, 0) = 1),
    pieces        uuid[],                                                      -- of evidence, that may be taken
    until         timestamptz,                                                 -- and until when
    shredded_at   timestamptz,
    CHECK ((confirmed_at IS NULL) = (reference IS NULL) AND (confirmed_at IS NULL) = (due_at IS NULL)),
    CHECK (due_at > confirmed_at AND due_at <= confirmed_at + interval '92 days'),
    CHECK ((decided_at IS NULL) = (outcome IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (decided_at IS NULL OR confirmed_at IS NOT NULL),
    CHECK ((kind = 'documents') = (agreement IS NOT NULL) AND (kind = 'documents') = (cardinality(wants) > 0)),
    CHECK ((outcome IS NOT DISTINCT FROM 'granted') = (until IS NOT NULL) AND (until IS NULL) = (pieces IS NULL)),
    CHECK (until <= decided_at + interval '7 days'),
    CHECK (kind = 'documents' OR outcome NOT IN ('granted', 'refused')),
    CHECK ((shredded_at IS NULL) = (address_ct IS NOT NULL) AND (shredded_at IS NULL) = (words_ct IS NOT NULL))
);
CREATE INDEX asked_mailbox ON asked (mailbox, asked_at);
CREATE INDEX asked_index ON asked (address_index);
CREATE INDEX asked_place ON asked (place, asked_at) WHERE place IS NOT NULL;
CREATE INDEX asked_at ON asked (asked_at, id);
CREATE INDEX asked_waiting ON asked (due_at) WHERE decided_at IS NULL AND confirmed_at IS NOT NULL;
CREATE INDEX asked_unconfirmed ON asked (asked_at) WHERE confirmed_at IS NULL;

CREATE TABLE asked_number (year integer PRIMARY KEY, last integer NOT NULL);

-- Facts are written once, and words only go; what was confirmed is never deleted.
CREATE FUNCTION asked_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.confirmed_at IS NULL THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'what was confirmed stays on record' USING ERRCODE = '42501';
    ELSIF (NEW.id, NEW.programme_id, NEW.kind, NEW.asked_at, NEW.wants, NEW.agreement) IS DISTINCT FROM
          (OLD.id, OLD.programme_id, OLD.kind, OLD.asked_at, OLD.wants, OLD.agreement)
       OR (OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.reference, NEW.due_at) IS DISTINCT FROM
           (OLD.confirmed_at, OLD.reference, OLD.due_at))
       OR (OLD.decided_at IS NOT NULL AND (NEW.decided_at, NEW.decided_by, NEW.outcome, NEW.pieces) IS DISTINCT FROM
           (OLD.decided_at, OLD.decided_by, OLD.outcome, OLD.pieces))
       OR (OLD.decided_at IS NOT NULL AND NEW.until IS DISTINCT FROM OLD.until)
       OR (OLD.shredded_at IS NOT NULL AND NEW IS DISTINCT FROM OLD)
       OR (NEW.address_ct IS NOT NULL AND NEW.address_ct IS DISTINCT FROM OLD.address_ct)
       OR (NEW.words_ct IS NOT NULL AND NEW.words_ct IS DISTINCT FROM OLD.words_ct) THEN
        RAISE EXCEPTION 'what was asked and when is written once' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON asked FOR EACH ROW EXECUTE FUNCTION asked_guard();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON asked FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Mail to whoever asked, from the programme's own tenant.
CREATE TABLE asked_letter (
    id       uuid PRIMARY KEY,
    asked_id uuid NOT NULL REFERENCES asked ON DELETE CASCADE,
    kind     text NOT NULL CHECK (kind IN ('confirm', 'answer')),
    at       timestamptz NOT NULL,
    tried_at timestamptz,
    done_at  timestamptz,
    email_id uuid,
    why      text CHECK (why <> ''),
    UNIQUE (asked_id, kind),
    CHECK ((done_at IS NULL AND email_id IS NULL AND why IS NULL) OR (done_at IS NOT NULL AND (email_id IS NULL) = (why IS NOT NULL)))
);
CREATE INDEX asked_letter_due ON asked_letter (at) WHERE done_at IS NULL;

-- A question and its answer as the public may read them, by staff's choice; taken back at any time.
CREATE TABLE asked_published (
    asked_id     uuid PRIMARY KEY REFERENCES asked,
    programme_id uuid NOT NULL REFERENCES programme,
    question     text NOT NULL CHECK (btrim(question) <> '' AND char_length(question) <= 1000),
    answer       text NOT NULL CHECK (btrim(answer) <> '' AND char_length(answer) <= 4000),
    at           timestamptz NOT NULL,
    by_account   uuid NOT NULL REFERENCES account,
    withdrawn_at timestamptz
);
CREATE INDEX asked_published_of ON asked_published (programme_id, at) WHERE withdrawn_at IS NULL;

-- Each time that somebody took a document.
CREATE TABLE asked_taken (
    id       uuid PRIMARY KEY,
    asked_id uuid NOT NULL REFERENCES asked,
    piece    uuid NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX asked_taken_of ON asked_taken (asked_id, at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON asked_taken FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON asked_taken FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- a check finds its entries of the ledger
CREATE INDEX ledger_leaf_asking ON ledger_leaf (index) WHERE kind LIKE 'trust:asking:%';

CREATE FUNCTION asked_entry(p_act text, a asked, p_by account, p_more text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.ledger_entry(ARRAY['trust:asking:' || p_act], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
        ARRAY['asked', 'by', 'due', 'of', 'programme', 'reference', 'what'],
        ARRAY[(a).id::text, coalesce((p_by).human_id::text, ''),
              coalesce(((extract(epoch FROM (a).due_at) * 1000000)::bigint)::text, ''), (a).kind, (a).programme_id::text,
              coalesce((a).reference, ''), p_more])])
$$;

-- ---- what anybody does ------------------------------------------------------------------------------------------

-- What came of it: 'kept' (its letter is queued), 'full' (its network asked enough today, or too many came within the hour
-- from everywhere) or 'often' (its address had one today). An address is counted without its +tag. 'full' is said to
-- whoever sends it and 'often' is not: so whether it is full is found out before the address is looked at.
CREATE FUNCTION asked_file_v1(p_id uuid, p_letter uuid, p_programme uuid, p_kind text, p_place bytea, p_mailbox bytea,
                              p_index bytea, p_address bytea, p_words bytea, p_wants text[], p_agreement bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
BEGIN
    PERFORM pg_advisory_xact_lock(7413, 0);
    IF EXISTS (SELECT FROM troth.asked a WHERE a.id = p_id) THEN
        RETURN 'kept'; -- the same form, sent twice
    ELSIF (SELECT count(*) FROM troth.asked a WHERE a.place = p_place AND a.asked_at > now - interval '24 hours') >= 10
       OR (SELECT count(*) FROM troth.asked a WHERE a.confirmed_at IS NULL AND a.asked_at > now - interval '1 hour') >= 120 THEN
        RETURN 'full';
    ELSIF EXISTS (SELECT FROM troth.asked a WHERE a.mailbox = p_mailbox AND a.asked_at > now - interval '24 hours') THEN
        RETURN 'often';
    END IF;
    INSERT INTO troth.asked (id, programme_id, kind, asked_at, place, mailbox, address_index, address_ct, words_ct, wants, agreement)
    VALUES (p_id, p_programme, p_kind, now, p_place, p_mailbox, p_index, p_address, p_words, coalesce(p_wants, '{}'), p_agreement);
    INSERT INTO troth.asked_letter (id, asked_id, kind, at) VALUES (p_letter, p_id, 'confirm', now);
    RETURN 'kept';
END $$;

-- What whoever holds the link of our mail is shown: how it stands, and nothing of what was typed.
CREATE FUNCTION asked_shown_v1(p_id uuid)
RETURNS TABLE (kind text, programme_id uuid, reference text, asked_at timestamptz, wants text[], agreement bytea,
               confirmed_at timestamptz, due_at timestamptz, decided_at timestamptz, outcome text, until timestamptz, over boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.kind, a.programme_id, a.reference, a.asked_at, a.wants, a.agreement, a.confirmed_at, a.due_at, a.decided_at,
           a.outcome, a.until, a.confirmed_at IS NULL AND a.asked_at <= troth.now_v1() - interval '48 hours'
    FROM troth.asked a WHERE a.id = p_id
$$;

-- The button behind our mail: it is owed an answer from now on. Beyond 200 that wait, nothing more is promised. What came
-- of it: 'confirmed' (now or before), 'full', or 'gone'.
CREATE FUNCTION asked_confirm_v1(p_id uuid, p_due timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a troth.asked;
    now timestamptz := troth.now_v1();
    this integer := extract(year FROM now AT TIME ZONE 'UTC');
    n integer;
BEGIN
    SELECT * INTO a FROM troth.asked x WHERE x.id = p_id FOR UPDATE;
    IF a.confirmed_at IS NOT NULL THEN
        RETURN 'confirmed';
    ELSIF a.id IS NULL OR a.asked_at <= now - interval '48 hours' THEN
        RETURN 'gone';
    END IF;
    PERFORM pg_advisory_xact_lock(7413, 1);
    IF (SELECT count(*) FROM troth.asked x WHERE x.programme_id = a.programme_id AND x.confirmed_at IS NOT NULL
        AND x.decided_at IS NULL) >= 200 THEN
        RETURN 'full';
    END IF;
    INSERT INTO troth.asked_number AS k (year, last) VALUES (this, 1) ON CONFLICT (year) DO UPDATE SET last = k.last + 1
    RETURNING last INTO n;
    UPDATE troth.asked x SET confirmed_at = now, due_at = p_due, place = NULL,
        reference = 'ASK-' || this || '-' || CASE WHEN n < 10000 THEN lpad(n::text, 4, '0') ELSE n::text END
    WHERE x.id = p_id RETURNING * INTO a;
    PERFORM troth.asked_entry('confirm', a, NULL, '');
    RETURN 'confirmed';
END $$;

-- The kinds of documents that may be asked for: those of which there is a piece that two people accepted, that is not
-- public and not over. Its title is not told.
CREATE FUNCTION asked_offers_v1(p_programme uuid) RETURNS TABLE (kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT e.kind FROM troth.evidence e
    WHERE (e.programme_id = p_programme OR e.programme_id IS NULL) AND NOT e.public AND e.accepted_at IS NOT NULL
      AND e.withdrawn_at IS NULL AND e.valid_until >= (troth.now_v1() AT TIME ZONE 'UTC')::date
      AND e.kind NOT IN ('training', 'enrolment', 'safe-harbour') ORDER BY 1;
END $$;

-- The pieces that would meet a request, for staff to choose from, and for whoever was granted them.
CREATE FUNCTION asked_pieces_v1(p_id uuid)
RETURNS TABLE (piece uuid, kind text, title text, filename text, size integer, granted boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT e.id, e.kind, e.title, e.filename, e.size, e.id = ANY (coalesce(a.pieces, '{}'))
    FROM troth.asked a JOIN troth.evidence e ON e.kind = ANY (a.wants) AND (e.programme_id = a.programme_id OR e.programme_id IS NULL)
    WHERE a.id = p_id AND NOT e.public AND e.accepted_at IS NOT NULL AND e.withdrawn_at IS NULL
      AND e.valid_until >= (troth.now_v1() AT TIME ZONE 'UTC')::date
    ORDER BY e.kind, e.accepted_at DESC LIMIT 100;
END $$;

-- One document, for whoever was granted it, for as long: each taking is on record, at most fifty. Nothing: it is not theirs.
CREATE FUNCTION asked_take_v1(p_id uuid, p_piece uuid) RETURNS TABLE (filename text, file_ct bytea, sha256 bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    a troth.asked;
BEGIN
    SELECT * INTO a FROM troth.asked x WHERE x.id = p_id FOR UPDATE;
    IF a.outcome IS DISTINCT FROM 'granted' OR a.until <= troth.now_v1() OR NOT p_piece = ANY (a.pieces)
       OR (SELECT count(*) FROM troth.asked_taken t WHERE t.asked_id = p_id) >= 50
       OR NOT EXISTS (SELECT FROM troth.evidence e WHERE e.id = p_piece AND e.withdrawn_at IS NULL) THEN
        RETURN;
    END IF;
    INSERT INTO troth.asked_taken (id, asked_id, piece, at) VALUES (troth.uuid7_now(), p_id, p_piece, troth.now_v1());
    PERFORM troth.asked_entry('take', a, NULL, p_piece::text);
    RETURN QUERY SELECT e.filename, e.file_ct, e.sha256 FROM troth.evidence e WHERE e.id = p_piece;
END $$;

CREATE FUNCTION asked_published_v1(p_programme uuid) RETURNS TABLE (question text, answer text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT p.question, p.answer, p.at FROM troth.asked_published p
    WHERE p.programme_id = p_programme AND p.withdrawn_at IS NULL ORDER BY p.at DESC LIMIT 200
$$;

-- ---- what staff do ----------------------------------------------------------------------------------------------

-- What was confirmed, what is due first above; nothing of what was typed. `p_state`: waiting, done, or all.
CREATE FUNCTION asked_list_v1(p_session bytea, p_state text, p_before uuid, p_most integer)
RETURNS TABLE (id uuid, kind text, reference text, programme text, confirmed_at timestamptz, due_at timestamptz,
               decided_at timestamptz, outcome text, shredded boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.allowed(p_session, 'asking:read', NULL);
    RETURN QUERY
    SELECT a.id, a.kind, a.reference, p.name, a.confirmed_at, a.due_at, a.decided_at, a.outcome, a.shredded_at IS NOT NULL
    FROM troth.asked a JOIN troth.programme p ON p.id = a.programme_id
    WHERE a.confirmed_at IS NOT NULL AND CASE p_state WHEN 'waiting' THEN a.decided_at IS NULL WHEN 'done' THEN a.decided_at IS NOT NULL
          ELSE true END AND (p_before IS NULL OR a.id < p_before)
    ORDER BY CASE WHEN p_state = 'waiting' THEN a.due_at END, a.id DESC LIMIT p_most;
END $$;

-- How many wait, and when the first is due; nothing where none does.
CREATE FUNCTION asked_waiting_v1(p_session bytea) RETURNS TABLE (n bigint, due timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.allowed(p_session, 'asking:act', NULL);
    RETURN QUERY SELECT count(*), min(a.due_at) FROM troth.asked a WHERE a.confirmed_at IS NOT NULL AND a.decided_at IS NULL
    HAVING count(*) > 0;
END $$;

-- One, with what is sealed; that it was read is an entry of the ledger, each time.
CREATE FUNCTION asked_read_v1(p_session bytea, p_id uuid)
RETURNS TABLE (id uuid, kind text, reference text, programme_id uuid, programme text, code text, asked_at timestamptz,
               confirmed_at timestamptz, due_at timestamptz, decided_at timestamptz, decided_by uuid, outcome text, wants text[],
               agreement bytea, pieces uuid[], until timestamptz, shredded_at timestamptz, address_ct bytea, words_ct bytea,
               answer_ct bytea, mailed text, published_at timestamptz, withdrawn_at timestamptz, taken bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'asking:read', NULL);
BEGIN
    IF EXISTS (SELECT FROM troth.asked a WHERE a.id = p_id AND a.confirmed_at IS NOT NULL) THEN
        PERFORM troth.ledger_entry(ARRAY['access:asking:view'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
            ARRAY['account', 'asked'], ARRAY[who.id::text, p_id::text])]);
    END IF;
    RETURN QUERY
    SELECT a.id, a.kind, a.reference, a.programme_id, p.name, p.code, a.asked_at, a.confirmed_at, a.due_at, a.decided_at,
           a.decided_by, a.outcome, a.wants, a.agreement, a.pieces, a.until, a.shredded_at, a.address_ct, a.words_ct, a.answer_ct,
           CASE WHEN l.id IS NULL THEN '' WHEN l.why IS NOT NULL THEN l.why WHEN l.done_at IS NULL THEN 'queued' ELSE 'mailed' END,
           q.at, q.withdrawn_at, (SELECT count(*) FROM troth.asked_taken t WHERE t.asked_id = a.id)
    FROM troth.asked a JOIN troth.programme p ON p.id = a.programme_id
    LEFT JOIN troth.asked_letter l ON l.asked_id = a.id AND l.kind = 'answer'
    LEFT JOIN troth.asked_published q ON q.asked_id = a.id
    WHERE a.id = p_id AND a.confirmed_at IS NOT NULL;
END $$;

-- The answer: mailed, but for 'put-aside', of which nobody is written to. p_letter makes the same form, sent twice, one.
CREATE FUNCTION asked_decide_v1(p_id uuid, p_letter uuid, p_outcome text, p_answer bytea, p_pieces uuid[], p_session bytea)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'asking:act', NULL);
    now timestamptz := troth.now_v1();
    a troth.asked;
BEGIN
    SELECT * INTO a FROM troth.asked x WHERE x.id = p_id AND x.confirmed_at IS NOT NULL FOR UPDATE;
    IF EXISTS (SELECT FROM troth.asked_letter l WHERE l.id = p_letter AND l.asked_id = p_id) THEN
        RETURN;
    ELSIF a.id IS NULL THEN
        RAISE EXCEPTION 'there is no such question for you' USING ERRCODE = '42501';
    ELSIF a.decided_at IS NOT NULL THEN
        RAISE EXCEPTION '% is answered by now', a.reference USING ERRCODE = '55000';
    ELSIF p_answer IS NULL THEN
        RAISE EXCEPTION 'write it: this is what is read later' USING ERRCODE = '22023';
    ELSIF (a.kind = 'question') <> (p_outcome = 'answered') AND p_outcome <> 'put-aside' THEN
        RAISE EXCEPTION 'a question is answered, a request is granted or refused' USING ERRCODE = '22023';
    ELSIF p_outcome = 'granted' AND (coalesce(cardinality(p_pieces), 0) = 0 OR EXISTS (
            SELECT FROM unnest(p_pieces) AS w WHERE w NOT IN (SELECT o.piece FROM troth.asked_pieces_v1(p_id) AS o))) THEN
        RAISE EXCEPTION 'choose from the documents that were asked for' USING ERRCODE = '22023';
    END IF;
    UPDATE troth.asked x SET decided_at = now, decided_by = who.id, outcome = p_outcome, answer_ct = p_answer,
        pieces = CASE WHEN p_outcome = 'granted' THEN p_pieces END,
        until = CASE WHEN p_outcome = 'granted' THEN now + interval '7 days' END
    WHERE x.id = p_id RETURNING * INTO a;
    IF p_outcome <> 'put-aside' THEN
        INSERT INTO troth.asked_letter (id, asked_id, kind, at) VALUES (p_letter, p_id, 'answer', now);
    END IF;
    PERFORM troth.asked_entry('decide', a, who, p_outcome);
END $$;

-- Words for everybody, by staff's own hand: nothing of what was typed goes out by itself.
CREATE FUNCTION asked_publish_v1(p_id uuid, p_question text, p_answer text, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'asking:act', NULL);
    a troth.asked;
BEGIN
    SELECT * INTO a FROM troth.asked x WHERE x.id = p_id AND x.kind = 'question' AND x.outcome = 'answered';
    IF a.id IS NULL THEN
        RAISE EXCEPTION 'only a question that was answered is shown to everybody' USING ERRCODE = '55000';
    END IF;
    INSERT INTO troth.asked_published AS p (asked_id, programme_id, question, answer, at, by_account)
    VALUES (a.id, a.programme_id, p_question, p_answer, troth.now_v1(), who.id)
    ON CONFLICT (asked_id) DO UPDATE SET question = EXCLUDED.question, answer = EXCLUDED.answer, at = EXCLUDED.at,
        by_account = EXCLUDED.by_account, withdrawn_at = NULL;
    PERFORM troth.asked_entry('publish', a, who, encode(sha256(convert_to(p_question || E'\n' || p_answer, 'UTF8')), 'hex'));
END $$;

CREATE FUNCTION asked_unpublish_v1(p_id uuid, p_session bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    who troth.account := troth.allowed(p_session, 'asking:act', NULL);
    a troth.asked;
BEGIN
    UPDATE troth.asked_published p SET withdrawn_at = troth.now_v1() WHERE p.asked_id = p_id AND p.withdrawn_at IS NULL;
    IF FOUND THEN
        SELECT * INTO a FROM troth.asked x WHERE x.id = p_id;
        PERFORM troth.asked_entry('unpublish', a, who, '');
    END IF;
END $$;

-- ---- the duty: mail, and an end -----------------------------------------------------------------------------------

-- What is to be mailed now, with the tenant that writes: its programme's own.
CREATE FUNCTION asked_letters_v1(p_most integer)
RETURNS TABLE (id uuid, asked_id uuid, kind text, asks text, outcome text, reference text, until timestamptz, system uuid, keyset bytea,
               zone text, sender text, address_index bytea, address_ct bytea, answer_ct bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.id, a.id, l.kind, a.kind, coalesce(a.outcome, ''), coalesce(a.reference, ''), a.until, s.id, s.keyset, s.timezone,
           s.name, a.address_index, a.address_ct, a.answer_ct
    FROM troth.asked_letter l JOIN troth.asked a ON a.id = l.asked_id
    LEFT JOIN LATERAL (SELECT t.* FROM troth.tenant t WHERE t.kind = 2 AND t.state = 1
                       ORDER BY t.programme_id IS DISTINCT FROM a.programme_id, t.id LIMIT 1) AS s ON true
    WHERE l.done_at IS NULL AND (l.tried_at IS NULL OR l.tried_at < troth.now_v1() - interval '1 minute')
      AND a.shredded_at IS NULL
    ORDER BY l.at LIMIT p_most
$$;
CREATE FUNCTION asked_letter_done_v1(p_id uuid, p_email uuid, p_why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    UPDATE troth.asked_letter SET tried_at = troth.now_v1(), done_at = troth.now_v1(), email_id = p_email, why = p_why
    WHERE id = p_id AND done_at IS NULL
$$;
CREATE FUNCTION asked_letter_tried_v1(p_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ UPDATE troth.asked_letter SET tried_at = troth.now_v1() WHERE id = p_id AND done_at IS NULL $$;

-- Troth's own copies of an address that only this asked with: not a client's, not an account's, not a reporter's, and
-- of nothing else that was asked and is still held.
CREATE FUNCTION asked_forget(p_index bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.erase_row(p.tenant_id, p.id, troth.leaf_json(ARRAY['person'], ARRAY[p.id::text]))
    FROM troth.tenant s JOIN troth.person p ON p.tenant_id = s.id AND p.blind_index = p_index AND p.status <> 4
    WHERE s.kind = 2
      AND NOT EXISTS (SELECT FROM troth.tenant o JOIN troth.person q ON q.tenant_id = o.id AND q.blind_index = p_index
                      WHERE o.kind = 1 AND q.status <> 4)
      AND NOT EXISTS (SELECT FROM troth.account a WHERE a.address_index = p_index AND a.disabled_at IS NULL)
      AND NOT EXISTS (SELECT FROM troth.case_reporter r WHERE r.address_index = p_index)
      AND NOT EXISTS (SELECT FROM troth.asked a WHERE a.address_index = p_index)
$$;

-- Unconfirmed for 48 hours: all of it goes. Answered 90 days ago: its words, its address and its answer go, and the facts
-- stay. 500 of each at once; how many. Each end is an entry.
CREATE FUNCTION asked_sweep_v1() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    now timestamptz := troth.now_v1();
    a troth.asked;
    index bytea;
    n integer := 0;
BEGIN
    FOR a IN SELECT * FROM troth.asked x WHERE x.confirmed_at IS NULL AND x.asked_at <= now - interval '48 hours'
             ORDER BY x.asked_at LIMIT 500 FOR UPDATE SKIP LOCKED LOOP
        DELETE FROM troth.asked x WHERE x.id = a.id;
        PERFORM troth.asked_forget(a.address_index);
        n := n + 1;
    END LOOP;
    FOR a IN SELECT * FROM troth.asked x WHERE x.shredded_at IS NULL AND x.decided_at <= now - interval '90 days'
             ORDER BY x.decided_at LIMIT 500 FOR UPDATE SKIP LOCKED LOOP
        index := a.address_index;
        UPDATE troth.asked x SET shredded_at = now, mailbox = NULL, address_index = NULL, address_ct = NULL, words_ct = NULL,
            answer_ct = NULL, place = NULL WHERE x.id = a.id RETURNING * INTO a;
        UPDATE troth.asked_letter l SET tried_at = now, done_at = now, why = 'It was not mailed in 90 days.'
        WHERE l.asked_id = a.id AND l.done_at IS NULL;
        PERFORM troth.asked_forget(index);
        PERFORM troth.asked_entry('shred', a, NULL, '');
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- ---- letters to privacy@ ------------------------------------------------------------------------------------------

ALTER TABLE inbound_letter
    DROP CONSTRAINT inbound_letter_desk_check,
    ADD CONSTRAINT inbound_letter_desk_check
        CHECK (desk IN ('postmaster', 'bounce', 'complaint', 'report', 'abuse', 'security', 'privacy'));
ALTER TABLE inbound_count
    DROP CONSTRAINT inbound_count_desk_check,
    ADD CONSTRAINT inbound_count_desk_check
        CHECK (desk IN ('postmaster', 'bounce', 'complaint', 'report', 'abuse', 'security', 'privacy'));

-- ---- the claim TRC-2 ----------------------------------------------------------------------------------------------

-- What was confirmed since, and when it was answered: facts without a word of it. `unsent`: its answer was written and is
-- not mailed an hour later, for another reason than that its address is on the list of suppressions. Only for the house.
CREATE FUNCTION asked_facts_v1(p_programme uuid, p_since timestamptz, p_most integer)
RETURNS TABLE (reference text, kind text, confirmed_at timestamptz, due_at timestamptz, decided_at timestamptz, outcome text,
               unsent boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT a.reference, a.kind, a.confirmed_at, a.due_at, a.decided_at, coalesce(a.outcome, ''),
           a.decided_at IS NOT NULL AND a.outcome <> 'put-aside' AND NOT EXISTS (
               SELECT FROM troth.asked_letter l WHERE l.asked_id = a.id AND l.kind = 'answer'
               AND (l.email_id IS NOT NULL OR (l.done_at IS NULL AND l.at > troth.now_v1() - interval '1 hour')
                    OR l.why = 'The asker''s address is on the list of suppressions.'))
    FROM troth.asked a
    WHERE a.programme_id = p_programme AND a.confirmed_at >= p_since AND troth.looked_at() IS NULL
    ORDER BY a.confirmed_at DESC, a.id LIMIT p_most
$$;

-- Of letters and forms to the desks whose sender is certain: by when each was to be acknowledged, and when it was. Who only
-- typed an address, or sent what nobody signed, is owed nothing by this claim (ABU-1 and VDP-1 count those, too).
CREATE FUNCTION asked_desks_v1(p_programme uuid, p_since timestamptz, p_most integer)
RETURNS TABLE (reference text, kind text, due_at timestamptz, met_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT f.reference, f.kind, c.due_at, c.met_at
    FROM troth.case_file f JOIN troth.case_reporter r ON r.case_id = f.id AND r.confirmed_at IS NOT NULL
    JOIN troth.case_clock c ON c.case_id = f.id AND c.name = 'acknowledge' AND c.void_at IS NULL
    LEFT JOIN troth.case_client k ON k.case_id = f.id LEFT JOIN troth.tenant t ON t.id = k.tenant_id
    WHERE f.kind IN ('abuse', 'disclosure') AND f.opened_at >= p_since AND troth.looked_at() IS NULL
      AND coalesce(f.programme_id, t.programme_id, p_programme) = p_programme
    ORDER BY f.opened_at DESC, f.id LIMIT p_most
$$;

-- What those rows and the ledger tell differently; a sentence each.
CREATE FUNCTION asked_unsound_v1(p_programme uuid, p_since timestamptz, p_most integer) RETURNS TABLE (said text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH told AS MATERIALIZED (
        SELECT split_part(x.kind, ':', 3) AS act, x.leaf ->> 'asked' AS asked, x.leaf ->> 'reference' AS reference,
               x.leaf ->> 'due' AS due, x.leaf ->> 'what' AS what, to_timestamp((x.leaf ->> 'at')::bigint / 1000000.0) AS at
        FROM (SELECT l.kind, l.leaf::jsonb AS leaf FROM troth.ledger_leaf l WHERE l.kind LIKE 'trust:asking:%'
              UNION ALL
              SELECT p.kind, p.leaf::jsonb FROM troth.ledger_pending p WHERE p.kind LIKE 'trust:asking:%') AS x
        WHERE x.leaf ->> 'programme' = p_programme::text),
    own AS MATERIALIZED (
        SELECT a.*, ((extract(epoch FROM a.due_at) * 1000000)::bigint)::text AS due FROM troth.asked a
        WHERE a.programme_id = p_programme AND a.confirmed_at >= p_since AND troth.looked_at() IS NULL)
    SELECT x.said FROM (
        SELECT t.reference || ' was confirmed, and is not on record as it was' AS said FROM told t
        WHERE t.act = 'confirm' AND t.at >= p_since + interval '1 minute' AND troth.looked_at() IS NULL
          AND NOT EXISTS (SELECT FROM own o WHERE o.id::text = t.asked AND o.reference = t.reference AND o.due = t.due
                          AND abs(extract(epoch FROM o.confirmed_at - t.at)) < 60)
        UNION ALL
        SELECT o.reference || ' is on record, and the ledger has not that it was confirmed' FROM own o
        WHERE NOT EXISTS (SELECT FROM told t WHERE t.act = 'confirm' AND t.asked = o.id::text)
        UNION ALL
        SELECT o.reference || ' was not answered when the record says' FROM own o
        WHERE o.decided_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM told t WHERE t.act = 'decide' AND t.asked = o.id::text AND t.what = o.outcome
            AND abs(extract(epoch FROM o.decided_at - t.at)) < 60)
    ) AS x LIMIT p_most
$$;
