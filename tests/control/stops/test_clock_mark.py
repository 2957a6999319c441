"""A clock that was once ahead: its highest mark is taken back by two people, who stop everything first; never otherwise."""

import pytest

from troth.control.audit.refusals import Refused
from troth.control.tenants import pauses

AHEAD = "INSERT INTO clock_mark (high_water) VALUES (now_v1() + interval '3 days')"
BEHIND = "SELECT high_water > now_v1() + interval '5 seconds' FROM clock_mark"


def entries(operator):
    return [kind for (kind,) in operator.admin.execute(
        "SELECT kind FROM ledger_pending WHERE kind LIKE 'sending:%%' ORDER BY id").fetchall()]  # fmt: skip


def test_two_people_take_the_mark_back_and_the_ledger_has_it(operator):
    admin = operator.admin
    admin.execute(AHEAD)
    stop = pauses.start_for_clock(operator.control, operator.sessions[0], "NTP was wrong from 9 to 10")
    assert admin.execute(BEHIND).fetchone() == (True,), "one person alone changes nothing of it"
    assert admin.execute("SELECT tenant_id, effect, started_by FROM pause").fetchall() == [
        (None, "stop-delivery", "clock")
    ]
    with pytest.raises(Refused, match="stopped for the clock already"):
        pauses.start_for_clock(operator.control, operator.sessions[1], "again")
    operator.govern("release", None, str(stop), {}, stop)
    assert admin.execute(BEHIND).fetchone() == (False,)
    assert entries(operator) == ["sending:clock:stop", "sending:clock:set"]
    told = admin.execute("SELECT leaf FROM ledger_pending WHERE kind = 'sending:clock:set'").fetchone()[0]
    change = admin.execute("SELECT release_change FROM pause").fetchone()[0]
    assert str(change) in told


def test_a_clock_that_is_not_behind_and_a_stop_without_words_are_refused(operator):
    for reason, says in (("x", "nothing to take back"), (" ", "Say why")):
        with pytest.raises(Refused, match=says):
            pauses.start_for_clock(operator.control, operator.sessions[0], reason)
    operator.admin.execute(AHEAD)
    with pytest.raises(Refused):
        pauses.start_for_clock(operator.control, b"nobody", "x")
    assert operator.admin.execute("SELECT count(*) FROM pause").fetchone() == (0,)


def test_the_release_of_another_stop_leaves_the_mark(operator):
    admin = operator.admin
    admin.execute(AHEAD)
    stop = pauses.start(operator.control, operator.sessions[0], pauses.Stop(None, "stop-delivery", "a worm"))
    operator.govern("release", None, str(stop), {}, stop)
    assert admin.execute(BEHIND).fetchone() == (True,)
