"""Whatever people and forgers do in whatever order: nothing is in force that another person did not approve as it is."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.control.approvals.cast import make_world
from tests.control.approvals.engine import Engine
from tests.control.approvals.model import Tally
from tests.support.postgres import cloned

SEQUENCES = int(os.environ.get("SEQUENCES") or 250)
# a promise of the engine, and the line without which it is broken: (function, what stands there, what stands there then)
BROKEN = {
    "the author approves": [("wrote", "(p_change).proposer_human = p_human OR", "false AND"),
                            ("approve_v1", "c.proposer_human = who.human_id", "false")],
    "a co-author approves": [("wrote", "d.human_id = p_human", "false")],
    "any digest will do": [("approve_v1", "c.digest <> p_digest", "false"),
                           ("approve_v1", "p_digest, troth.now_v1()", "c.digest, troth.now_v1()")],
    "an edit keeps the proposal": [("draft_voids", "AND state = 1", "AND state = 9")],
    "one approval is enough": [("approvers_wanted", "greatest", "least")],
    "whoever has lost the right still counts": [("approvals_of", "may.id = a.account_id", "true")],
    "what is over is approved": [("approve_v1", "c.state <> 1 OR", "c.state <> 1 AND"),
                                 ("approval_guard", "c.expires_at > troth.now_v1()", "true"),
                                 ("snapshot_guard", "c.expires_at > troth.now_v1()", "true")],
    "no right is needed": [("approve_v1", "PERFORM troth.allowed(p_session, c.kind || ':approve', c.tenant_id);", "")],
    "the owner forges a version": [("acts", "AND a.human_id = p_human", ""),
                                   ("snapshot_guard", "troth.approvals_of(c)", "9")],
    "the owner forges an approval": [("acts", "AND a.human_id = p_human", "")],
    "a decision needs nobody": [("change_guard", "WHEN NEW.state = 2 THEN", "WHEN NEW.state = 2 THEN true OR")],
    "a step leaves no entry": [("expire_changes_v1", "PERFORM troth.change_entry('governance:change:expire', c, NULL);", "")],
}  # fmt: skip


def _play(world, sequences: int, **options: object) -> Tally:
    tally = Tally()
    machine = type("Engine", (Engine,), {"world": world, "tally": tally})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )
    return tally


@pytest.mark.timeout(7200)
def test_nothing_is_in_force_without_four_eyes(database, capsys):
    tally = _play(make_world(database), SEQUENCES)
    with capsys.disabled():
        print(f"\n{tally}\n{', '.join(f'{what}: {n}' for what, n in sorted(tally.done.items()))}")
    assert tally.sequences >= SEQUENCES
    assert tally.alone == 0
    # sequences without a version, a refusal or a forgery would prove nothing
    assert tally.live > SEQUENCES / 10
    for what in ("save", "propose", "approve", "close", "forge"):
        assert tally.done[f"{what} refused"] > 0


@pytest.fixture(scope="module")
def world(pg_server, pg_template):
    with cloned(pg_server, pg_template) as database:
        yield make_world(database)


@pytest.mark.slow
@pytest.mark.parametrize("promise", BROKEN)
def test_sequences_find_an_engine_without(world, promise):
    """So that what they do not find is not there: the same sequences against an engine with one line less."""
    sound = [_definition(world, name) for name, *_ in BROKEN[promise]]
    try:
        for name, there, then in BROKEN[promise]:
            definition = _definition(world, name)
            assert there in definition, f"{name} has no {there}"
            world.admin.execute(definition.replace(there, then))
        with pytest.raises((AssertionError, ExceptionGroup)):  # the group: found in two ways
            _play(world, 1500, phases=[Phase.generate], report_multiple_bugs=False)
    finally:
        world.admin.execute("ROLLBACK")
        for definition in sound:
            world.admin.execute(definition)


def _definition(world, name):
    return world.admin.execute("SELECT pg_get_functiondef(%s::regproc)", (f"troth.{name}",)).fetchone()[0]
