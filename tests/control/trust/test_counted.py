"""What was accepted is counted, but for what was called back before its window began: that was given back."""

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("claim", "scope"), [("LIM-1", 2), ("SND-2", 3), ("LIM-2", 4)])
def test_a_message_that_was_called_back_is_missed_by_no_counter(world, claim, scope):
    assert world.state(claim) == "holds", world.why(claim)
    world.quiet(f"UPDATE rate_counter SET used = used - 1 WHERE scope = {scope} AND used > 0")
    assert "accepted messages were counted for no" in world.why(claim)
    world.quiet("UPDATE message SET state = 12")
    assert "were counted for no" not in world.why(claim)


@pytest.mark.parametrize(("level", "state"), [("{", "no data yet"), ("[]", "fails"), ('"x"', "fails")])
def test_a_level_that_is_none_rules_no_client_and_is_seen(world, level, state):
    """Of what is no JSON at all PostgreSQL counts nothing, so LIM-1 cannot say; it never holds."""
    world.quiet("ALTER TABLE snapshot DROP CONSTRAINT snapshot_check")
    world.quiet(f"UPDATE snapshot SET artefact = '{level}' WHERE kind = 'policy'")
    assert world.state("LIM-1") == state
    assert world.state("CHG-6") == "fails"
    assert "have no approval that the ledger knows" in world.why("CHG-6")
