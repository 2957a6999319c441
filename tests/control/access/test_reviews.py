"""Access reviews: everybody and every key on the list, decided by somebody else, and what nobody confirms loses access."""

import psycopg
import pytest
from tests.control.access.cast import duty, entries, later, member, session, state
from tests.support.firm import make_firm

from troth.keys.ids import uuid7

DECIDE = "SELECT review_decide_v1(%s, %s, %s, %s::uuid[], %s, %s)"
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def cast(operator, firm):
    people = {name: member(operator, name, role, firm.tenant)
              for name, role in (("Adele", "admin"), ("Bruno", "admin"), ("Vera", "viewer"))}  # fmt: skip
    return {name: (who.account, session(operator, who.account)) for name, who in people.items()}


def begin(operator, tenant, secret):
    review = uuid7(operator.admin.execute("SELECT now_v1()").fetchone()[0])
    operator.control.execute("SELECT review_open_v1(%s, %s, %s)", (secret, review, tenant))
    return review


def outcome(operator, review, subject):
    query = "SELECT outcome FROM review_decision WHERE review_id = %s AND subject = %s ORDER BY at"
    return [each for (each,) in operator.admin.execute(query, (review, subject))]


def test_everybody_and_every_key_is_on_the_list_and_revoking_ends_access_at_once(operator, firm, cast):
    adele, vera = cast["Adele"], cast["Vera"]
    review = begin(operator, firm.tenant, adele[1])
    listed = operator.admin.execute(
        "SELECT kind, subject, role FROM review_item WHERE review_id = %s", (review,)
    ).fetchall()
    assert {(kind, subject) for kind, subject, _ in listed} == {("person", a) for a, _ in cast.values()} | {
        ("key", firm.key)
    }
    assert ("key", firm.key, "rent") in listed

    def decide(*given):
        return operator.control.execute(DECIDE, (adele[1], review, *given)).fetchone()[0]

    assert decide("person", [cast["Bruno"][0]], "confirmed", "He runs lettings.") == 1
    decide("person", [vera[0]], "revoked", "She moved to another team.")
    assert state(operator, vera[0]) == (False, "review")
    assert operator.control.execute("SELECT count(*) FROM session_seen_v1(%s)", (vera[1],)).fetchone()[0] == 0
    decide("key", [firm.key], "revoked", "Nobody uses it.")
    ended = "SELECT k.revoked_at IS NOT NULL, bool_and(s.ends_at <= now_v1()) FROM api_key k JOIN api_key_secret s ON s.key_id = k.id WHERE k.id = %s GROUP BY 1"
    assert operator.admin.execute(ended, (firm.key,)).fetchone() == (True, True)
    assert operator.admin.execute("SELECT closed_at FROM review WHERE id = %s", (review,)).fetchone()[0] is None
    operator.control.execute(DECIDE, (cast["Bruno"][1], review, "person", [adele[0]], "confirmed", ""))
    assert operator.admin.execute("SELECT closed_at FROM review WHERE id = %s", (review,)).fetchone()[0] is not None
    [opened], [close] = entries(operator, "people:review:open"), entries(operator, "people:review:close")
    assert (opened["items"], close["confirmed"], close["ended"]) == ("4", "2", "2")
    said = {each["item"]: each["note"] for each in entries(operator, "people:review:revoke")}
    assert said == {str(vera[0]): "She moved to another team.", str(firm.key): "Nobody uses it."}


def test_nobody_decides_about_themselves_whoever_they_are(operator, firm, cast):
    adele, bruno = cast["Adele"], cast["Bruno"]
    review = begin(operator, firm.tenant, adele[1])
    with pytest.raises(DENIED, match="nobody decides about their own access"):
        operator.control.execute(DECIDE, (adele[1], review, "person", [adele[0]], "confirmed", "I need it."))
    with pytest.raises(DENIED, match="nobody decides about their own access"):  # and none of the others either
        operator.control.execute(DECIDE, (adele[1], review, "person", [bruno[0], adele[0]], "confirmed", ""))
    assert outcome(operator, review, bruno[0]) == []
    human = operator.admin.execute("SELECT human_id FROM account WHERE id = %s", (adele[0],)).fetchone()[0]
    forged = ("INSERT INTO review_decision VALUES (%s, 'person', %s, %s, 'confirmed', '', %s, %s, now_v1())",
              (review, adele[0], firm.tenant, adele[0], human))  # fmt: skip
    with pytest.raises(DENIED):  # not even the tables' owner
        operator.database.run(*forged[:1], *forged[1])


def test_what_was_decided_stands_but_may_still_be_taken_away(operator, firm, cast):
    adele, bruno, vera = cast["Adele"], cast["Bruno"], cast["Vera"]
    review = begin(operator, firm.tenant, adele[1])
    operator.control.execute(DECIDE, (adele[1], review, "person", [vera[0]], "confirmed", ""))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="decided already"):
        operator.control.execute(DECIDE, (bruno[1], review, "person", [vera[0]], "confirmed", ""))
    operator.control.execute(DECIDE, (bruno[1], review, "person", [vera[0]], "revoked", "She left last week."))
    assert outcome(operator, review, vera[0]) == ["confirmed", "revoked"]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        operator.control.execute(DECIDE, (adele[1], review, "person", [vera[0]], "confirmed", "No."))
    for statement in ("UPDATE review_decision SET note = 'x'", "DELETE FROM review_decision", "DELETE FROM review_item",
                      "UPDATE review SET due_at = due_at + interval '1 day'", "DELETE FROM review"):  # fmt: skip
        with pytest.raises(DENIED):
            operator.database.run(statement)


def test_what_makes_no_decision_is_said(operator, firm, cast):
    adele = cast["Adele"]
    review = begin(operator, firm.tenant, adele[1])
    stranger = uuid7(operator.admin.execute("SELECT now_v1()").fetchone()[0])
    for given, wrong, words in (
        (("person", [cast["Vera"][0]], "revoked", "  "), psycopg.errors.InvalidParameterValue, "say why"),
        (("person", [cast["Vera"][0]], "lapsed", "x"), psycopg.errors.InvalidParameterValue, "confirmed or revoked"),
        (("person", [stranger], "confirmed", ""), psycopg.errors.InvalidParameterValue, "not in this review"),
        (("person", [firm.key], "confirmed", ""), psycopg.errors.InvalidParameterValue, "not in this review"),
    ):
        with pytest.raises(wrong, match=words):
            operator.control.execute(DECIDE, (adele[1], review, *given))
    for secret in (cast["Vera"][1], session(operator, adele[0], second=False)):
        with pytest.raises((DENIED, psycopg.errors.InvalidAuthorizationSpecification)):
            operator.control.execute(DECIDE, (secret, review, "person", [cast["Bruno"][0]], "revoked", "x"))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="open already"):
        begin(operator, firm.tenant, adele[1])


def test_a_review_is_its_clients_own(operator, firm, cast):
    other = make_firm(operator, "other", "retail")
    outsider = member(operator, "Olga", "admin", other.tenant)
    secret = session(operator, outsider.account)
    review = begin(operator, firm.tenant, cast["Adele"][1])
    with pytest.raises(DENIED, match="no such review"):
        operator.control.execute(DECIDE, (secret, review, "person", [cast["Vera"][0]], "revoked", "x"))
    with pytest.raises(DENIED):
        begin(operator, firm.tenant, secret)
    for table in ("review", "review_item", "review_decision"):
        seen = operator.database.open("troth_control", other.tenant).execute(f"SELECT count(*) FROM {table}").fetchone()
        assert seen == (0,), table
    assert operator.database.open("troth_control", firm.tenant).execute("SELECT count(*) FROM review").fetchone() == (
        1,
    )


def test_what_nobody_confirms_in_time_loses_access(operator, firm, cast):
    adele, bruno, vera = cast["Adele"], cast["Bruno"], cast["Vera"]
    review = begin(operator, firm.tenant, adele[1])
    operator.control.execute(DECIDE, (adele[1], review, "person", [bruno[0]], "confirmed", ""))
    later(operator, 13.5)
    duty(operator)
    assert state(operator, vera[0]) == (True, None)
    later(operator, 0.6)
    secret = session(operator, adele[0])
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="over"):
        operator.control.execute(DECIDE, (secret, review, "person", [vera[0]], "confirmed", "late"))
    assert duty(operator) == 3
    assert state(operator, vera[0]) == state(operator, adele[0]) == (False, "review")
    assert state(operator, bruno[0]) == (True, None)
    assert operator.admin.execute("SELECT revoked_at IS NOT NULL FROM api_key WHERE id = %s", (firm.key,)).fetchone()[0]
    assert outcome(operator, review, vera[0]) == ["lapsed"]
    assert len(entries(operator, "people:review:lapse")) == 3
    assert operator.admin.execute("SELECT closed_at FROM review WHERE id = %s", (review,)).fetchone()[0] is not None
    assert duty(operator) == 0


def test_the_last_owner_keeps_access_and_everybody_who_may_is_told(operator):
    owners = [
        a for (a,) in operator.admin.execute("SELECT id FROM account WHERE role = 'owner' ORDER BY id").fetchall()
    ]
    review = begin(operator, None, operator.sessions[0])
    later(operator, 14.1)
    duty(operator)
    kept = [a for a in owners if state(operator, a) == (True, None)]
    assert len(kept) == 1
    assert outcome(operator, review, kept[0]) == ["kept"]
    assert len(entries(operator, "people:review:keep")) == 1
    told = operator.admin.execute("SELECT account_id FROM access_notice WHERE template = 'review-kept'").fetchall()
    assert told == [(kept[0],)]


def test_a_review_begins_by_itself_when_it_is_due_and_reminds(operator, firm):
    quarterly = make_firm(operator, "other", "retail")  # the first promises no more than one a year
    people = [member(operator, name, "admin", quarterly.tenant).account for name in ("Rosa", "Ruth")]
    later(operator, 60)
    for account in people:
        session(operator, account)
    duty(operator)
    assert operator.admin.execute("SELECT count(*) FROM review").fetchone()[0] == 0
    later(operator, 33)
    duty(operator)
    due = dict(operator.admin.execute("SELECT tenant_id, id FROM review WHERE closed_at IS NULL").fetchall())
    assert set(due) == {quarterly.tenant, None}
    for days in (7.5, 3, 2):
        later(operator, days)
        duty(operator)
        duty(operator)
    reminded = "SELECT about FROM access_notice WHERE template = 'review-due' AND account_id = %s ORDER BY at"
    words = [about.partition(" ")[2] for (about,) in operator.admin.execute(reminded, (people[0],))]
    assert words == ["begun", "a week", "two days"]


def test_the_operators_people_are_asked_where_a_client_has_nobody_else(operator, firm):
    alone = member(operator, "Solo", "admin", firm.tenant)
    begin(operator, firm.tenant, session(operator, alone.account))
    told = {a for (a,) in operator.admin.execute("SELECT account_id FROM access_notice WHERE template = 'review-due'")}
    owners = {a for (a,) in operator.admin.execute("SELECT id FROM account WHERE role = 'owner' AND tenant_id IS NULL")}
    assert told == owners | {alone.account}
