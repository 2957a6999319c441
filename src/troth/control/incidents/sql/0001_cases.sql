-- Cases of three kinds, incident, abuse and disclosure, by one engine of states, clocks, owners and a timeline: what they
-- are and the rules that hold whoever acts. Nobody deletes, and each step is an entry of the ledger.

CREATE TABLE case_number (
    kind text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (kind, year)
);

-- `cause`: why it was opened, a closed word of its opener; `key`: what makes it this one, so that it is opened once.
CREATE TABLE case_file (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind IN ('incident', 'abuse', 'disclosure')),
    cause            text NOT NULL CHECK (cause ~ '^[a-z][a-z0-9-]{0,39}$'),
    key              text NOT NULL CHECK (key <> '' AND octet_length(key) <= 200),
    reference        text NOT NULL UNIQUE CHECK (reference ~ '^(INC|ABU|VDP)-[0-9]{4}-[0-9]{4,}$'),
    tenant_id        uuid REFERENCES tenant,
    programme_id     uuid REFERENCES programme,
    message_id       uuid,                          -- messages go before their cases do
    category_id      uuid REFERENCES governed (subject),
    template_subject uuid REFERENCES governed (subject),
    title            text NOT NULL CHECK (btrim(title) <> '' AND length(title) <= 200),
    opened_at        timestamptz NOT NULL,
    severity         text NOT NULL CHECK (severity IN ('', 'low', 'medium', 'high', 'critical')),
    state            text NOT NULL CHECK (state IN ('open', 'acknowledged', 'assessed', 'resolved', 'closed')),
    owner_account    uuid REFERENCES account,
    outcome          text,
    closed_at        timestamptz,
    news_at          timestamptz,                   -- something came since a person last did something here
    uncounted        integer NOT NULL DEFAULT 0 CHECK (uncounted >= 0),  -- letters past the most that a case keeps
    UNIQUE (kind, key),
    CHECK ((closed_at IS NOT NULL) = (state = 'closed')),
    CHECK ((outcome IS NOT NULL) = (state IN ('resolved', 'closed'))),
    CHECK (closed_at >= opened_at),
    CHECK (state <> 'assessed' OR kind = 'disclosure'),
    CHECK (outcome IS NULL OR outcome = ANY (CASE kind
        WHEN 'incident' THEN ARRAY['justified', 'unfounded', 'fixed', 'duplicate']
        WHEN 'abuse' THEN ARRAY['confirmed', 'unfounded', 'duplicate', 'no-report']
        ELSE ARRAY['fixed', 'accepted', 'invalid', 'duplicate'] END))
);
CREATE INDEX case_file_newest ON case_file (opened_at, id);
CREATE INDEX case_file_tenant ON case_file (tenant_id, opened_at, id);
CREATE INDEX case_file_open ON case_file (kind, opened_at, id) WHERE state <> 'closed';
CREATE INDEX case_file_owner ON case_file (owner_account, opened_at, id) WHERE state <> 'closed';

-- What must be done by when. One of a name runs at a time; `round` tells those of one name apart. `void_at`: a newer
-- one of its name took its place before it was due.
CREATE TABLE case_clock (
    case_id    uuid NOT NULL REFERENCES case_file,
    name       text NOT NULL CHECK (name IN ('review', 'told', 'acknowledge', 'resolve', 'assess', 'patch', 'update')),
    round      smallint NOT NULL CHECK (round > 0),
    started_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL CHECK (due_at > started_at AND due_at < started_at + interval '400 days'),
    met_at     timestamptz CHECK (met_at >= started_at),
    void_at    timestamptz,
    PRIMARY KEY (case_id, name, round),
    CHECK (void_at IS NULL OR (met_at IS NULL AND void_at >= started_at AND void_at < due_at))
);
CREATE UNIQUE INDEX case_clock_runs ON case_clock (case_id, name) WHERE met_at IS NULL AND void_at IS NULL;
CREATE INDEX case_clock_due ON case_clock (due_at) WHERE met_at IS NULL AND void_at IS NULL;

CREATE TABLE case_entry (
    case_id    uuid NOT NULL REFERENCES case_file,
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    by_account uuid REFERENCES account,             -- NULL: Troth itself
    kind       text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{1,29}$'),
    value      text NOT NULL DEFAULT '' CHECK (length(value) <= 200),   -- an outcome, a severity, a clock, an account
    words_ct   bytea CHECK (get_byte(words_ct, 0) = 1)                  -- sealed to keys/places.case_words of its id
);
CREATE INDEX case_entry_case ON case_entry (case_id, at, id);
-- each clock is warned of once, and missed once
CREATE UNIQUE INDEX case_entry_clock ON case_entry (case_id, kind, value) WHERE kind IN ('soon', 'overdue');

-- Originals: letters, forms. Sealed to keys/places.case_paper of its id, under the operator's keyset.
CREATE TABLE case_paper (
    case_id  uuid NOT NULL REFERENCES case_file,
    id       uuid PRIMARY KEY,
    at       timestamptz NOT NULL,
    kind     text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{1,29}$'),
    size     integer GENERATED ALWAYS AS (octet_length(paper_ct)) STORED,
    paper_ct bytea NOT NULL CHECK (get_byte(paper_ct, 0) = 1)
);
CREATE INDEX case_paper_case ON case_paper (case_id, at, id);

-- ---- the rules ------------------------------------------------------------------------------------------------

-- Where a step leads; NULL: it is none of this kind in this state. The table of rules/cases.py, as a test compares.
CREATE FUNCTION case_next(p_kind text, p_state text, p_step text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE r.goes WHEN '' THEN p_state ELSE r.goes END
    FROM (VALUES
        ('acknowledge', '{incident,abuse,disclosure}'::text[], '{open}'::text[], 'acknowledged'),
        ('assess', '{disclosure}', '{acknowledged}', 'assessed'),
        ('tell', '{incident}', '{open,acknowledged}', ''),
        ('update', '{abuse,disclosure}', '{open}', 'acknowledged'),
        ('update', '{abuse,disclosure}', '{acknowledged,assessed,resolved}', ''),
        ('assign', '{incident,abuse,disclosure}', '{open,acknowledged,assessed,resolved}', ''),
        ('severity', '{incident,abuse,disclosure}', '{open,acknowledged,assessed,resolved}', ''),
        ('note', '{incident,abuse,disclosure}', '{open,acknowledged,assessed,resolved}', ''),
        ('seen', '{incident,abuse,disclosure}', '{open,acknowledged,assessed,resolved,closed}', ''),
        ('resolve', '{incident}', '{open,acknowledged}', 'resolved'),
        ('resolve', '{abuse,disclosure}', '{acknowledged,assessed}', 'resolved'),
        ('close', '{incident,abuse,disclosure}', '{resolved}', 'closed'),
        ('reopen', '{incident,abuse,disclosure}', '{resolved,closed}', 'acknowledged')
    ) AS r(step, kinds, states, goes)
    WHERE r.step = p_step AND p_kind = ANY (r.kinds) AND p_state = ANY (r.states)
$$;

-- Which clocks a step meets (a patch, only being fixed does), and which a case of a kind may have. That a reporter was
-- told is so when our mail to them was taken ('answered', 'mailed'), or when a person says how else they were ('update').
CREATE FUNCTION case_meets(p_step text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE p_step WHEN 'answered' THEN '{acknowledge}' WHEN 'mailed' THEN '{acknowledge,update}'
    WHEN 'update' THEN '{acknowledge,update}' WHEN 'assess' THEN '{assess}' WHEN 'tell' THEN '{told}' WHEN 'resolve' THEN '{review,resolve,assess}' ELSE '{}' END::text[] $$;
CREATE FUNCTION case_clocks_of(p_kind text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, troth, pg_temp
AS $$ SELECT CASE p_kind WHEN 'incident' THEN '{review,told}' WHEN 'abuse' THEN '{acknowledge,resolve,update}'
    ELSE '{acknowledge,assess,patch,update}' END::text[] $$;

-- A case is opened open, now; then its state moves by legal steps alone, and what it is stays.
CREATE FUNCTION case_file_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a case begins open' USING ERRCODE = '23514';
        END IF;
        NEW.opened_at := troth.now_v1();
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.kind, NEW.cause, NEW.key, NEW.reference, NEW.title, NEW.opened_at)
       IS DISTINCT FROM (OLD.id, OLD.kind, OLD.cause, OLD.key, OLD.reference, OLD.title, OLD.opened_at)
       OR (NEW.tenant_id, NEW.programme_id, NEW.message_id, NEW.category_id, NEW.template_subject)
       IS DISTINCT FROM (OLD.tenant_id, OLD.programme_id, OLD.message_id, OLD.category_id, OLD.template_subject) THEN
        RAISE EXCEPTION 'what a case is does not change' USING ERRCODE = '42501';
    ELSIF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM unnest('{acknowledge,assess,resolve,close,reopen}'::text[]) AS s
        WHERE troth.case_next(OLD.kind, OLD.state, s) = NEW.state) THEN
        RAISE EXCEPTION 'case %: state % cannot follow %', NEW.reference, NEW.state, OLD.state USING ERRCODE = '23514';
    ELSIF NEW.state = 'closed' AND OLD.state = 'closed' AND (NEW.outcome, NEW.severity, NEW.owner_account, NEW.closed_at)
          IS DISTINCT FROM (OLD.outcome, OLD.severity, OLD.owner_account, OLD.closed_at) THEN
        RAISE EXCEPTION 'a closed case is reopened, not edited' USING ERRCODE = '42501';
    ELSIF NEW.uncounted < OLD.uncounted THEN
        RAISE EXCEPTION 'what was counted stays counted' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON case_file FOR EACH ROW EXECUTE FUNCTION case_file_guard();

-- A clock starts now and is met now, once; or it is set aside, once. Nobody can say later that it was met in time.
CREATE FUNCTION case_clock_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.started_at := troth.now_v1();
        IF NEW.met_at IS NOT NULL OR NEW.void_at IS NOT NULL THEN
            RAISE EXCEPTION 'a clock begins unmet' USING ERRCODE = '23514';
        ELSIF NOT EXISTS (SELECT FROM troth.case_file f WHERE f.id = NEW.case_id
                          AND NEW.name = ANY (troth.case_clocks_of(f.kind))) THEN
            RAISE EXCEPTION 'a case of this kind has no clock %', NEW.name USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.met_at IS NOT NULL OR OLD.void_at IS NOT NULL
       OR (NEW.case_id, NEW.name, NEW.round, NEW.started_at, NEW.due_at)
       IS DISTINCT FROM (OLD.case_id, OLD.name, OLD.round, OLD.started_at, OLD.due_at) THEN
        RAISE EXCEPTION 'case_clock is insert-only, but for being met, once' USING ERRCODE = '42501';
    END IF;
    NEW.met_at := CASE WHEN NEW.met_at IS NOT NULL THEN troth.now_v1() END;
    NEW.void_at := CASE WHEN NEW.void_at IS NOT NULL THEN troth.now_v1() END;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON case_clock FOR EACH ROW EXECUTE FUNCTION case_clock_guard();

CREATE FUNCTION case_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    NEW.at := troth.now_v1();
    RETURN NEW;
END $$;
CREATE TRIGGER now BEFORE INSERT ON case_entry FOR EACH ROW EXECUTE FUNCTION case_now();
CREATE TRIGGER now BEFORE INSERT ON case_paper FOR EACH ROW EXECUTE FUNCTION case_now();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON case_entry FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON case_paper FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_delete BEFORE DELETE ON case_file FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_delete BEFORE DELETE ON case_clock FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON case_file FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON case_clock FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON case_entry FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON case_paper FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- ---- the ledger -----------------------------------------------------------------------------------------------

CREATE INDEX ledger_leaf_case ON ledger_leaf ((leaf::jsonb ->> 'case')) WHERE kind LIKE 'cases:%';

-- What the run-time roles append: not what tells of a step, which comes from the step itself.
CREATE OR REPLACE FUNCTION ledger_append_v1(p_kinds text[], p_tenants uuid[], p_leaves text[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(p_kinds) AS k WHERE split_part(k, ':', 1) IN (
        'governance', 'privacy', 'sending', 'evidence', 'people', 'webhook', 'trust', 'cases', 'complaints', 'feedback', 'reports'))
    THEN
        RAISE EXCEPTION 'such an entry comes from the act that it tells of' USING ERRCODE = '42501';
    END IF;
    RETURN troth.ledger_entry(p_kinds, p_tenants, p_leaves);
END $$;

-- An entry of the timeline and of the ledger. Digests stand for what is sealed. An incident's is its client's; reports
-- of abuse and of vulnerabilities are the operator's own, so no client's part of the ledger has them.
CREATE FUNCTION case_enter(c case_file, p_entry uuid, p_by account, p_kind text, p_value text, p_words bytea, p_paper bytea)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    INSERT INTO troth.case_entry (case_id, id, at, by_account, kind, value, words_ct)
    VALUES ((c).id, p_entry, troth.now_v1(), (p_by).id, p_kind, p_value, p_words);
    PERFORM troth.ledger_entry(ARRAY['cases:' || (c).kind || ':' || p_kind],
        ARRAY[CASE WHEN (c).kind = 'incident' THEN (c).tenant_id END], ARRAY[troth.leaf_json(
        ARRAY['by', 'case', 'entry', 'paper', 'value', 'words'],
        ARRAY[coalesce((p_by).human_id::text, ''), (c).id::text, p_entry::text, coalesce(encode(sha256(p_paper), 'hex'), ''),
              p_value, coalesce(encode(sha256(p_words), 'hex'), '')])]);
END $$;

-- Starts clocks; one that runs under the same name and is not yet due gives way, one that was missed stays as it is
-- until it is met. A patch is never due later than it was already, whatever is said of its severity since.
CREATE FUNCTION case_start(c case_file, p_clocks text[], p_dues timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
DECLARE
    latest timestamptz;
BEGIN
    IF cardinality(coalesce(p_clocks, '{}')) <> cardinality(coalesce(p_dues, '{}')) OR array_position(p_dues, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'each clock needs its time' USING ERRCODE = '22023';
    END IF;
    SELECT k.due_at INTO latest FROM troth.case_clock k WHERE k.case_id = (c).id AND k.name = 'patch'
        AND k.met_at IS NULL AND k.void_at IS NULL;
    UPDATE troth.case_clock k SET void_at = troth.now_v1()
    WHERE k.case_id = (c).id AND k.name = ANY (p_clocks) AND k.met_at IS NULL AND k.void_at IS NULL
      AND k.due_at > troth.now_v1();
    INSERT INTO troth.case_clock (case_id, name, round, started_at, due_at)
    SELECT (c).id, g.name, coalesce((SELECT max(k.round) FROM troth.case_clock k
                                     WHERE k.case_id = (c).id AND k.name = g.name), 0) + 1, troth.now_v1(),
           CASE WHEN g.name = 'patch' THEN least(g.due, latest) ELSE g.due END
    FROM unnest(p_clocks, p_dues) AS g(name, due)
    WHERE NOT EXISTS (SELECT FROM troth.case_clock k WHERE k.case_id = (c).id AND k.name = g.name
                      AND k.met_at IS NULL AND k.void_at IS NULL);
END $$;
