"""Makes the database refuse a message state that the table in rules/states.py does not allow; run at every upgrade."""

from collections.abc import Iterator

from troth.rules.cached import cached_steps
from troth.rules.states import sql_kind_check, sql_state_check

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, troth, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'message %: state % cannot follow %', NEW.id, NEW.state, OLD.state USING ERRCODE = '23514';
END $$
"""


def statements() -> Iterator[str]:
    """SQL that may be run again at any time: CHECKs and the trigger, from the table."""
    steps = ", ".join(f"({a:d}, {b:d})" for a, b in sorted(cached_steps()))
    yield _REFUSE
    yield (
        "CREATE OR REPLACE TRIGGER legal_step BEFORE UPDATE OF state ON message FOR EACH ROW "
        f"WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({steps})) EXECUTE FUNCTION refuse_step()"
    )
    for table, check in (("message", sql_state_check()), ("event", sql_kind_check())):
        yield f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS known_{table}"
        yield f"ALTER TABLE {table} ADD CONSTRAINT known_{table} CHECK ({check}) NOT VALID"
        yield f"ALTER TABLE {table} VALIDATE CONSTRAINT known_{table}"
