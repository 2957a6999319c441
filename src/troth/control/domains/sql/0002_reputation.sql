-- What DNS block lists and reverse names said of the addresses and domains that we send from: one row a look, kept.

CREATE TABLE reputation_look (
    id        uuid PRIMARY KEY,
    tenant_id uuid REFERENCES tenant,             -- of a sending domain; NULL: an address of the installation's
    subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255), -- an address or a domain
    list      text NOT NULL CHECK (length(list) BETWEEN 1 AND 255),    -- the list's zone, or 'reverse-name'
    at        timestamptz NOT NULL,
    -- clean | listed; confirmed | unconfirmed (a reverse name that does not lead back, or none); unusable: the list refuses us
    -- or fails its own test (RFC 5782 section 5); silent: no answer
    state     text NOT NULL CHECK (state IN ('clean', 'listed', 'confirmed', 'unconfirmed', 'unusable', 'silent')),
    said      text NOT NULL DEFAULT '' CHECK (length(said) <= 500)
);
CREATE INDEX reputation_look_newest ON reputation_look (subject, list, at DESC);
CREATE INDEX reputation_look_at ON reputation_look (at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON reputation_look FOR EACH ROW EXECUTE FUNCTION insert_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reputation_look FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
