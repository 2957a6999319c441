"""The consent ledger: who agreed to what, insert-only; and the way back from an opt-out, by whichever is newer."""

import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

RECORD = "SELECT consent_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
SEALED = b"\x02" + b"x" * 40


@pytest.fixture
def ann(operator, firm):
    return firm.person("ann@example.net")


def record(operator, tenant, person, category=None, *, kind=1, basis="recipient", at=None, expires=None, detail=SEALED):
    made = uuid.uuid4()
    operator.database.run(RECORD, tenant, [made], [person], [category], [kind], [basis], [at], [expires], [detail])
    return made


def test_consent_is_a_row_and_an_entry(operator, firm, ann):
    made = record(operator, firm.tenant, ann, firm.category)
    rows = operator.database.run(
        "SELECT tenant_id, person_id, category_id, kind, basis FROM consent WHERE id = %s", made
    )
    assert rows == [(firm.tenant, ann, firm.category, 1, "recipient")]
    [(leaf,)] = operator.database.run("SELECT leaf::jsonb FROM ledger_pending WHERE kind = 'privacy:consent:record'")
    assert (leaf["consent"], leaf["count"], len(leaf["digest"])) == (str(made), "1", 64)
    record(operator, firm.tenant, ann, kind=3, detail=None)
    assert operator.database.run("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:consent:withdraw'") == [
        (1,)
    ]


def now(operator):
    return operator.database.run("SELECT now_v1()")[0][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": 4},
        {"basis": "Two Words"},
        {"detail": None},
        {"detail": b"\x01" + b"x" * 40},
        {"kind": 2, "basis": "existing-business"},
        {"kind": 2, "basis": "recipient", "expires": datetime(2026, 12, 1, tzinfo=UTC)},
        {"kind": 3, "expires": datetime(2099, 1, 1, tzinfo=UTC)},
        {"at": datetime(2099, 1, 1, tzinfo=UTC)},
        {"at": datetime(2020, 1, 2, tzinfo=UTC), "expires": datetime(2020, 1, 1, tzinfo=UTC)},
        {"category": uuid.UUID(int=5)},
        {"person": uuid.UUID(int=6)},
    ],
)
def test_what_is_no_consent_is_no_row(operator, firm, ann, wrong):
    person = wrong.pop("person", ann)
    with pytest.raises(psycopg.Error):
        record(operator, firm.tenant, person, **wrong)
    assert operator.database.run("SELECT count(*) FROM consent") == [(0,)]


@pytest.mark.parametrize(("basis", "given", "last"), [
    ("inquiry", datetime(2024, 8, 31, tzinfo=UTC), datetime(2025, 2, 28, tzinfo=UTC)),
    ("existing-business", datetime(2024, 2, 29, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
])  # fmt: skip
def test_implied_consent_runs_out_no_later_than_the_law_says(operator, firm, ann, basis, given, last):
    record(operator, firm.tenant, ann, kind=2, basis=basis, at=given, expires=last)
    with pytest.raises(psycopg.errors.CheckViolation):
        record(operator, firm.tenant, ann, kind=2, basis=basis, at=given, expires=last + timedelta(seconds=1))


def test_consent_is_never_changed_or_removed(operator, firm, ann):
    record(operator, firm.tenant, ann)
    for statement in ("UPDATE consent SET kind = 1", "DELETE FROM consent", "TRUNCATE consent", "DELETE FROM opt_in",
                      "TRUNCATE opt_in"):  # fmt: skip
        if statement == "DELETE FROM opt_in":
            opt_out(operator, firm)
            opt_in(operator, firm)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            operator.database.run(statement)


def opt_out(operator, firm):
    index = firm.index("ann@example.net")
    return operator.database.run("SELECT opt_out_v1(%s, %s, %s, 'test')", firm.tenant, index, firm.category)[0][0]


def opt_in(operator, firm):
    index = firm.index("ann@example.net")
    return operator.database.run("SELECT opt_in_v1(%s, %s, %s, 'test')", firm.tenant, index, firm.category)[0][0]


def is_out(operator, firm):
    index = firm.index("ann@example.net")
    return operator.database.run("SELECT opted_out(%s, %s, %s)", firm.tenant, index, firm.category)[0][0]


def test_the_newer_of_out_and_in_counts_and_a_repeated_one_adds_nothing(operator, firm):
    assert not opt_in(operator, firm)
    for _ in range(3):
        assert (opt_out(operator, firm), is_out(operator, firm), opt_out(operator, firm)) == (True, True, False)
        assert (opt_in(operator, firm), is_out(operator, firm), opt_in(operator, firm)) == (True, False, False)
    assert operator.database.run("SELECT (SELECT count(*) FROM opt_out), (SELECT count(*) FROM opt_in)") == [(3, 3)]


def test_a_clock_set_back_opens_nothing(operator, firm):
    opt_out(operator, firm)
    operator.database.run("UPDATE installation SET clock_offset = interval '3 days'")
    opt_in(operator, firm)
    operator.database.run("UPDATE installation SET clock_offset = interval '-3 days'")
    assert opt_out(operator, firm)
    assert is_out(operator, firm)
