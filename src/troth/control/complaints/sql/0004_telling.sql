-- Who is told of complaints: the operator's people by their cases (incidents/sql/0004_duty.sql), the client's programs by
-- the event's webhook, and the client's administrators by mail, at most once an hour each; of a stop always.

CREATE FUNCTION complaint_tell(p_tenant uuid, p_about text, p_line text, p_case text, p_since interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
    SELECT troth.access_tell(a.id, 'case-notice', p_about, jsonb_build_object(
        'cases', n.cases, 'missed', 0, 'lines', left(p_line || CASE WHEN n.cases > 1 THEN '; and ' || n.cases - 1
            || ' more since you were last told' ELSE '' END, 380), 'case', CASE WHEN n.cases = 1 THEN p_case ELSE '' END))
    FROM troth.account a
    LEFT JOIN LATERAL (SELECT max(o.at) AS at FROM troth.access_notice o
                       WHERE o.account_id = a.id AND o.template = 'case-notice') AS told ON true
    CROSS JOIN LATERAL (SELECT greatest(count(DISTINCT c.case_id), 1) AS cases FROM troth.complaint c
                        WHERE c.tenant_id = p_tenant AND c.at > coalesce(told.at, troth.now_v1() - interval '1 day')) AS n
    WHERE a.tenant_id = p_tenant AND a.role = 'admin' AND a.disabled_at IS NULL
      AND (told.at IS NULL OR told.at <= troth.now_v1() - p_since)
$$;

CREATE FUNCTION complaint_tells() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.complaint_tell(NEW.tenant_id, NEW.case_id::text, (SELECT f.reference FROM troth.case_file f WHERE f.id = NEW.case_id)
        || ': a recipient complained about a message', NEW.case_id::text, interval '1 hour');
    RETURN NULL;
END $$;
CREATE TRIGGER tells AFTER INSERT ON complaint FOR EACH ROW EXECUTE FUNCTION complaint_tells();

CREATE FUNCTION complaint_stop_tells() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    PERFORM troth.complaint_tell(NEW.tenant_id, NEW.id::text, 'Nothing more is sent for you: ' || NEW.reason, '', interval '0');
    RETURN NULL;
END $$;
CREATE TRIGGER complaint_stop_tells AFTER INSERT ON pause FOR EACH ROW WHEN (NEW.started_by = 'complaints')
    EXECUTE FUNCTION complaint_stop_tells();
