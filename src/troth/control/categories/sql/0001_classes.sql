-- A category may be `relationship`, which CAN-SPAM puts beside transactional: what people get because of something they
-- have or asked for. The control of EML-13 counts it as such; its function is otherwise what it was, rights included.
DO $$
DECLARE
    was text := pg_get_functiondef('troth.claim_fact_v1(text, timestamptz)'::regprocedure);
    made text := replace(was, '(''transactional'', ''required'')', '(''transactional'', ''relationship'', ''required'')');
BEGIN
    IF made = was THEN
        RAISE EXCEPTION 'the control of EML-13 does not name the legal classes where it did';
    END IF;
    EXECUTE made;
END $$;
