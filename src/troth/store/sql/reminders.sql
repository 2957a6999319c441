-- What people have promised to do again and again, and the mail that reminds them.

-- name: homes
SELECT id, code, name, profile, begun, promise, operator FROM duty_homes_v1();

-- name: facts
SELECT programme_id, claim, kind, since, done, until, account, ref FROM duty_done_v1();

-- name: tell
-- To whom it is not told yet: how many these were.
SELECT duty_tell_v1(%(owner)b, %(about)b, %(late)b, %(variables)b::jsonb);
