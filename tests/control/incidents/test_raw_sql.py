"""Whoever holds a role, and the tables' owner too: none can get round the rules of cases by SQL."""

import psycopg
import pytest
from tests.control.incidents.cast import clocks, member, note, opened, session, step

TABLES = ("case_file", "case_clock", "case_entry", "case_paper", "case_number", "case_told")


@pytest.mark.parametrize("role", ["troth_control", "troth_flow", "troth_ledger", "troth_signin"])
def test_no_role_reads_or_writes_a_table_of_cases(operator, firm, role):
    opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    connection = operator.database.open(role, tenant=firm.tenant)
    for table in TABLES:
        for statement in (f"SELECT * FROM {table}", f"DELETE FROM {table}", f"TRUNCATE {table}",
                          f"INSERT INTO {table} DEFAULT VALUES"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


_CASE = "INSERT INTO case_file (id, kind, cause, key, reference, title, opened_at, severity, state)"
_CLOCK = "INSERT INTO case_clock (case_id, name, round, started_at, due_at, met_at)"
FORBIDDEN = [
    "UPDATE case_file SET state = 'closed', outcome = 'fixed', closed_at = now_v1()",
    "UPDATE case_file SET state = 'resolved', outcome = 'confirmed'",
    "UPDATE case_file SET title = 'nothing'",
    "UPDATE case_file SET opened_at = opened_at - interval '1 day'",
    "UPDATE case_file SET tenant_id = NULL",
    "UPDATE case_file SET uncounted = -1",
    f"{_CASE} SELECT gen_random_uuid(), kind, cause, 'new', 'INC-2026-9999', title, opened_at, '', 'acknowledged' FROM case_file",
    "DELETE FROM case_file",
    "DELETE FROM case_clock",
    "DELETE FROM case_entry",
    "DELETE FROM case_paper",
    "TRUNCATE case_file CASCADE",
    "TRUNCATE case_clock",
    "TRUNCATE case_entry",
    "TRUNCATE case_paper",
    "UPDATE case_clock SET due_at = due_at + interval '1 day'",
    "UPDATE case_clock SET started_at = started_at - interval '1 day'",
    "UPDATE case_clock SET name = 'told'",
    "UPDATE case_clock SET met_at = now_v1(), void_at = now_v1()",
    f"{_CLOCK} SELECT case_id, 'told', 1, started_at, due_at, started_at FROM case_clock",
    f"{_CLOCK} SELECT case_id, 'patch', 1, started_at, due_at, NULL FROM case_clock",
    f"{_CLOCK} SELECT case_id, 'told', 1, started_at, now_v1() - interval '1 day', NULL FROM case_clock",
    "UPDATE case_entry SET kind = 'note'",
    "UPDATE case_paper SET kind = 'form'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_not_even_the_owner_of_the_tables_does(operator, firm, statement):
    case = opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    note(operator, case, paper=b"octets")
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)):
        operator.database.run(statement)


def test_a_clock_is_met_now_whatever_is_written_and_once(operator, firm):
    case = opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    operator.database.run("UPDATE case_clock SET met_at = started_at")
    ((late,),) = operator.database.run("SELECT met_at > started_at FROM case_clock")
    assert late
    for statement in ("UPDATE case_clock SET met_at = NULL", "UPDATE case_clock SET met_at = now_v1()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="once"):
            operator.database.run(statement)
    assert clocks(operator, case)["review 1"][0]


def test_an_entry_is_of_now_whatever_is_written(operator, firm):
    case = opened(operator)
    operator.database.run(
        "INSERT INTO case_entry (case_id, id, at, kind) VALUES (%s, gen_random_uuid(), '2001-01-01Z', 'letter')", case
    )
    assert operator.database.run("SELECT min(at) > '2002-01-01Z' FROM case_entry") == [(True,)]


def test_a_closed_case_is_not_edited(operator, firm):
    case = opened(operator)
    step(operator, case, "resolve", operator.sessions[0], "fixed", "put right again")
    step(operator, case, "close", operator.sessions[0])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="reopened, not edited"):
        operator.database.run("UPDATE case_file SET outcome = 'unfounded'")


def test_only_roles_that_may_take_steps_and_open_papers(operator, firm):
    case, abuse = opened(operator, tenant=firm.tenant), opened(operator, "abuse", tenant=firm.tenant)
    report = opened(operator, "disclosure")
    for each in (case, abuse, report):
        note(operator, each, paper=b"octets")
    papers = dict(operator.admin.execute("SELECT case_id, id FROM case_paper").fetchall())
    for role, tenant, sees, acts in (
        ("admin", firm.tenant, {case}, set()), ("viewer", firm.tenant, {case}, set()), ("auditor", None, {case, abuse, report}, set()),
        ("support", None, {case, abuse}, {case}), ("security", None, {case, abuse, report}, {case, abuse, report}),
        ("compliance", None, {case, abuse, report}, {case, abuse}),
    ):  # fmt: skip
        secret = session(operator, member(operator, f"P{role}", role, tenant).account)
        listed = {row[0] for row in operator.control.execute(
            "SELECT id FROM cases_v1(%s, '', '', false, false, '', NULL, NULL, 50)", (secret,))}  # fmt: skip
        assert listed == sees, role
        for each in (case, abuse, report):
            found = operator.control.execute("SELECT id FROM case_v1(%s, %s)", (secret, each)).fetchall()
            assert bool(found) == (each in sees), role
            seen = operator.control.execute("SELECT id FROM case_entries_v1(%s, %s, 50)", (secret, each)).fetchall()
            assert bool(seen) == (each in sees), role
            if each in acts:
                step(operator, each, "note", secret, words="looked")
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    step(operator, each, "note", secret, words="looked")
            if role in ("security", "compliance") and each in acts:
                assert operator.control.execute("SELECT case_paper_v1(%s, %s)", (papers[each], secret)).fetchone()
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    operator.control.execute("SELECT case_paper_v1(%s, %s)", (papers[each], secret))
    reads = operator.admin.execute(
        "SELECT count(*) FROM ledger_pending WHERE kind LIKE 'cases:%:paper-read'"
    ).fetchone()
    assert reads == (5,), "each opening is an entry"


def test_another_clients_people_see_nothing_of_it(operator, firm):
    from tests.support.firm import make_firm

    other = make_firm(operator, "other")
    case = opened(operator, tenant=firm.tenant, clocks=[("review", 4)])
    secret = session(operator, member(operator, "Olga", "admin", other.tenant).account)
    for query in ("case_v1(%s, %s)", "case_clocks_v1(%s, %s)", "case_entries_v1(%s, %s, 9)", "case_papers_v1(%s, %s)",
                  "case_people_v1(%s, %s)"):  # fmt: skip
        assert operator.control.execute(f"SELECT * FROM {query}", (secret, case)).fetchall() == []
    own = session(operator, member(operator, "Fred", "admin", firm.tenant).account)
    assert operator.control.execute("SELECT * FROM case_clocks_v1(%s, %s)", (own, case)).fetchall()


def test_a_clients_people_read_what_is_meant_for_them(operator, firm):
    case = opened(operator, tenant=firm.tenant, words="what happened")
    step(operator, case, "note", operator.sessions[0], words="between us")
    step(operator, case, "resolve", operator.sessions[0], "fixed", "the root cause")
    secret = session(operator, member(operator, "Fred", "admin", firm.tenant).account)
    found = operator.control.execute(
        "SELECT kind, words_ct IS NOT NULL FROM case_entries_v1(%s, %s, 50) ORDER BY at", (secret, case)
    ).fetchall()
    assert found == [("open", True), ("resolve", True)]


def test_a_clients_people_read_nothing_of_the_houses_own_incidents(operator, firm):
    case = opened(operator, cause="reputation", words="an address is listed")
    secret = session(operator, member(operator, "Fred", "admin", firm.tenant).account)
    looking = operator.database.open("troth_control", tenant=firm.tenant)
    for connection in (operator.control, looking):
        for query in ("case_v1(%s, %s)", "case_clocks_v1(%s, %s)", "case_entries_v1(%s, %s, 9)"):
            assert connection.execute(f"SELECT * FROM {query}", (secret, case)).fetchall() == []
