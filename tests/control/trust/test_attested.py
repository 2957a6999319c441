"""The states of claims that rest on evidence: each is reached, by the clock and by what people do."""

from datetime import timedelta

import pytest
from tests.control.trust.breaks_attested import CLAIMS, bring
from tests.control.trust.world import open_session

from troth.control.audit import scope
from troth.control.evidence import acts

_DAYS = {"APP-1": 31, "INC-6": 365, "APP-6": 365, "CPL-5": 365, "CPL-7": 365, "VDP-3": 365}


def move(world, days):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(days=days))
    world.sql("SELECT make_partitions_v1()")


def owner(world):
    (account,) = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' LIMIT 1")[0]
    return open_session(world, account, b"\x01" + bytes(40))


@pytest.mark.parametrize("claim", CLAIMS)
def test_it_holds_till_its_last_day_then_fails_until_newer_evidence_is_accepted(world, claim):
    found = world.check(claim)[claim]
    assert found.state == "holds", found
    assert all(part.evidence["seen"] for part in found.parts)
    move(world, _DAYS[claim] - 4)  # the world is two days older than what was brought
    assert world.state(claim) == "holds", world.why(claim)
    move(world, 4)
    assert world.state(claim) == "fails"
    assert "no newer one has been accepted" in world.why(claim)
    bring(world, open_session, (claim,))
    assert world.state(claim) == "holds", world.why(claim)


@pytest.mark.parametrize("claim", CLAIMS)
def test_before_the_first_there_is_no_data_and_its_day_and_after_that_it_fails(world, claim):
    world.quiet("DELETE FROM evidence")
    for table in ("ledger_leaf", "ledger_pending"):
        world.quiet(f"DELETE FROM {table} WHERE kind LIKE 'trust:evidence:%'")
    assert world.state(claim) == "no data yet"
    assert "the first is due by" in world.why(claim)
    move(world, 366)
    assert world.state(claim) == "fails"
    assert "the first was due on" in world.why(claim)


def test_what_is_withdrawn_fails_until_there_is_another(world):
    with scope.connect(world.database.conninfo("troth_control"), "evidence test") as connection:
        (piece,) = connection.execute("SELECT id FROM evidence WHERE claim = 'APP-6'").fetchone()
        acts.withdraw(connection, owner(world), piece, "They had tested another system")
    assert world.state("APP-6") == "fails"
    assert "it was withdrawn" in world.why("APP-6")
    assert world.state("CPL-5") == "holds"
    bring(world, open_session, ("APP-6",))
    assert world.state("APP-6") == "holds"
