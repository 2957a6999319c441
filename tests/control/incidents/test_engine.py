"""The engine of cases: its table of steps is the database's, every step is an entry, and nobody gets round it."""

from itertools import product

import psycopg
import pytest
from tests.control.incidents.cast import clocks, kinds, later, member, note, opened, session, state, step

from troth.rules import cases

ALL_STEPS = sorted({each.name for each in cases.STEPS})


def test_the_database_has_the_table_of_the_rules(operator):
    for kind, was, name in product(cases.KINDS, cases.STATES, ALL_STEPS):
        found = operator.admin.execute("SELECT case_next(%s,%s,%s)", (kind, was, name)).fetchone()[0]
        assert found == cases.next_state(kind, was, name), (kind, was, name)
    for name in ALL_STEPS:
        assert set(operator.admin.execute("SELECT case_meets(%s)", (name,)).fetchone()[0]) == cases.meets(name)
    for kind in cases.KINDS:
        assert set(operator.admin.execute("SELECT case_clocks_of(%s)", (kind,)).fetchone()[0]) == set(
            cases.CLOCKS[kind]
        )


def test_every_outcome_of_the_rules_and_no_other_can_be_written(operator, firm):
    for kind in cases.KINDS:
        for outcome in (*cases.OUTCOMES[kind], "shelved"):
            case = opened(operator, kind, tenant=firm.tenant)
            step(operator, case, "acknowledge", operator.sessions[0])
            if outcome == "shelved":
                with pytest.raises(psycopg.errors.CheckViolation):
                    step(operator, case, "resolve", operator.sessions[0], outcome, "put right again")
            else:
                assert step(operator, case, "resolve", operator.sessions[0], outcome, "put right again") == "resolved"


def test_the_same_key_opens_one_case_and_its_reference_counts_on(operator, firm):
    first, second = opened(operator, key="a"), opened(operator, key="b")
    assert opened(operator, key="a", clocks=[("review", 4)]) == first
    assert clocks(operator, first) == {}
    found = [r for (r,) in operator.admin.execute("SELECT reference FROM case_file ORDER BY opened_at")]
    year = found[0][4:8]
    assert found == [f"INC-{year}-0001", f"INC-{year}-0002"]
    assert kinds(operator, second) == ["open"]
    assert opened(operator, "abuse", key="a") != first


def test_a_complaint_from_arrival_to_its_end(operator, firm):
    who = operator.sessions[0]
    case = opened(operator, tenant=firm.tenant, clocks=[("told", 1), ("review", 4)])
    assert step(operator, case, "acknowledge", who) == "acknowledged"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="tell client success first"):
        step(operator, case, "resolve", who, "justified", "the list was old")
    assert step(operator, case, "tell", who, words="Ada was told") == "acknowledged"
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="an outcome"):
        step(operator, case, "resolve", who, words="the list was old")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="say it in words"):
        step(operator, case, "resolve", who, "justified")
    assert step(operator, case, "resolve", who, "justified", "the list was old") == "resolved"
    assert step(operator, case, "close", who) == "closed"
    assert [met for met, _, _ in clocks(operator, case).values()] == [True, True]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is no step from there"):
        step(operator, case, "note", who, words="later")
    assert step(operator, case, "reopen", who, words="another one", clocks=[("review", 4)]) == "acknowledged"
    assert clocks(operator, case)["review 2"][0] is False
    assert kinds(operator, case) == ["open", "acknowledge", "tell", "resolve", "close", "reopen"]


def test_each_step_is_an_entry_of_the_ledger_with_who_took_it(operator, firm):
    case = opened(operator, tenant=firm.tenant, words="arrived")
    step(operator, case, "note", operator.sessions[0], words="looked")
    found = operator.admin.execute(
        "SELECT kind, tenant_id, leaf::jsonb ->> 'by' <> '', leaf::jsonb ->> 'words' <> '' FROM ledger_pending"
        " WHERE leaf::jsonb ->> 'case' = %s ORDER BY id", (str(case),),
    ).fetchall()  # fmt: skip
    assert found == [
        ("cases:incident:open", firm.tenant, False, True),
        ("cases:incident:note", firm.tenant, True, True),
    ]
    abuse = opened(operator, "abuse", tenant=firm.tenant)
    told = operator.admin.execute(
        "SELECT tenant_id FROM ledger_pending WHERE leaf::jsonb ->> 'case' = %s", (str(abuse),)
    )
    assert told.fetchall() == [(None,)]


def test_an_entry_of_a_case_cannot_be_forged_in_the_ledger(operator):
    for role in ("troth_control", "troth_flow"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="comes from the act"):
            operator.database.open(role).execute(
                "SELECT ledger_append_v1(ARRAY['cases:incident:close'], ARRAY[NULL::uuid], ARRAY['{}'])"
            )


def test_a_disclosure_is_assessed_and_its_severity_starts_the_patch(operator, firm):
    who = operator.sessions[0]
    case = opened(operator, "disclosure", clocks=[("acknowledge", 48), ("assess", 100)])
    step(operator, case, "acknowledge", who)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="severity is"):
        step(operator, case, "assess", who, "grave", "bad")
    assert step(operator, case, "assess", who, "critical", "bad", [("patch", 72)]) == "assessed"
    assert step(operator, case, "severity", who, "high", clocks=[("patch", 336)]) == "assessed"
    found = clocks(operator, case)
    assert (found["patch 1"][1], found["patch 2"][:2]) == (True, (False, False))
    step(operator, case, "update", who, words="soon", clocks=[("update", 24)])
    step(operator, case, "update", who, words="soon", clocks=[("update", 24)])
    assert step(operator, case, "resolve", who, "fixed", "patched") == "resolved"
    found = clocks(operator, case)
    assert [found[name][0] for name in ("assess 1", "patch 2", "update 1")] == [True] * 3
    assert found["update 2"][1], "the next word is not owed any more"


def test_a_missed_clock_does_not_give_way_to_a_newer_one(operator, firm):
    who = operator.sessions[0]
    case = opened(operator, "disclosure", clocks=[("acknowledge", 48)])
    step(operator, case, "acknowledge", who)
    step(operator, case, "assess", who, "critical", "bad", [("patch", 0.01)])
    later(operator, 1 / 24)
    who = session(operator, owner(operator))
    step(operator, case, "severity", who, "high", clocks=[("patch", 336)])
    assert list(clocks(operator, case)) == ["acknowledge 1", "patch 1"]


def test_a_patch_is_never_due_later_than_it_was(operator, firm):
    who = operator.sessions[0]
    case = opened(operator, "disclosure")
    step(operator, case, "acknowledge", who)
    step(operator, case, "assess", who, "high", "bad", [("patch", 336)])
    step(operator, case, "severity", who, "critical", clocks=[("patch", 72)])
    first = clocks(operator, case)["patch 2"][2]
    for severity, hours in (("critical", 72), ("high", 336)):
        step(operator, case, "severity", who, severity, clocks=[("patch", hours)])
    assert {name: due for name, (_, void, due) in clocks(operator, case).items() if not void} == {"patch 4": first}


def test_only_being_fixed_meets_a_patch(operator, firm):
    who = operator.sessions[0]
    for outcome, met, void in (("fixed", True, False), ("accepted", False, False), ("invalid", False, True),
                               ("duplicate", False, True)):  # fmt: skip
        case = opened(operator, "disclosure")
        step(operator, case, "acknowledge", who)
        step(operator, case, "assess", who, "critical", "bad", [("patch", 72)])
        step(operator, case, "resolve", who, outcome, "looked into")
        assert clocks(operator, case)["patch 1"][:2] == (met, void), outcome


def test_no_clock_is_due_in_eternity(operator, firm):
    flow = operator.database.open("troth_flow")
    for due in ("infinity", "2400-01-01Z"):
        with pytest.raises(psycopg.errors.CheckViolation):
            flow.execute("SELECT case_open_v1(gen_random_uuid(), 'incident', 'x', 'k', 'x', '', NULL, NULL, NULL, NULL, NULL,"
                         " '{review}', ARRAY[%s]::timestamptz[], NULL)", (due,))  # fmt: skip


def test_the_pages_open_only_what_a_form_reports(operator, firm):
    """No page stands where a complaint of the flow's will: its recipient is suppressed whatever happens to a case."""
    control, flow = operator.database.open("troth_control"), operator.database.open("troth_flow")
    key = f"form:{firm.tenant}"
    given = "(gen_random_uuid(), %s, %s, %s, 'A title', '', %s, NULL, NULL, NULL, NULL, '{}', '{}', NULL)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        control.execute(f"SELECT case_open_v1{given}", ("incident", "x", "complaint:x", None))
    for kind, cause, name in (("incident", "form", key), ("abuse", "letter", key), ("abuse", "form", "complaint:x"),
                              ("abuse", "form", None)):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only what its form reports"):
            control.execute(f"SELECT case_filed_v1{given}", (kind, cause, name, None))
    [(made,)] = control.execute(f"SELECT case_filed_v1{given}", ("abuse", "form", key, None)).fetchall()
    assert control.execute(f"SELECT case_filed_v1{given}", ("abuse", "form", key, None)).fetchall() == [(made,)]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="another case has this key"):
        control.execute(f"SELECT case_filed_v1{given}", ("abuse", "form", key, firm.tenant))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        flow.execute(f"SELECT case_filed_v1{given}", ("abuse", "form", key, None))


def test_a_complaint_is_reviewed_by_those_whose_trade_it_is_and_in_a_sentence(operator, firm):
    case = opened(operator, tenant=firm.tenant)
    support = session(operator, member(operator, "Sue", "support", None).account)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="deliverability or compliance"):
        step(operator, case, "resolve", support, "fixed", "the list was old")
    able = session(operator, member(operator, "Del", "deliverability", None).account)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="in a sentence"):
        step(operator, case, "resolve", able, "fixed", "done")
    assert step(operator, case, "resolve", able, "fixed", "the list was old") == "resolved"


def owner(operator):
    return operator.admin.execute("SELECT id FROM account WHERE role = 'owner' ORDER BY id LIMIT 1").fetchone()[0]


def test_a_step_starts_only_its_own_clocks(operator, firm):
    case = opened(operator, tenant=firm.tenant)
    for name, clock in (("acknowledge", "review"), ("tell", "review")):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="starts no such clock"):
            step(operator, case, name, operator.sessions[0], words="w", clocks=[(clock, 4)])
    with pytest.raises(psycopg.errors.CheckViolation, match="no clock"):
        opened(operator, clocks=[("patch", 4)])


def test_what_comes_later_is_kept_and_told_until_somebody_looks(operator, firm):
    who = operator.sessions[0]
    case = opened(operator, "abuse")
    assert note(operator, case, paper=b"the letter itself")
    assert news(operator, case) is None, "the case is new itself"
    step(operator, case, "acknowledge", who)
    note(operator, case, paper=b"another")
    assert news(operator, case) is not None
    step(operator, case, "seen", who)
    assert news(operator, case) is None
    step(operator, case, "resolve", who, "unfounded", "no")
    step(operator, case, "close", who)
    note(operator, case, paper=b"once more")
    assert (state(operator, case), news(operator, case) is not None) == ("closed", True)
    step(operator, case, "seen", who)
    assert news(operator, case) is None


def news(operator, case):
    return operator.admin.execute("SELECT news_at FROM case_file WHERE id = %s", (case,)).fetchone()[0]


def test_a_flood_of_letters_is_counted_and_no_longer_kept(operator, firm):
    case = opened(operator, "abuse")
    operator.database.fill(
        "INSERT INTO case_entry (case_id, id, at, kind) SELECT %s, gen_random_uuid(), now_v1(), 'letter'"
        " FROM generate_series(1, 999)", case,
    )  # fmt: skip
    assert not note(operator, case, paper=b"one too many")
    assert operator.admin.execute("SELECT uncounted FROM case_file WHERE id = %s", (case,)).fetchone() == (1,)


# what only a step, a mail of ours or a reporter's own button may say; None is nothing at all
FORGED = (*ALL_STEPS, "open", "soon", "overdue", "paper-read", "client", "credit", "credit-consent", "credit-end", "mailed",
          "mail-unsent", "reporter-yes", "reporter-stop", None)  # fmt: skip


def test_a_note_is_noted_once_and_is_no_persons_step(operator, firm):
    case = opened(operator)
    flow = operator.database.open("troth_flow")
    ask = "SELECT case_note_v1(%s,%s,%s,NULL,NULL)"
    assert [flow.execute(ask, (case, firm.tenant, "letter")).fetchone()[0] for _ in "12"] == [True, False]
    for role, kind in product(("troth_flow", "troth_control"), FORGED):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="comes from the step"):
            operator.database.open(role).execute(ask, (case, firm.category, kind))
    assert kinds(operator, case) == ["open", "letter"]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no such case"):
        flow.execute(ask, (firm.tenant, firm.tenant, "letter"))


def test_a_case_is_given_to_staff_who_may_act_on_it(operator, firm):
    support = member(operator, "Sue", "support", None).account
    guest = member(operator, "Gus", "admin", firm.tenant).account
    incident, abuse = opened(operator, tenant=firm.tenant), opened(operator, "abuse")
    assert step(operator, incident, "assign", operator.sessions[0], str(support)) == "open"
    assert step(operator, incident, "assign", operator.sessions[0]) == "open"
    for case, whom in ((abuse, support), (incident, guest), (incident, firm.tenant)):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="only to somebody who may act"):
            step(operator, case, "assign", operator.sessions[0], str(whom))
