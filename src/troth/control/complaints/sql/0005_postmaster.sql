-- What Gmail's Postmaster Tools and Microsoft's SNDS tell of our domains and addresses, by day, as it was last read.

-- subject: a domain (gmail) or an address (snds). number: a share from 0 to 1, or a count; words: what stands beside it.
CREATE TABLE provider_day (
    source  text NOT NULL CHECK (source IN ('gmail', 'snds')),
    subject text NOT NULL CHECK (subject <> '' AND length(subject) <= 300),
    day     date NOT NULL,
    metric  text NOT NULL CHECK (metric ~ '^[a-z_]{1,40}$'),
    number  double precision NOT NULL CHECK (number >= 0),
    words   text NOT NULL DEFAULT '' CHECK (length(words) <= 300),
    read_at timestamptz NOT NULL,
    PRIMARY KEY (source, subject, day, metric)
);
CREATE INDEX provider_day_newest ON provider_day (source, day);

-- How reading went: tried_at, the newest try; read_at, the newest that brought something; trouble: why not, or not all.
CREATE TABLE provider_read (
    source   text PRIMARY KEY CHECK (source IN ('gmail', 'snds')),
    tried_at timestamptz NOT NULL,
    read_at  timestamptz CHECK (read_at <= tried_at),
    trouble  text NOT NULL DEFAULT '' CHECK (length(trouble) <= 500)
);
