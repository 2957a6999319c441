-- What the relay's webhooks leave: which of them were taken, so that none is taken twice, and how many told what.

-- One row a call, by the token that its signature is over (Mailgun) or its MessageId (SNS). `seen` is the machine's own
-- clock, as the signature's time is: a moved clock lets no replay in. `done`: all that it told is on record.
CREATE TABLE relay_call (
    relay text NOT NULL CHECK (relay IN ('mailgun', 'ses')),
    token text NOT NULL CHECK (token <> '' AND octet_length(token) <= 400),
    body  bytea NOT NULL CHECK (octet_length(body) = 32),
    seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    done  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (relay, token)
);
CREATE INDEX relay_call_seen ON relay_call (seen);

-- How many facts a day, by what became of them. No personal data.
CREATE TABLE relay_count (
    relay   text NOT NULL CHECK (relay IN ('mailgun', 'ses')),
    outcome text NOT NULL CHECK (outcome ~ '^[a-z-]{1,40}$'),
    day     date NOT NULL,
    n       bigint NOT NULL CHECK (n > 0),
    at      timestamptz NOT NULL,
    PRIMARY KEY (relay, outcome, day)
);
