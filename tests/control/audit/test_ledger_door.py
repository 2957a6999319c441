"""What the run-time roles may append to the ledger, and what only the act itself may."""

import psycopg
import pytest
from tests.support.firm import make_operator

_APPEND = "SELECT ledger_append_v1(ARRAY[%s], ARRAY[NULL::uuid], ARRAY['{}'])"


@pytest.mark.parametrize("role", ["troth_control", "troth_flow"])
@pytest.mark.parametrize(
    "kind",
    [
        "governance:change:approve",
        "governance:version:revoke",
        "privacy:person:erase",
        "sending:pause:start",
        "people:password:set",
        "webhook:secret:add",
        "trust:claim:check",
        "evidence:batch:seal",
        "cases:incident:close",
        "complaints:review:signed",
        "feedback:letter:read",
        "reports:review:signed",
    ],
)
def test_no_run_time_role_writes_of_an_act_that_did_not_happen(database, role, kind):
    make_operator(database)
    with pytest.raises(psycopg.Error, match="comes from the act") as refused:
        database.open(role).execute(_APPEND, (kind,))
    assert refused.value.sqlstate == "42501"


def test_the_door_that_asks_no_questions_is_closed(database):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.open("troth_control").execute(_APPEND.replace("append_v1", "entry"), ("access:page:read",))


def test_other_entries_are_taken_and_an_act_tells_of_itself(database):
    operator = make_operator(database)
    assert operator.control.execute(_APPEND, ("access:page:read",)).fetchone()[0]
    kinds = operator.admin.execute("SELECT kind FROM ledger_pending ORDER BY id").fetchall()
    assert kinds == [("governance:change:propose",), ("governance:change:approve",), ("access:page:read",)]
