"""What somebody does in the house itself, within their rights, to make a late desk look punctual: it stays a failure."""

from datetime import timedelta

import psycopg
import pytest
from tests.control.trust import reported
from tests.control.trust.reported import clock, opened
from tests.control.trust.world import open_session
from tests.support.firm import now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.rules import cases
from troth.rules.profile import load_profile

pytestmark = pytest.mark.slow
RULES = load_profile("property").policy


def signed_in(world):
    """A session of an owner's, of now."""
    keys = world.operator.keyring.tenant(OPERATOR, world.sql("SELECT operator_keyset FROM installation")[0][0])
    owner = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 1")[0][0]
    return open_session(world, owner, keys.seal(b"{}", places.access("detail")))


def step(world, case, name, value="", clocks=()):
    reported.step(world, case, name, value, clocks, signed_in(world))


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def judged(world, severity="critical"):
    case = opened(world, RULES, "disclosure", None, world.firms["property"].programme)
    step(world, case, "acknowledge")
    step(world, case, "assess", severity, patch(world, severity))
    return case


def patch(world, severity):
    return cases.patch_clock(severity, RULES, clock(world))


def test_a_severity_said_again_moves_no_deadline(world):
    case = judged(world)
    assert world.state("VDP-2") == "holds", world.why("VDP-2")
    for _ in range(2):
        move(world, hours=70)
        step(world, case, "severity", "critical", patch(world, "critical"))
    assert world.state("VDP-2") == "fails"


def test_what_was_missed_is_not_judged_away(world):
    case = judged(world)
    move(world, hours=80)
    step(world, case, "severity", "low")
    assert world.state("VDP-2") == "fails"


def test_an_accepted_risk_is_not_patched(world):
    case = judged(world)
    step(world, case, "resolve", "accepted")
    move(world, hours=80)
    assert world.state("VDP-2") == "fails"


def test_what_is_no_weakness_needs_no_patch(world):
    step(world, judged(world), "resolve", "invalid")
    move(world, hours=80)
    assert "patch" not in str(world.why("VDP-2")), world.why("VDP-2")


def test_a_grave_weakness_is_not_judged_without_a_deadline(world):
    case = opened(world, RULES, "disclosure", None, world.firms["property"].programme)
    step(world, case, "acknowledge")
    for name in ("assess", "severity"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="time by which it is patched"):
            step(world, case, name, "critical")


def test_a_late_answer_is_not_dated_back_by_whoever_owns_the_database(world):
    case = opened(world, RULES, "abuse", world.firms["property"].tenant, world.firms["property"].programme)
    move(world, hours=60)
    step(world, case, "acknowledge")
    step(world, case, "resolve", "unfounded")
    world.quiet("UPDATE case_clock SET met_at = due_at - interval '1 minute' WHERE case_id = %s", case)
    assert world.state("ABU-1") == "fails"
    for table in ("case_clock", "case_entry", "case_paper"):
        world.quiet(f"DELETE FROM {table} WHERE case_id = %s", case)
    world.quiet("DELETE FROM case_file WHERE id = %s", case)
    assert world.state("ABU-1") == "fails"
    assert f"{case} was opened, and there is no such case" in str(world.why("ABU-1"))


def test_confirmed_abuse_cannot_be_put_on_another_client(world):
    one, other = world.firms["property"], world.firms["construction"]
    case = opened(world, RULES, "abuse", None, one.programme)
    step(world, case, "acknowledge")
    name = "SELECT case_client_v1(%s, %s, %s, %s)"
    who = signed_in(world)
    with world.database.open("troth_control") as connection:
        connection.execute(name, (case, other.tenant, uuid7(now()), who))
        step(world, case, "resolve", "confirmed")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="reopen it first"):
            connection.execute(name, (case, one.tenant, uuid7(now()), who))


def test_a_promise_of_before_the_switch_stops_whoever_abuses(world):
    text = "(artefact::jsonb - 'cases')::text"
    world.quiet(
        f"UPDATE snapshot SET artefact = {text}, digest = sha256(convert_to({text}, 'UTF8')) WHERE id IN"
        " (SELECT snapshot_id FROM governed WHERE kind = 'policy' AND code = 'programme:p-homes')"
    )
    case = opened(world, RULES, "abuse", world.firms["property"].tenant, world.firms["property"].programme)
    step(world, case, "acknowledge")
    step(world, case, "resolve", "confirmed")
    assert world.sql("SELECT count(*) FROM pause WHERE started_by = 'abuse'") == [(1,)]


def test_whoever_looks_at_one_client_learns_nothing_of_another(world):
    one, other = world.firms["property"], world.firms["retail"]
    message = world.sql("SELECT id FROM message WHERE tenant_id = %s LIMIT 1", other.tenant)[0][0]
    with world.database.open("troth_control", tenant=one.tenant) as connection:
        for query, given in (
            ("desk_match_v1(ARRAY[%s::uuid])", message), ("desk_policies_v1(%s, NULL)", other.tenant),
            ("desk_cases_v1('abuse', '-infinity', %s)", 50), ("desk_clocks_v1('disclosure', '-infinity', %s)", 50),
        ):  # fmt: skip
            found = connection.execute(f"SELECT * FROM {query}", (given,)).fetchall()
            assert all(row[0] == one.programme for row in found), query


def test_a_control_that_cannot_look_any_more_does_not_excuse_what_it_found(world):
    judged(world)
    move(world, hours=80)
    assert world.state("VDP-2") == "fails"
    [(name,)] = world.sql("SELECT conname FROM pg_constraint WHERE conrelid = 'case_clock'::regclass"
                          " AND pg_get_constraintdef(oid) LIKE '%400 days%'")  # fmt: skip
    world.sql(f"ALTER TABLE case_clock DROP CONSTRAINT {name}")
    world.quiet("UPDATE case_clock SET due_at = 'infinity' WHERE name = 'assess'")
    assert world.state("VDP-2") == "fails"
    assert "it could not look" in world.why("VDP-2")
    assert "it failed when it was last looked at" in world.why("VDP-2")
