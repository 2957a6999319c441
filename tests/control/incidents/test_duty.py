"""Clocks that are soon due or missed: an entry each, once, and mail to the people whose business it is."""

from tests.control.incidents.cast import kinds, later, member, note, opened, session, step


def duty(operator) -> int:
    return operator.database.open("troth_flow").execute("SELECT case_duty_v1()").fetchone()[0]


def told(operator) -> list[tuple]:
    """(who, how many cases, how many of them missed, the words)"""
    return operator.admin.execute(
        "SELECT a.role, (n.variables::jsonb ->> 'cases')::int, (n.variables::jsonb ->> 'missed')::int,"
        " n.variables::jsonb ->> 'lines' FROM access_notice n JOIN account a ON a.id = n.account_id"
        " WHERE n.template = 'case-notice' ORDER BY n.at, a.role"
    ).fetchall()


def test_a_clock_is_warned_of_once_and_missed_once(operator, firm):
    case = opened(operator, tenant=firm.tenant, clocks=[("review", 4), ("told", 1)])
    duty(operator)
    assert kinds(operator, case) == ["open"]
    later(operator, 0.8 / 24)
    duty(operator)
    duty(operator)
    assert kinds(operator, case) == ["open", "soon"]
    later(operator, 2.4 / 24)
    duty(operator)
    assert kinds(operator, case) == ["open", "soon", "overdue", "soon"]
    later(operator, 1 / 24)
    for _ in "123":
        duty(operator)
    assert kinds(operator, case).count("overdue") == 2
    missed = "SELECT count(*) FROM ledger_pending WHERE kind = 'cases:incident:overdue' AND tenant_id = %s"
    assert operator.admin.execute(missed, (firm.tenant,)).fetchone() == (2,)


def test_a_clock_that_is_met_or_set_aside_is_neither(operator, firm):
    case = opened(operator, "disclosure", clocks=[("acknowledge", 1)])
    step(operator, case, "update", operator.sessions[0], words="by telephone")
    later(operator, 2 / 24)
    duty(operator)
    assert kinds(operator, case) == ["open", "update"]


def test_each_is_told_of_what_is_theirs_and_at_most_every_quarter_of_an_hour(operator, firm):
    for role in ("deliverability", "security", "support", "auditor"):
        member(operator, f"P{role}", role, None)
    member(operator, "Fred", "admin", firm.tenant)
    opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    opened(operator, "disclosure")
    duty(operator)
    found = {role: (cases, missed) for role, cases, missed, _ in told(operator)}
    assert found == {"deliverability": (1, 0), "support": (1, 0), "security": (1, 0), "owner": (2, 0)}
    opened(operator, tenant=firm.tenant)
    duty(operator)
    assert len(told(operator)) == 5, "not again so soon"
    later(operator, 0.3 / 24)
    duty(operator)
    assert len(told(operator)) == 9
    assert "was opened" in told(operator)[-1][3]
    later(operator, 0.3 / 24)
    duty(operator)
    assert len(told(operator)) == 9, "nothing new, nothing told"


def test_what_an_owner_has_is_told_to_them_alone_until_it_is_missed(operator, firm):
    sue, dan = member(operator, "Sue", "support", None), member(operator, "Dan", "deliverability", None)
    case = opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    step(operator, case, "assign", operator.sessions[0], str(sue.account))
    operator.database.fill("DELETE FROM case_told")
    later(operator, 3.5 / 24)
    duty(operator)
    soon = [role for role, _, _, words in told(operator) if "soon due" in words]
    assert soon == ["support"]
    later(operator, 1 / 24)
    duty(operator)
    missed = [role for role, _, n, words in told(operator) if n and "is overdue" in words]
    assert sorted(missed) == ["owner", "owner", "support"]
    secret = session(operator, dan.account)
    assert step(operator, case, "note", secret, words="I can still help") == "open"


def test_a_later_letter_is_told(operator, firm):
    case = opened(operator, "abuse")
    step(operator, case, "acknowledge", operator.sessions[0])
    duty(operator)
    later(operator, 0.3 / 24)
    note(operator, case, paper=b"once more")
    duty(operator)
    assert "has a new letter" in told(operator)[-1][3]
