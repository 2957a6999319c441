"""What a control remembers of its last check: a list that was rewritten in both places, a witness that went, a clock."""

import pytest

pytestmark = pytest.mark.slow
_OLDER = "UPDATE installation SET clock_offset = clock_offset + interval '2 hours'"


@pytest.mark.parametrize("claim", ["SUP-1", "SUP-3"])
def test_a_hash_that_was_changed_in_the_list_and_its_feed_alike_is_seen(world, claim):
    world.sql(_OLDER)
    assert world.state(claim) == "holds", world.why(claim)
    world.quiet(
        "WITH one AS (SELECT min(id) AS id FROM suppression_feed), of AS (SELECT f.* FROM suppression_feed f JOIN one USING (id)),"
        " moved AS (UPDATE suppression s SET blind_index = sha256(s.blind_index) FROM of WHERE s.blind_index = of.blind_index)"
        " UPDATE suppression_feed f SET blind_index = sha256(f.blind_index) FROM of WHERE f.blind_index = of.blind_index"
    )
    assert world.state(claim) == "fails"
    assert "are not those of an earlier check" in world.why(claim)


def test_a_witness_that_is_gone_is_seen(world):
    assert world.state("LOG-6") == "holds", world.why("LOG-6")
    kept = world.witness.read_bytes()
    world.witness.unlink()
    assert [world.state("LOG-6"), world.state("LOG-6")] == ["fails", "fails"]
    world.witness.write_bytes(kept)
    assert world.state("LOG-6") == "holds", world.why("LOG-6")


def test_a_clock_behind_what_was_signed_is_seen(world):
    assert world.state("LOG-6") == "holds", world.why("LOG-6")
    world.sql("UPDATE installation SET clock_offset = interval '-400 days'")
    assert "the clock stands behind the newest checkpoint" in world.why("LOG-6")


@pytest.mark.parametrize("claim", ["LOG-6", "TRC-1"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE claim_history SET evidence = '{}' WHERE id = (SELECT min(id) FROM claim_history WHERE claim = 'SUP-3')",
        "UPDATE claim_history SET state = 'fails' WHERE id = (SELECT min(id) FROM claim_history WHERE claim = 'SUP-3')",
        "DELETE FROM claim_history WHERE claim = 'SUP-3'",
        "UPDATE claim_state SET state = 'fails' WHERE claim = 'SUP-3'",
    ],
)
def test_what_a_claim_stood_at_cannot_be_rewritten(world, claim, change):
    world.check("SUP-3", claim)
    for table in ("claim_history", "claim_state"):
        world.sql(f"CREATE TABLE public.kept_{table} AS SELECT * FROM {table} WHERE claim = 'SUP-3'")
    world.quiet(change)
    assert "states of claims are not what the ledger was told" in world.why(claim)
    for table in ("claim_history", "claim_state"):
        world.quiet(f"DELETE FROM {table} WHERE claim = 'SUP-3'")
        world.quiet(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM public.kept_{table}")
    assert "the ledger was told" not in world.why(claim)
