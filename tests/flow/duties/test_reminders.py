"""Reminders of what people promised to do: in good time, to those who answer for it, once each however often it is asked."""

import json
from datetime import timedelta

import pytest
from tests.control.calendar.conftest import CODES, Cast
from tests.control.incidents.cast import member
from tests.flow.duties.test_domains import connection, operator
from tests.support.firm import make_firm

from troth.flow.duties.reminders import remind
from troth.rules import duties

__all__ = ["connection", "operator"]


@pytest.fixture
def cast(operator):
    made = Cast(operator, {profile: make_firm(operator, code, profile) for profile, code in CODES.items()})
    for role in ("security", "ops-admin", "deliverability", "auditor"):
        member(operator, f"P{role}", role, None)
    return made


def told(cast, **of):
    """(role, what, which) of each mail about a duty."""
    rows = cast.operator.admin.execute(
        "SELECT a.role, n.about, n.variables FROM access_notice n JOIN account a ON a.id = n.account_id"
        " WHERE n.template = 'duty-due' ORDER BY n.at, a.role, n.about").fetchall()  # fmt: skip
    found = [(role, about.split()[0], about.split(maxsplit=2)[2], json.loads(said)) for role, about, said in rows]
    return [(role, which) for role, what, which, _ in found if what == of["of"]] if of else found


async def until(cast, connection, key, left):
    """The clock is moved to so long before a duty is due."""
    due = cast.agenda()[key].due_at
    cast.move(seconds=(due - left - cast.now()).total_seconds() + 60)
    return await remind(connection)


async def test_nothing_is_said_before_it_is_near(cast, connection):
    assert await remind(connection) == 0


async def test_each_stage_is_told_once_to_those_who_answer_for_it(cast, connection):
    key = "p-homes:restore-drill"
    await until(cast, connection, key, timedelta(days=14))
    assert told(cast, of=key) == [("ops-admin", "14 days")]
    assert await remind(connection) == 0
    await until(cast, connection, key, timedelta(days=3))
    assert told(cast, of=key) == [("ops-admin", "14 days"), ("ops-admin", "3 days")]
    await until(cast, connection, key, timedelta(0))
    late = [("ops-admin", "late 1"), ("owner", "late 1"), ("owner", "late 1")]
    assert sorted(told(cast, of=key)[2:]) == late  # the owners hear of what is late, too
    cast.move(days=6)
    await remind(connection)
    assert sorted(told(cast, of=key)[2:]) == late
    cast.move(days=2)
    await remind(connection)
    await remind(connection)
    assert [which for _, which in told(cast, of=key)[5:]] == ["late 2"] * 3


async def test_what_is_done_is_not_told_of(cast, connection):
    key = "p-homes:restore-drill"
    cast.move(days=70)
    cast.hand_in("INF-9", "restore-drill", "property")
    await until(cast, connection, key, timedelta(days=20))
    assert told(cast, of=key) == []


async def test_a_role_that_nobody_has_is_the_owners_to_do(cast, connection):
    key = "p-homes:training"
    await until(cast, connection, key, timedelta(days=10))
    assert told(cast, of=key) == [("owner", "14 days")] * 2  # of compliance there is nobody
    assert duties.BY_CODE["training"].owner == "compliance"
    assert {role for role, *_ in told(cast)} <= {"owner", "security", "ops-admin", "deliverability"}


async def test_the_mail_says_what_and_whose_and_when(cast, connection):
    await until(cast, connection, "installation:static-scan", timedelta(days=2))
    (said,) = [each for role, what, _, each in told(cast) if what == "installation:static-scan"]
    assert (said["duty"], said["claim"], said["client"], said["late"]) == (
        "Static scan of the code", "APP-1", "the whole installation", "")  # fmt: skip
