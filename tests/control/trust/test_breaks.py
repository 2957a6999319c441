"""What a claim stands on is broken from outside the process: its control says so; it is mended: the claim holds again."""

import re
from importlib.resources import files

import pytest
from tests.control.trust import breaks
from tests.control.trust.world import ids

from troth.control.pipeline import transitions

pytestmark = pytest.mark.slow
_SHIPPED = [
    each.read_text()
    for room in (
        "audit",
        "tenants",
        "people",
        "approvals",
        "pipeline",
        "limits",
        "access",
        "apikeys",
        "suppressions",
        "privacy",
        "recipients",
        "incidents",
        "abuse",
        "asking",
        "complaints",
        "reports",
        "evidence",
        "trust",
    )
    for each in sorted(files(f"troth.control.{room}").joinpath("sql").iterdir(), key=lambda path: path.name)
]


def shipped(name):
    """The package's own statement for a function, as a replacement."""
    found = [
        m[0]
        for text in _SHIPPED
        for m in re.finditer(rf"CREATE (?:OR REPLACE )?FUNCTION {name}\(.*?\$\$;", text, re.DOTALL)
    ]
    return re.sub(r"CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", found[-1])


def do(world, statement, *, quiet):
    if statement.startswith("-- web"):
        world.served.behave(statement.removeprefix("-- web").strip())
    elif statement == "-- transitions":
        for each in transitions.statements():
            world.sql(each)
    elif statement.startswith("-- "):
        _, which, name = statement.split()
        text = shipped(name)
        world.sql(text if which == "function" else text.replace("AS $$", "AS $$ /* another */", 1))
    elif quiet:
        world.quiet(statement)
    else:
        world.sql(statement)


@pytest.mark.parametrize("claim", ids())
def test_each_break_is_seen_and_its_mending_too(world, claim):
    """One world for all breaks of a claim: each must leave it as it was."""
    assert world.state(claim) == "holds", world.why(claim)
    wrong = [said for case in breaks.ALL if case.claim == claim for said in tried(world, case)]
    assert wrong == []


def tried(world, case):
    """Break, look, mend, look."""
    spoil(world, case)
    if world.state(case.claim) != "fails":
        yield f"{case} is not seen"
    for table in case.rows:
        world.quiet(f"DELETE FROM {table}")
        world.quiet(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM public.kept_{table}")
        world.sql(f"DROP TABLE public.kept_{table}")
    for statement in case.mend:
        do(world, statement, quiet=case.quiet)
    found = world.check(case.claim)[case.claim]
    if found.state != "holds":
        yield f"{case} is not seen mended: {[part.evidence['why'] for part in found.parts]}"


def spoil(world, case):
    """Constraints would stop some of what an intruder does: they drop them, and add them as if they had been checked."""
    for table in case.rows:
        world.sql(f"CREATE TABLE public.kept_{table} AS SELECT * FROM {table}")
        world.sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    constraints = lift(world, case.rows)
    for statement in case.sql:
        do(world, statement, quiet=case.quiet)
    restore(world, constraints, "NOT VALID")
    for table in case.rows:
        world.sql(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    trust(world, case.rows)


def lift(world, tables):
    """CHECK constraints of these tables, dropped so that rows can be spoiled as if by a raw page edit."""
    found = world.sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND coninhcount = 0"
        " AND conrelid = ANY(%s::regclass[])",
        list(tables),
    )
    for table, name, _ in found:
        world.sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return found


def restore(world, constraints, how):
    for table, name, definition in constraints:
        world.sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} {how}")


def trust(world, tables):
    """They look valid: only what was spoiled may give the intruder away."""
    world.sql(
        "UPDATE pg_constraint SET convalidated = true WHERE contype = 'c' AND conrelid = ANY(%s::regclass[])",
        list(tables),
    )
    world.sql(
        "UPDATE pg_constraint SET convalidated = true WHERE contype = 'c' AND conrelid IN (SELECT inhrelid FROM pg_inherits"
        " WHERE inhparent = ANY(%s::regclass[]))",
        list(tables),
    )


def test_every_control_has_a_break(world):
    assert {case.claim for case in breaks.ALL} == set(ids())
