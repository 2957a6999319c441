-- The desks of abuse and of vulnerabilities, round the cases: how much is taken a day, who reported and may be answered,
-- the mail that answers them, and their own page.

-- ---- what is there to be found --------------------------------------------------------------------------------

-- The messages that a letter names, as far as they are there: whose they are, and what they were made of. `domain`: the
-- sender's, which a Message-ID ends in.
CREATE FUNCTION desk_match_v1(p_messages uuid[])
RETURNS TABLE (message_id uuid, tenant_id uuid, programme_id uuid, category_id uuid, template_subject uuid, domain text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT m.id, m.tenant_id, t.programme_id, m.category_id, v.subject,
           lower(split_part(c.artefact::jsonb -> 'sender' ->> 'address', '@', 2))
    FROM unnest(p_messages[1:50]) WITH ORDINALITY AS asked(id, n)
    JOIN troth.message m ON m.id = asked.id
    JOIN troth.tenant t ON t.id = m.tenant_id
    LEFT JOIN troth.email e ON e.id = m.email_id
    LEFT JOIN troth.snapshot v ON v.id = e.template_snapshot
    LEFT JOIN troth.snapshot c ON c.id = e.category_snapshot
    WHERE coalesce(m.tenant_id = nullif(current_setting('troth.tenant', true), '')::uuid, true) -- whoever is looked at
    ORDER BY asked.n
$$;

-- What rules a client's cases, level by level; without a client, its programme's; without either, every programme's.
CREATE FUNCTION desk_policies_v1(p_tenant uuid, p_programme uuid)
RETURNS TABLE (profile text, plan text, promise text, operator text, client text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH level AS (
        SELECT g.tenant_id, g.code, s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
        WHERE g.kind = 'policy' AND NOT g.retired AND (g.tenant_id IS NULL OR g.tenant_id = p_tenant))
    SELECT p.profile, t.plan, promise.artefact, operator.artefact, client.artefact
    FROM troth.programme p
    LEFT JOIN troth.tenant t ON t.id = p_tenant AND t.programme_id = p.id
    JOIN level promise ON promise.tenant_id IS NULL AND promise.code = 'programme:' || p.code
    LEFT JOIN level operator ON operator.tenant_id IS NULL AND operator.code = 'operator'
    LEFT JOIN level client ON client.tenant_id = t.id AND client.code = 'tenant'
    WHERE CASE WHEN p_tenant IS NOT NULL THEN t.id IS NOT NULL ELSE p_programme IS NULL OR p.id = p_programme END
      AND coalesce(p_tenant = nullif(current_setting('troth.tenant', true), '')::uuid, true)
    LIMIT 200
$$;

-- ---- how much is taken ----------------------------------------------------------------------------------------

-- A day's letters, those that their senders signed, and forms, each with room of their own: all of a desk's (an empty
-- source) and each source's own: a sender's domain, or a place, as a keyed hash.
CREATE TABLE desk_day (
    desk   text NOT NULL CHECK (desk ~ '^(abuse|security)(:signed|:form)?$'),
    day    date NOT NULL,
    source bytea NOT NULL CHECK (octet_length(source) IN (0, 32)),
    n      integer NOT NULL CHECK (n >= 0),
    octets bigint NOT NULL CHECK (octets >= 0),
    PRIMARY KEY (desk, day, source)
);

-- Whether one more is taken: it is counted, then, and else not. Two at once wait for one another.
CREATE FUNCTION desk_room_v1(p_desk text, p_source bytea, p_octets integer, p_most integer, p_each integer, p_octets_most bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    today date := (troth.now_v1() AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM pg_advisory_xact_lock(7411, hashtext(p_desk));
    IF EXISTS (SELECT FROM troth.desk_day d WHERE d.desk = p_desk AND d.day = today
               AND ((d.source = '' AND (d.n >= p_most OR d.octets + p_octets > p_octets_most))
                    OR (d.source = p_source AND p_source <> '' AND d.n >= p_each))) THEN
        RETURN false;
    END IF;
    INSERT INTO troth.desk_day AS d (desk, day, source, n, octets)
    SELECT p_desk, today, s, 1, p_octets FROM (SELECT DISTINCT unnest(ARRAY[''::bytea, p_source]) AS s) AS counted
    ON CONFLICT (desk, day, source) DO UPDATE SET n = d.n + 1, octets = d.octets + EXCLUDED.octets;
    DELETE FROM troth.desk_day d WHERE d.day < today - 30;
    RETURN true;
END $$;

-- ---- who reported, and the mail to them -----------------------------------------------------------------------

-- Where a reporter may be answered, sealed under the operator's keyset (keys/places.case_reporter). Confirmed: their
-- letter bore a signature of its sender's domain, or they pressed the button behind the link in our one mail to them.
CREATE TABLE case_reporter (
    case_id       uuid PRIMARY KEY REFERENCES case_file,
    address_index bytea NOT NULL CHECK (octet_length(address_index) = 32),
    address_ct    bytea NOT NULL CHECK (get_byte(address_ct, 0) = 1),
    confirmed_at  timestamptz,
    confirmed_how text CHECK (confirmed_how IN ('signature', 'button')),
    stopped_at    timestamptz,
    CHECK ((confirmed_at IS NULL) = (confirmed_how IS NULL))
);
CREATE INDEX case_reporter_index ON case_reporter (address_index);

-- Mail to reporters, from the programme's own tenant; what an update says is sealed (keys/places.case_words of its id).
-- `next_at`: when the next word after it is due, which counts from when the gate has taken it.
CREATE TABLE case_letter (
    id          uuid PRIMARY KEY,
    case_id     uuid NOT NULL REFERENCES case_reporter,
    kind        text NOT NULL CHECK (kind IN ('received', 'update')),
    at          timestamptz NOT NULL,
    words_ct    bytea CHECK (get_byte(words_ct, 0) = 1),
    answers_ct  bytea CHECK (get_byte(answers_ct, 0) = 1),   -- their letter's Message-ID, sealed the same way
    next_at     timestamptz CHECK (next_at > at AND next_at < at + interval '400 days'),
    tried_at    timestamptz,
    done_at     timestamptz,
    email_id    uuid,
    why         text CHECK (why <> ''),
    CHECK ((kind = 'update') = (words_ct IS NOT NULL)),
    CHECK ((done_at IS NULL AND email_id IS NULL AND why IS NULL) OR (done_at IS NOT NULL AND (email_id IS NULL) = (why IS NOT NULL)))
);
CREATE UNIQUE INDEX case_letter_once ON case_letter (case_id) WHERE kind = 'received';
CREATE INDEX case_letter_due ON case_letter (at) WHERE done_at IS NULL;
CREATE INDEX case_letter_email ON case_letter (email_id);

CREATE FUNCTION case_reporter_v1(p_case uuid, p_index bytea, p_address bytea, p_signed boolean) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    WITH made AS (
        INSERT INTO troth.case_reporter (case_id, address_index, address_ct, confirmed_at, confirmed_how)
        SELECT f.id, p_index, p_address, CASE WHEN p_signed THEN troth.now_v1() END, CASE WHEN p_signed THEN 'signature' END
        FROM troth.case_file f WHERE f.id = p_case AND f.kind IN ('abuse', 'disclosure')
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT EXISTS (SELECT FROM made)
$$;

-- Queue the one mail that says that a report is here. An address gets one a day, all letters together p_most, and all
-- forms: whoever types strangers' addresses mails nobody twice, and takes no mail from who wrote and signed. What became of it: queued, often (the limit), or nobody.
CREATE FUNCTION case_received_v1(p_id uuid, p_case uuid, p_answers bytea, p_most integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    whose bytea := (SELECT r.address_index FROM troth.case_reporter r WHERE r.case_id = p_case AND r.stopped_at IS NULL);
    since timestamptz := troth.now_v1() - interval '24 hours';
BEGIN
    IF whose IS NULL THEN
        RETURN 'nobody';
    END IF;
    PERFORM pg_advisory_xact_lock(7412, 0);
    IF (SELECT count(*) FROM troth.case_letter l JOIN troth.case_file f ON f.id = l.case_id
        WHERE l.kind = 'received' AND l.at > since AND (f.cause = 'form') = (SELECT o.cause = 'form' FROM troth.case_file o WHERE o.id = p_case)) >= p_most
       OR EXISTS (SELECT FROM troth.case_letter l JOIN troth.case_reporter r USING (case_id)
                  WHERE r.address_index = whose AND l.kind = 'received' AND l.at > since) THEN
        RETURN 'often';
    END IF;
    INSERT INTO troth.case_letter (id, case_id, kind, at, answers_ct) VALUES (p_id, p_case, 'received', troth.now_v1(), p_answers)
    ON CONFLICT DO NOTHING;
    RETURN 'queued';
END $$;
CREATE INDEX case_letter_received ON case_letter (at) WHERE kind = 'received';

-- Staff's words to a reporter, where they asked to be told: an entry, and a mail of the same words. They were told when the
-- gate has taken it (case_letter_done_v1), not before.
CREATE FUNCTION case_tell_v1(p_case uuid, p_entry uuid, p_words bytea, p_clocks text[], p_dues timestamptz[], p_session bytea)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    c troth.case_file := troth.case_for(p_case, 'act', p_session);
BEGIN
    IF EXISTS (SELECT FROM troth.case_letter l WHERE l.id = p_entry AND l.case_id = p_case) THEN
        RETURN; -- the same form, sent twice
    ELSIF troth.case_next(c.kind, c.state, 'update') IS NULL THEN
        RAISE EXCEPTION '% is %: nobody is written to from there', c.reference, c.state USING ERRCODE = '55000';
    ELSIF p_words IS NULL THEN
        RAISE EXCEPTION 'say it in words: they are what is mailed' USING ERRCODE = '22023';
    ELSIF NOT coalesce(p_clocks, '{}') <@ '{update}'::text[]
          OR cardinality(coalesce(p_clocks, '{}')) <> cardinality(coalesce(p_dues, '{}')) THEN
        RAISE EXCEPTION 'this step starts no such clock' USING ERRCODE = '22023';
    ELSIF NOT EXISTS (SELECT FROM troth.case_reporter r WHERE r.case_id = p_case AND r.confirmed_at IS NOT NULL
                   AND r.stopped_at IS NULL) THEN
        RAISE EXCEPTION 'nobody asked to be told of this case: no address was left, or it was not confirmed' USING ERRCODE = '55000';
    ELSIF (SELECT count(*) FROM troth.case_letter l WHERE l.case_id = p_case AND l.kind = 'update'
           AND l.at > troth.now_v1() - interval '24 hours') >= 5 THEN
        RAISE EXCEPTION 'five mails of this case went out in a day: write once more tomorrow' USING ERRCODE = '55000';
    END IF;
    UPDATE troth.case_file SET news_at = NULL WHERE id = c.id;
    PERFORM troth.case_enter(c, p_entry, troth.session_account(p_session), 'written', '', p_words, NULL);
    INSERT INTO troth.case_letter (id, case_id, kind, at, words_ct, next_at)
    VALUES (p_entry, p_case, 'update', troth.now_v1(), p_words, p_dues[1]);
END $$;

-- What is to be mailed now, with the tenant that writes: its programme's own, else the installation's first.
CREATE FUNCTION case_letters_v1(p_most integer)
RETURNS TABLE (id uuid, case_id uuid, kind text, case_kind text, reference text, tenant_id uuid, programme_id uuid, system uuid,
               keyset bytea, zone text, sender text, domain text, address_index bytea, address_ct bytea, confirmed boolean,
               words_ct bytea, answers_ct bytea, clock_names text[], clock_dues timestamptz[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT l.id, l.case_id, l.kind, f.kind, f.reference, f.tenant_id, f.programme_id, s.id, s.keyset, s.timezone, s.name, p.domain,
           r.address_index, r.address_ct, r.confirmed_at IS NOT NULL, l.words_ct, l.answers_ct, k.names, k.dues
    FROM troth.case_letter l JOIN troth.case_reporter r USING (case_id) JOIN troth.case_file f ON f.id = l.case_id
    LEFT JOIN LATERAL (SELECT t.* FROM troth.tenant t WHERE t.kind = 2 AND t.state = 1
                       ORDER BY t.programme_id IS DISTINCT FROM f.programme_id, t.id LIMIT 1) AS s ON true
    LEFT JOIN troth.programme p ON p.id = s.programme_id
    CROSS JOIN LATERAL (SELECT array_agg(c.name ORDER BY c.due_at) AS names, array_agg(c.due_at ORDER BY c.due_at) AS dues
                        FROM troth.case_clock c WHERE c.case_id = f.id AND c.met_at IS NULL AND c.void_at IS NULL) AS k
    WHERE l.done_at IS NULL AND (l.tried_at IS NULL OR l.tried_at < troth.now_v1() - interval '1 minute')
      AND r.stopped_at IS NULL
    ORDER BY l.at LIMIT p_most
$$;

-- What became of one: taken by the gate as this email, or why not. That it was taken is what the clocks ask for, and the
-- one of the next word begins; one that was not sent is told in the case, for a person.
CREATE FUNCTION case_letter_done_v1(p_id uuid, p_email uuid, p_why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    l troth.case_letter;
    c troth.case_file;
BEGIN
    IF p_email IS NOT NULL AND NOT EXISTS (SELECT FROM troth.message m JOIN troth.tenant t ON t.id = m.tenant_id
                                           WHERE m.email_id = p_email AND t.kind = 2) THEN
        RAISE EXCEPTION 'there is no such mail of ours' USING ERRCODE = '55000';
    END IF;
    UPDATE troth.case_letter SET tried_at = troth.now_v1(), done_at = troth.now_v1(), email_id = p_email, why = p_why
    WHERE id = p_id AND done_at IS NULL RETURNING * INTO l;
    IF l.id IS NOT NULL THEN
        PERFORM troth.case_noted(l.case_id, troth.uuid7_now(), CASE WHEN p_email IS NULL THEN 'mail-unsent'
            WHEN l.kind = 'received' THEN 'answered' ELSE 'mailed' END, NULL, NULL);
        SELECT * INTO c FROM troth.case_file f WHERE f.id = l.case_id;
        IF p_email IS NOT NULL AND l.next_at IS NOT NULL AND c.outcome IS NULL THEN
            PERFORM troth.case_start(c, '{update}', ARRAY[greatest(l.next_at, troth.now_v1() + interval '1 minute')]);
        END IF;
    END IF;
END $$;
CREATE FUNCTION case_letter_tried_v1(p_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$ UPDATE troth.case_letter SET tried_at = troth.now_v1() WHERE id = p_id AND done_at IS NULL $$;

-- The case that a letter answers: the mail that it answers is one of ours, or its subject has the reference and it
-- comes from the reporter's own address.
CREATE FUNCTION desk_case_v1(p_messages uuid[], p_reference text, p_index bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT coalesce(
        (SELECT l.case_id FROM troth.message m JOIN troth.case_letter l ON l.email_id = m.email_id
         WHERE m.id = ANY (p_messages[1:50]) LIMIT 1),
        (SELECT f.id FROM troth.case_file f JOIN troth.case_reporter r ON r.case_id = f.id
         WHERE f.reference = p_reference AND f.kind IN ('abuse', 'disclosure') AND r.address_index = p_index))
$$;

-- ---- the reporter's own page ----------------------------------------------------------------------------------

-- What whoever holds the link to a report is shown of it: when it came, and its clocks; nothing of what it says.
CREATE FUNCTION case_shown_v1(p_case uuid)
RETURNS TABLE (reference text, kind text, programme_id uuid, opened_at timestamptz, closed_at timestamptz, has_address boolean,
               confirmed boolean, stopped boolean, queued boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT f.reference, f.kind, f.programme_id, f.opened_at, f.closed_at, r.case_id IS NOT NULL, r.confirmed_at IS NOT NULL,
           r.stopped_at IS NOT NULL, EXISTS (SELECT FROM troth.case_letter l WHERE l.case_id = f.id AND l.kind = 'received')
    FROM troth.case_file f LEFT JOIN troth.case_reporter r ON r.case_id = f.id
    WHERE f.id = p_case AND f.kind IN ('abuse', 'disclosure')
$$;
CREATE FUNCTION case_times_v1(p_case uuid) RETURNS TABLE (name text, due_at timestamptz, met_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT c.name, c.due_at, c.met_at FROM troth.case_clock c JOIN troth.case_file f ON f.id = c.case_id
    WHERE c.case_id = p_case AND c.void_at IS NULL AND f.kind IN ('abuse', 'disclosure') ORDER BY c.due_at, c.name, c.round LIMIT 50
$$;

-- Whoever pressed a button there: 'yes', they are to be told; 'stop', nothing more is mailed to them of this case. After
-- ten changes of mind the last word is 'stop'.
CREATE FUNCTION case_reporter_say_v1(p_case uuid, p_says text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    told boolean;
BEGIN
    UPDATE troth.case_reporter SET
        confirmed_at = CASE WHEN p_says = 'yes' THEN coalesce(confirmed_at, troth.now_v1()) ELSE confirmed_at END,
        confirmed_how = CASE WHEN p_says = 'yes' THEN coalesce(confirmed_how, 'button') ELSE confirmed_how END,
        stopped_at = CASE WHEN p_says = 'stop' THEN coalesce(stopped_at, troth.now_v1()) END
    WHERE case_id = p_case AND p_says IN ('yes', 'stop')
      AND CASE WHEN p_says = 'stop' THEN stopped_at IS NULL ELSE (confirmed_at IS NULL OR stopped_at IS NOT NULL)
          AND (SELECT count(*) FROM troth.case_entry e WHERE e.case_id = p_case AND e.kind LIKE 'reporter-%') < 10 END;
    told := FOUND;
    IF told THEN
        PERFORM troth.case_noted(p_case, troth.uuid7_now(), CASE p_says WHEN 'yes' THEN 'reporter-yes' ELSE 'reporter-stop' END,
                                 NULL, NULL);
    END IF;
    RETURN told;
END $$;
