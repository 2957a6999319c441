"""In a world where nothing is broken every control holds, and nothing else claims to."""

from tests.control.trust.world import ids

from troth.control.trust.found import State


def test_every_control_holds_where_nothing_is_broken(world):
    found = world.check()
    said = {name: [part.evidence["why"] for part in found[name].parts] for name in ids()}
    assert {name: found[name].state for name in ids()} == dict.fromkeys(ids(), State.HOLDS), said
