"""Controls in processes of their own: one that crashes, hangs or babbles has no data, says why, and takes none along."""

import os
import signal
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from troth.control.audit import scope
from troth.control.trust import apart, running
from troth.control.trust.control import Control
from troth.control.trust.found import Found, State

# the tests' own threads are not the command's: it forks with one alone
pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")


def holds(look, _programme):
    look.once("schema", lambda: "read")
    return Found(State.HOLDS, (), {"pid": os.getpid(), "at": look.now})


def hangs(_look, _programme):
    time.sleep(600)


def waits_in_the_database(look, _programme):
    with look.of(None) as connection:
        connection.execute("SET LOCAL statement_timeout = 0; SELECT pg_sleep(600)")


def dies(_look, _programme):
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(_look, _programme):
    os._exit(0)


PIPES = []  # a child's own is the last; what else it inherits is the test runner's, which must not hear of this


def shuts_up(_look, _programme):
    os.close(PIPES[-1])
    time.sleep(600)


def raises(_look, _programme):
    raise ZeroDivisionError("a fault")


def babbles(_look, _programme):
    os.write(PIPES[-1], (9).to_bytes(4, "big") + b"{}nothing")
    time.sleep(600)


def floods(_look, _programme):
    return Found(State.HOLDS, (), {"words": "x" * (apart.MOST + 1)})


def claims_more(_look, _programme):
    return Found(State.NOT_PROMISED, (), {})


def controls(*checks):
    """The first of the shipped ones, with other checks."""
    return tuple(
        Control(real.claim, real.name, timedelta(hours=1), real.how, check)
        for real, check in zip(_INSTALLATION, checks, strict=False)
    )


_INSTALLATION = tuple(each for each in running.CONTROLS if each.claim in ("ENC-4", "ENC-5", "SUP-2", "SUP-3", "LOG-6"))


@pytest.fixture
def run(world, monkeypatch):
    """Check with these controls, apart; what is told by claim."""

    @contextmanager
    def opened():
        with scope.connect(world.database.conninfo("troth_control"), "child") as connection:
            yield world.look(connection)

    forked, fork, pipe = [], os.fork, os.pipe

    def noted():
        forked.append(fork())
        return forked[-1]

    def piped():
        reads, writes = pipe()
        PIPES.append(writes)
        return reads, writes

    monkeypatch.setattr(os, "fork", noted)
    monkeypatch.setattr(os, "pipe", piped)

    def checked(*checks, each=3.0, patience=60.0):
        monkeypatch.setattr(running, "CONTROLS", controls(*checks))
        with scope.connect(world.database.conninfo("troth_control"), "parent") as connection:
            look = world.look(connection, patience)
            found = running.check(look, run=apart.runner(opened, each=each))
            connection.execute("SELECT 1")  # the parent's own connection is as it was
        return [next(one for one in found if one.claim.id == each.claim) for each in running.CONTROLS]

    checked.forked = forked
    return checked


def why(standing):
    return " ".join(standing.parts[0].evidence["why"])


def test_one_child_runs_all_and_shares_what_it_read(run):
    found = run(holds, holds, holds)
    assert [each.state for each in found] == ["holds"] * 3
    (pid,) = {each.parts[0].evidence["seen"]["pid"] for each in found}
    assert pid != os.getpid()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (hangs, "did not come to its end in time"),
        (waits_in_the_database, "did not come to its end in time"),
        (dies, "ended with SIGKILL"),
        (leaves, "ended with status 0"),
        (shuts_up, "ended with no answer"),
        (babbles, "answer is none"),
        (floods, "more than any that is one"),
        (claims_more, "answer is none"),
        (raises, "ZeroDivisionError: a fault"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_control_has_no_data_and_the_others_go_on(run, world, bad, says):
    begun = time.monotonic()
    found = run(holds, bad, holds, holds, each=1.0)
    assert [str(each.state) for each in found] == ["holds", "no data yet", "holds", "holds"]
    assert says in why(found[1])
    assert time.monotonic() - begun < 20
    kept = {each.claim.id: each for each in found}
    assert world.stored(*kept)[found[1].claim.id].state is State.NO_DATA
    for child in run.forked:
        with pytest.raises(ChildProcessError):  # none is left
            os.waitpid(child, os.WNOHANG)


def test_a_failure_that_was_found_stays_when_its_control_dies(run, world):
    def wrong(_look, _programme):
        return Found(State.FAILS, ("it is broken",), {})

    assert run(wrong)[0].state is State.FAILS
    died = run(dies)[0]
    assert died.state is State.FAILS
    assert why(died).startswith("it failed when it was last looked at the control's process ended")
    assert run(holds)[0].state is State.HOLDS


def test_the_whole_has_its_time_too_and_what_is_not_begun_is_not_said_to_be_looked_at(run, world):
    found = run(hangs, holds, holds, each=30.0, patience=1.5)
    assert [str(each.state) for each in found] == ["no data yet"] * 3
    assert "time was over" in why(found[2])
    assert world.sql("SELECT claim FROM claim_state") == [(found[0].claim.id,)]


def test_a_child_that_cannot_begin_has_no_data(world, monkeypatch):
    @contextmanager
    def nothing():
        raise OSError("no descriptor is left")
        yield

    monkeypatch.setattr(running, "CONTROLS", controls(holds, holds))
    with scope.connect(world.database.conninfo("troth_control"), "parent") as connection:
        found = running.check(world.look(connection), run=apart.runner(nothing))
    said = [each for each in found if each.checked_at]
    assert [str(each.state) for each in said] == ["no data yet"] * 2
    assert {why(each) for each in said} == {"the control's process ended with status 1"}


def test_apart_and_here_find_the_same(world):
    @contextmanager
    def opened():
        with scope.connect(world.database.conninfo("troth_control"), "child") as connection:
            yield world.look(connection)

    names = ("SUP-3", "EML-2", "CHG-6")
    here = world.check(*names)
    with scope.connect(world.database.conninfo("troth_control"), "parent") as connection:
        found = running.check(world.look(connection), names, run=apart.runner(opened))
    assert {each.claim.id: each.state for each in found} == {name: here[name].state for name in names}
