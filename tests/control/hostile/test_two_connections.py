"""Two real connections at once, and one that lags behind: whoever acts, acts on what is so now."""

import threading
import time

import psycopg
import pytest
from tests.control.access.cast import duty, later, member, session, state
from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document

PROPOSE = "SELECT propose_v1(%s, %s, %s, %s, %s, %s, 'x', %s)"
APPROVE = "SELECT approve_v1(%s, %s, %s)"
LEVELS = ("REPEATABLE READ", "SERIALIZABLE")


def lagging(operator, level):
    """A transaction of role troth_control that goes on seeing the database as it is now."""
    connection = operator.database.open("troth_control")
    connection.execute(f"BEGIN ISOLATION LEVEL {level}")
    connection.execute("SELECT count(*) FROM tenant")
    return connection


def propose(operator, secret, tenant, kind, subject, code, artefact):
    change = uuid7(now())
    text = canonical_document(artefact).decode()
    digest = operator.control.execute(PROPOSE, (change, kind, tenant, subject, code, text, secret)).fetchone()[0]
    return change, digest


@pytest.mark.parametrize("level", LEVELS)
def test_a_transaction_from_before_a_session_ended_does_not_act_with_it(operator, firm, level):
    who = member(operator, "Adele", "admin", firm.tenant).account
    secret = session(operator, who)
    behind = lagging(operator, level)
    operator.control.execute("SELECT session_end_v1(%s, NULL)", (secret,))
    with pytest.raises(psycopg.errors.ActiveSqlTransaction, match="sees what is so now"):
        behind.execute(PROPOSE, (uuid7(now()), "category", firm.tenant, uuid7(now()), "mine", "{}", secret))
    behind.rollback()


@pytest.mark.parametrize("level", LEVELS)
def test_two_at_once_do_not_remove_the_last_owner(operator, level):
    accounts = operator.admin.execute("SELECT id, human_id FROM account WHERE role = 'owner'").fetchall()
    assert len(accounts) == 2
    sealed = {"name_ct": "AQ==", "address_ct": "AQ==", "address_index": "00" * 32, "role": "owner", "retired": True}
    going = [
        propose(operator, operator.sessions[0], None, "grant", account, f"gone-{n}", {"human": str(human), **sealed})
        for n, (account, human) in enumerate(accounts)
    ]
    behind = lagging(operator, level)
    operator.control.execute(APPROVE, (*going[0], operator.sessions[1]))
    with pytest.raises(psycopg.errors.ActiveSqlTransaction, match="sees what is so now"):
        behind.execute(APPROVE, (*going[1], operator.sessions[1]))
    behind.rollback()
    query = "SELECT count(*) FROM account WHERE role = 'owner' AND tenant_id IS NULL AND disabled_at IS NULL"
    assert operator.admin.execute(query).fetchone()[0] >= 1


def at_once(*acts):
    """Each in a thread of its own; what each came to, an exception or the row."""
    came = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def one(n, connection, query, values):
        gate.wait()
        try:
            came[n] = connection.execute(query, values).fetchone()
        except psycopg.Error as refusal:
            came[n] = refusal

    threads = [threading.Thread(target=one, args=(n, *act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_a_change_is_approved_once_however_many_approve_at_once(operator, firm):
    others = [session(operator, member(operator, name, "approver", firm.tenant).account) for name in ("Bo", "Cy", "Di")]
    for n in range(5):
        change, digest = propose(
            operator, operator.sessions[0], firm.tenant, "category", uuid7(now()), f"c{n}", {"x": n}
        )
        came = at_once(
            *[(operator.database.open("troth_control"), APPROVE, (change, digest, secret)) for secret in others]
        )
        assert sorted(isinstance(one, psycopg.Error) for one in came) == [False, True, True]
        query = "SELECT count(*) FROM snapshot WHERE change_id = %s"
        assert operator.admin.execute(query, (change,)).fetchone()[0] == 1


def test_an_edit_and_an_approval_at_once_never_bring_into_force_what_was_edited_after(operator, firm):
    ada, bo = (session(operator, member(operator, name, "approver", firm.tenant).account) for name in ("Ada", "Bo"))
    save = "SELECT draft_save_v1(%s, %s, 'category', %s, %s, %s, %s, %s)"
    for n in range(5):
        draft, subject, change = uuid7(now()), uuid7(now()), uuid7(now())
        operator.control.execute(save, (draft, firm.tenant, subject, f"d{n}", "{}", 0, ada))
        digest = operator.control.execute(
            "SELECT propose_v1(%s, 'category', %s, %s, %s, '{}', 'x', %s, %s)",
            (change, firm.tenant, subject, f"d{n}", ada, draft),
        ).fetchone()[0]
        one, two = operator.database.open("troth_control"), operator.database.open("troth_control")
        edited, approved = at_once(
            (one, save, (draft, firm.tenant, subject, f"d{n}", '{"x": 1}', 1, ada)),
            (two, APPROVE, (change, digest, bo)),
        )
        found = operator.admin.execute("SELECT state FROM change WHERE id = %s", (change,)).fetchone()[0]
        assert (isinstance(edited, psycopg.Error), isinstance(approved, psycopg.Error), found) in (
            (True, False, 2),
            (False, True, 4),
        )


def test_a_review_that_ends_while_somebody_confirms_takes_nothing_away_that_was_confirmed(operator, firm):
    adele = member(operator, "Adele", "admin", firm.tenant).account
    vera = member(operator, "Vera", "viewer", firm.tenant).account
    secret, review = session(operator, adele), uuid7(now())
    operator.control.execute("SELECT review_open_v1(%s, %s, %s)", (secret, review, firm.tenant))
    deciding = operator.database.open("troth_control")
    deciding.execute("BEGIN")
    deciding.execute("SELECT review_decide_v1(%s, %s, 'person', %s, 'confirmed', '')", (secret, review, [vera]))
    later(operator, 14.1)  # the date passes before that is committed
    ending = threading.Thread(target=duty, args=(operator,))
    ending.start()
    time.sleep(1)
    deciding.execute("COMMIT")
    ending.join()
    outcomes = operator.admin.execute(
        "SELECT outcome FROM review_decision WHERE review_id = %s AND subject = %s", (review, vera)
    ).fetchall()
    assert (outcomes, state(operator, vera)) == ([("confirmed",)], (True, None))
