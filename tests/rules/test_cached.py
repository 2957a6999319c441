"""The cache's steps: what the trigger on message allows."""

from troth.rules.cached import WORKING, cached_steps
from troth.rules.states import State


def test_the_cache_steps_over_working_states():
    steps = cached_steps()
    assert (State.QUEUED, State.SENT) in steps
    assert (State.QUEUED, State.BOUNCED) in steps
    assert (State.DEFERRED, State.SENT) in steps
    assert (State.HELD, State.QUEUED) in steps
    assert not any(WORKING & set(step) for step in steps)


def test_what_is_over_is_never_queued_again_but_what_the_next_hop_gave_back():
    over = {State.SENT, State.DELIVERED, State.BOUNCED, State.SUPPRESSED, State.CANCELLED, State.EXPIRED, State.FAILED}
    given_back = {(State.SENT, State.DEFERRED)}
    assert {(a, b) for a, b in cached_steps() if a in over and b.in_spool} == given_back
