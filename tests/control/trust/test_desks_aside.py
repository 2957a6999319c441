"""ABU-1 and VDP-1: what a flood drove out of the desks is somebody's all the same, within the promise."""

from datetime import timedelta

import pytest

_PUT = """
INSERT INTO inbound_letter (id, desk, reason, digest, at, size, letter_ct)
SELECT gen_random_uuid(), %s, 'flood', substr(sha256((%s || g)::bytea), 1, 16), now_v1() - %s, 10, '\\x0101' FROM generate_series(1, %s) AS g
"""
_DONE = """
UPDATE inbound_letter SET done_at = at + %s, done_by = (SELECT id FROM account WHERE tenant_id IS NULL LIMIT 1) WHERE desk = %s
"""


@pytest.mark.parametrize(("claim", "desk"), [("ABU-1", "abuse"), ("VDP-1", "security")])
def test_letters_put_aside_are_done_within_the_promise(world, claim, desk):
    assert world.state(claim) == "holds", world.why(claim)
    world.quiet(_PUT, desk, desk, timedelta(hours=1), 3)
    assert world.state(claim) == "holds", world.why(claim)
    world.quiet(_PUT, desk, "old", timedelta(days=30), 40)
    assert world.state(claim) == "fails"
    assert f"40 letters to {desk}@ were put aside, and nobody did them within" in world.why(claim)
    world.quiet(_DONE, timedelta(minutes=90), desk)
    assert world.state(claim) == "holds", world.why(claim)
    world.quiet(_DONE, timedelta(days=20), desk)
    assert world.state(claim) == "fails"
