-- Warm-up: a new sending address earns its name by sending a little more each day. A route (one next hop) has a schedule
-- that two people approved (kind 'route'), and a row for each day of UTC that says how much of it went. The mark takes
-- from that row, so that the cap holds for any number of workers; what is too much is held until the next day.

CREATE TABLE route_day (
    route   text NOT NULL,
    day     date NOT NULL,
    cap     integer NOT NULL CHECK (cap >= 0),
    used    integer NOT NULL CHECK (used >= 0),
    asked   integer NOT NULL CHECK (asked >= 0),        -- what the last mark wanted, and what it got: its own arithmetic
    granted integer NOT NULL CHECK (granted >= 0),
    held    integer NOT NULL DEFAULT 0 CHECK (held >= 0), -- put off to the next day
    PRIMARY KEY (route, day),
    CONSTRAINT route_day_never_exceeded CHECK (used <= cap)
) WITH (fillfactor = 50);

-- Messages that a route may send on the day of a moment; NULL: as many as it likes, for it has no schedule or is through
-- it. Before the first day nothing goes, and nothing under a schedule that was stopped.
CREATE FUNCTION route_cap_v1(p_route text, p_at timestamptz) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT CASE
        WHEN r.snapshot_id IS NOT NULL THEN 0
        WHEN g.retired THEN NULL
        WHEN d.n < 0 THEN 0
        WHEN d.n >= jsonb_array_length(w.caps) THEN NULL
        ELSE (w.caps ->> d.n)::integer END
    FROM troth.governed g
    JOIN troth.snapshot s ON s.id = g.snapshot_id
    LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id,
    LATERAL (SELECT s.artefact::jsonb -> 'caps' AS caps, (s.artefact::jsonb ->> 'starts')::date AS starts) AS w,
    LATERAL (SELECT (p_at AT TIME ZONE 'UTC')::date - w.starts AS n) AS d
    WHERE g.tenant_id IS NULL AND g.kind = 'route' AND g.code = p_route
$$;
