"""A year under each profile: everything falls due when promised; done each time, the promises hold and the ledger has it;
undone, each fails. The clock is the test's: nothing hangs on the day on which this runs.
"""

from collections import Counter
from datetime import timedelta

import pytest
from tests.control.calendar.year import GRACE, Year
from tests.control.trust.conftest import built, world

from troth.control.audit import scope
from troth.rules import duties
from troth.rules.evidence_kinds import BY_CODE
from troth.rules.profile import PROFILES, load_profile

__all__ = ["built", "world"]
OFTEN = 28  # days: what is done more often is looked at every fourth time
YEAR, HOUR = timedelta(days=366), timedelta(hours=1)


@pytest.fixture
def year(world, request):
    with scope.connect(world.database.conninfo("troth_control"), "year") as control:
        yield Year(world, request.param, control)


def counted(done, days):
    """How often a duty of so many days is done in a year at the least, and, in good time, at the most."""
    return YEAR.days // days <= done <= YEAR.days // max(days - 6, 1) + 2


@pytest.mark.slow
@pytest.mark.parametrize("year", PROFILES, indirect=True)
def test_done_each_time_the_promises_hold_and_each_is_in_the_ledger(year):
    policy, began, done, refs = load_profile(year.profile).policy, year.now(), Counter(), set()
    found = {each.key: each for each in year.agenda()}
    while (one := min(found.values(), key=lambda each: each.due_at)).due_at < began + YEAR:
        assert one.due_at <= one.promised_at
        assert one.promised_at - one.due_at < timedelta(days=6)  # a long weekend, at Christmas
        year.to(max(one.due_at - HOUR, year.now()))
        assert one.state != "overdue"
        year.do(one.duty)
        found = {each.key: each for each in year.agenda()}
        after = found[one.key]
        assert after.ref not in (None, one.ref)
        assert after.promised_at <= year.now() + timedelta(days=one.duty.every_days(policy) + 1)
        refs.add(after.ref)
        done[one.duty] += 1
        often = one.days < OFTEN and done[one.duty] % 4  # its control remembers what came late for 90 days
        if year.promises(one.duty.claim) and not often:
            state, why = year.part(one.duty.claim)
            assert state == "holds", (one.key, done[one.duty], why)
    year.to(began + YEAR)
    assert set(done) == {each.duty for each in found.values()} >= set(duties.of_profile(year.profile))
    assert [each.code for each, n in done.items() if not counted(n, each.every_days(policy))] == []
    assert [
        claim for claim in {each.claim for each in done} if year.promises(claim) and year.part(claim)[0] != "holds"
    ] == []
    year.world.seal()
    ledger = year.ledger()
    assert [ref for ref in refs if str(ref) not in ledger] == []


@pytest.mark.parametrize("year", PROFILES, indirect=True)
def test_each_that_is_not_done_fails_its_promise(year):
    due = [each for each in year.agenda() if each.duty in duties.of_profile(year.profile)]
    assert {each.duty for each in due} == set(duties.of_profile(year.profile))
    for each in due:
        year.to(each.promised_at + GRACE)
        found = next(other for other in year.agenda() if other.key == each.key)
        assert (found.state, found.due_at) == ("overdue", each.due_at)
        state, why = year.part(each.duty.claim)
        assert state == "fails", (each.duty.code, why)
        if each.duty.evidence_kind:
            assert BY_CODE[each.duty.evidence_kind].name in why
