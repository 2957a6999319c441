-- Cases that the flow opens and adds to; people's steps are the pages' business.

-- name: case_open
-- The same kind and key again: the case that is there, and nothing changed.
SELECT case_open_v1(%(id)b, %(kind)b, %(cause)b, %(key)b, %(title)b, %(severity)b, %(tenant)b, %(programme)b, %(message)b,
    %(category)b, %(template)b, %(clocks)b::text[], %(dues)b::timestamptz[], %(words)b);

-- name: case_note
SELECT case_note_v1(%(case)b, %(id)b, %(kind)b, %(words)b, %(paper)b);

-- name: case_duty
SELECT case_duty_v1();
