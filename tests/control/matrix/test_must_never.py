"""The hand-written rows of tests/control/must_never.py, each tried by its person on the real stack and database."""

import psycopg
import pytest
from tests.control import must_never
from tests.control.must_never import OWN, REFUSED, ROWS, Http, Sql
from tests.support.firm import now

from troth.keys.ids import uuid7

LEAST = 60
_SESSION = ("42501", "28000")
# what nobody at all may do: it cannot be shown to work for somebody else
_NOBODY = {
    must_never.WATCH.statement,
    "SELECT 1 FROM message",
    "SELECT 1 FROM person",
    must_never.propose("template", "NULL").statement,
}


@pytest.fixture
def people(cast):
    cast.second(shown=True)
    cast.proved(minutes=0)
    return {who.handle: who for who in cast.personas}


@pytest.fixture
def control(cast):
    with psycopg.connect(
        **cast.operator.database.conninfo("troth_control"), options="-c search_path=troth"
    ) as connection:
        yield connection


def _named(row):
    return f"{row.who} {row.what}"


def test_there_are_enough_rows_and_each_says_another_thing():
    said = [_named(row) for row in (*ROWS, *OWN)]
    assert len(said) == len(set(said))
    assert len(said) >= LEAST


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.act, Http)], ids=_named)
def test_never_over_http(cast, people, row):
    act, who = row.act, people[row.who]
    path, body = _filled(cast, who, act)
    assert cast.child.do(do="resolves", path=path)["name"], f"{path} is no page"
    answer = cast.child.do(do="ask", cookies=who.cookies, method=act.method, path=path, body=body, seek=act.lacks)
    if act.lacks:
        assert answer["found"] == [], f"{row.who} {row.what}"
        assert answer["status"] < 500
        return
    nowhere = cast.child.do(do="ask", cookies=who.cookies, method="GET", path="/no/such/page", body={})
    assert (answer["status"], answer["digest"]) == (404, nowhere["digest"]), f"{row.who} {row.what}"


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.act, Sql)], ids=_named)
def test_never_in_sql(cast, people, control, row):
    assert _tried(control, row.act.statement, _values(cast, people[row.who])) == row.act.state, f"{row.who} {row.what}"


@pytest.mark.parametrize("row", OWN, ids=_named)
def test_nobody_approves_their_own(cast, people, control, row):
    who, kind, change = people[row.who], row.act.statement, uuid7(now())
    values = {**_values(cast, who), "id": change, "kind": kind}
    made = "SELECT propose_v1(%(id)s, %(kind)s, %(tenant)s, gen_random_uuid(), 'own', '{}', 'x', %(secret)s)"
    values["digest"] = control.execute(made, values).fetchone()[0]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="second person must approve"):
        control.execute("SELECT approve_v1(%(id)s, %(digest)s, %(secret)s)", values)


def test_each_of_these_acts_is_open_to_somebody(cast, people, control):
    """A row that nobody could ever do would say nothing: the same words work for whoever may."""
    for statement in {row.act.statement for row in ROWS if isinstance(row.act, Sql)} - _NOBODY:
        said = {_tried(control, statement, _values(cast, who)) for who in people.values()}
        assert said - set(_SESSION), statement


def test_each_of_these_pages_is_open_to_somebody(cast, people):
    for act in {
        (row.act.method, row.act.path, row.act.lacks): row.act for row in ROWS if isinstance(row.act, Http)
    }.values():
        assert any(_sees(cast, who, act) for who in people.values()), act


def _sees(cast, who, act):
    path, body = _filled(cast, who, act)
    answer = cast.child.do(do="ask", cookies=who.cookies, method=act.method, path=path, body=body, seek=act.lacks)
    return answer["status"] < 400 and bool(answer["found"] or not act.lacks)


def _filled(cast, who, act):
    things = _values(cast, who)
    return act.path.format(**things), {name: value.format(**things) for name, value in act.body.items()}


def _values(cast, who):
    """The things of the client that is looked at (of the first, where none is), and by their letter those of all."""
    own = cast.things[who.at or "a"]
    every = {f"{letter}_{name}": thing for letter in ("a", "b", "c") for name, thing in cast.things[letter].items()}
    return {**every, **own, "tenant": own["tenant"] if who.at else None, "secret": who.secret}


def _tried(control, statement, values):
    """The SQLSTATE that it meets; "" for no row, "done" for one."""
    try:
        return "done" if control.execute(statement, values).fetchall() else ""
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        control.rollback()


assert REFUSED in _SESSION
