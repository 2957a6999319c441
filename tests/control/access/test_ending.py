"""Access that ends by itself: leavers within a day, accounts that nobody uses; the last owner never."""

import psycopg
import pytest
from tests.control.access.cast import duty, entries, later, member, session, state

from troth.keys.ids import uuid7

MARK = "SELECT leaver_mark_v1(%s, %s, %s::timestamptz)"


@pytest.fixture
def admin(operator, firm):
    return member(operator, "Adele", "admin", firm.tenant)


def test_a_leaver_loses_access_within_a_day_of_the_mark(operator, firm, admin):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    theirs = session(operator, viewer.account)
    secret = session(operator, admin.account)
    ends, hours = operator.control.execute(
        "SELECT e, extract(epoch FROM e - now_v1()) / 3600 FROM leaver_mark_v1(%s, %s, NULL) AS e",
        (secret, viewer.account),
    ).fetchone()
    assert 23.9 < hours <= 24, ends
    assert duty(operator) == 0
    assert state(operator, viewer.account) == (True, None)
    later(operator, 1.001)
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        session(operator, viewer.account)  # before the duty has come by
    assert duty(operator) == 1
    assert state(operator, viewer.account) == (False, "left")
    assert operator.control.execute("SELECT count(*) FROM session_seen_v1(%s)", (theirs,)).fetchone()[0] == 0
    [mark], [close] = entries(operator, "people:leaver:mark"), entries(operator, "people:account:close")
    assert mark["account"] == close["account"] == str(viewer.account)
    assert (close["why"], close["by"], close["role"]) == ("left", "", "viewer")


def test_earlier_if_asked_at_once_if_asked_and_never_later(operator, firm, admin):
    viewer, author = member(operator, "Vera", "viewer", firm.tenant), member(operator, "Aldo", "author", firm.tenant)
    secret = session(operator, admin.account)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="at the latest 24 hours after the mark"):
        operator.control.execute(MARK, (secret, viewer.account, "2100-01-01T00:00Z"))
    assert operator.admin.execute("SELECT left_at FROM account WHERE id = %s", (viewer.account,)).fetchone()[0] is None
    operator.control.execute("SELECT leaver_mark_v1(%s, %s, now_v1() + interval '1 hour')", (secret, viewer.account))
    with pytest.raises(psycopg.errors.InvalidParameterValue):  # a second mark does not begin the day anew
        operator.control.execute(
            "SELECT leaver_mark_v1(%s, %s, now_v1() + interval '25 hours')", (secret, viewer.account)
        )
    later(operator, 0.05)
    assert duty(operator) == 1
    secret = session(operator, admin.account)
    operator.control.execute("SELECT leaver_mark_v1(%s, %s, now_v1())", (secret, author.account))
    assert state(operator, author.account) == (False, "left")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        operator.control.execute(MARK, (secret, author.account, None))


def test_only_who_may_marks_and_only_their_own(operator, firm, admin):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    owner = operator.admin.execute("SELECT id FROM account WHERE tenant_id IS NULL LIMIT 1").fetchone()[0]
    for secret, whom in (
        (session(operator, viewer.account), admin.account),
        (session(operator, admin.account), owner),
        (session(operator, admin.account), uuid7(operator.admin.execute("SELECT now_v1()").fetchone()[0])),
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
            operator.control.execute(MARK, (secret, whom, None))
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        operator.control.execute(MARK, (session(operator, admin.account, second=False), viewer.account, None))


def test_the_last_owner_can_be_marked_by_nobody(operator):
    owners = operator.admin.execute("SELECT id FROM account WHERE role = 'owner' ORDER BY id").fetchall()
    operator.control.execute(MARK, (operator.sessions[0], owners[0][0], None))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the last owner cannot be removed"):
        operator.control.execute(MARK, (operator.sessions[0], owners[1][0], None))


def test_an_account_that_nobody_uses_is_warned_and_then_closed(operator, firm, admin):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    session(operator, viewer.account)
    later(operator, 70)
    session(operator, admin.account)
    assert duty(operator) == 0
    assert _notices(operator, "account-unused") == []
    later(operator, 8)
    duty(operator)
    duty(operator)
    assert [account for account, _ in _notices(operator, "account-unused")].count(viewer.account) == 1
    assert state(operator, viewer.account) == (True, None)
    later(operator, 13)
    duty(operator)
    assert state(operator, viewer.account) == (False, "unused")
    assert state(operator, admin.account) == (True, None)
    assert (admin.account, "unused") in [(a, v["why"]) for a, v in _notices(operator, "account-closed")]
    assert {"account": str(viewer.account), "why": "unused"}.items() <= entries(operator, "people:account:close")[
        -1
    ].items()


def test_who_is_warned_and_comes_stays(operator, firm):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    later(operator, 80)
    duty(operator)
    session(operator, viewer.account)
    later(operator, 80)
    duty(operator)
    assert state(operator, viewer.account) == (True, None)


def test_the_last_owner_is_never_closed_by_a_date(operator):
    later(operator, 400)
    duty(operator)
    left = operator.admin.execute(
        "SELECT count(*) FROM account WHERE role = 'owner' AND disabled_at IS NULL"
    ).fetchone()[0]
    assert left == 1


def test_a_stricter_policy_closes_sooner(operator, firm):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    operator.govern("policy", firm.tenant, "tenant", {"access": {"unused_days": 30}})
    later(operator, 31)
    duty(operator)
    assert state(operator, viewer.account) == (False, "unused")


def test_who_was_closed_is_given_access_again_by_two_people(operator, firm):
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    later(operator, 91)
    operator.database.fill("UPDATE account SET last_used_at = now_v1() WHERE role = 'owner'")
    duty(operator)
    assert state(operator, viewer.account) == (False, "unused")
    operator.database.fill("UPDATE installation SET clock_offset = '0'")
    artefact = operator.admin.execute(
        "SELECT artefact::jsonb FROM snapshot WHERE subject = %s", (viewer.account,)
    ).fetchone()[0]
    operator.govern("grant", firm.tenant, f"account-{viewer.account.hex}", artefact, viewer.account)
    assert state(operator, viewer.account) == (True, None)


def _notices(operator, template):
    query = "SELECT account_id, variables::jsonb FROM access_notice WHERE template = %s ORDER BY at"
    return operator.admin.execute(query, (template,)).fetchall()
