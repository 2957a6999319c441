"""Which steps a message row's cached state may make: what the trigger that refuses all others is made from.

Claimed, sending and uncertain are working states of the spool; the cache steps over them.
"""

from troth.rules.states import TRANSITIONS, State

WORKING = frozenset({State.CLAIMED, State.SENDING, State.UNCERTAIN})


def cached_steps() -> frozenset[tuple[State, State]]:
    """Every (before, after) of two different cached states that the table of transitions permits."""
    direct: dict[State, set[State]] = {state: set() for state in State}
    for step in TRANSITIONS:
        if step.source is not None:
            direct[step.source].add(step.target)
    pairs = {(a, b) for a in State if a not in WORKING for b in _reach(a, direct)}
    return frozenset((a, b) for a, b in pairs if a is not b)


def _reach(start: State, direct: dict[State, set[State]]) -> set[State]:
    """States that follow `start` at once or through working states alone."""
    found: set[State] = set()
    todo = list(direct[start])
    while todo:
        state = todo.pop()
        if state not in found:
            found.add(state)
            todo += direct[state] if state in WORKING else []
    return found - WORKING
