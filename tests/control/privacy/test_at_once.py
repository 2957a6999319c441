"""Two wishes of one person at the same instant: whoever comes second waits for the first, and is the one that counts."""

import threading
import uuid
from contextlib import contextmanager

import psycopg
import pytest

from troth.rules.consent import Entry, standing

SEALED = b"\x02" + b"x" * 40
OUT, IN = "opt_out_v1", "opt_in_v1"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"


class Two:
    """One person, and two sessions that act for them."""

    def __init__(self, operator, firm):
        self.operator, self.firm = operator, firm
        self.person, self.index = firm.person("ann@example.net"), firm.index("ann@example.net")
        self.first, self.second = (operator.database.open("troth_flow") for _ in range(2))

    def wish(self, connection, what):
        query = f"SELECT {what}(%s, %s, %s, 'test')"
        return connection.execute(query, (self.firm.tenant, self.index, self.firm.category)).fetchone()[0]

    def say(self, connection, kind):
        values = [uuid.uuid4()], [self.person], [self.firm.category], [kind], ["own-page"], [None], [None], [SEALED]
        query = "SELECT consent_v1(%s, %s, %s, %s, %s::smallint[], %s, %s, %s, %s)"
        return connection.execute(query, (self.firm.tenant, *values)).fetchone()[0]

    def out(self):
        query = "SELECT opted_out(%s, %s, %s)"
        values = (self.firm.tenant, self.index, self.firm.category)
        return self.operator.admin.execute(query, values).fetchone()[0]

    def stands(self):
        found = self.operator.admin.execute("SELECT category_id::text, kind, basis, at, expires_at FROM consent")
        now = self.operator.admin.execute("SELECT now_v1()").fetchone()[0]
        return standing([Entry(*each) for each in found.fetchall()], str(self.firm.category), now).state

    @contextmanager
    def during(self, act):
        """`act` by the second, begun while the first's transaction (the block's) is open; it has to wait for its end."""
        answers = []
        later = threading.Thread(target=lambda: answers.append(act(self.second)))
        with self.first.transaction():
            yield answers
            later.start()
            for _ in range(200):
                if self.operator.admin.execute(WAITING).fetchone()[0]:
                    break
                later.join(0.01)
            assert answers == []
        later.join(10)
        assert len(answers) == 1


@pytest.fixture
def two(operator, firm):
    made = Two(operator, firm)
    yield made
    made.first.close()
    made.second.close()


@pytest.mark.parametrize("before", [OUT, None])
@pytest.mark.parametrize(("first", "second"), [(IN, OUT), (OUT, IN)])
def test_the_second_wish_counts_whatever_stood_before(two, before, first, second):
    if before:
        two.wish(two.operator.admin, before)
    with two.during(lambda connection: two.wish(connection, second)):
        two.wish(two.first, first)
    assert two.out() is (second == OUT)


@pytest.mark.parametrize(("first", "second", "stands"), [(1, 3, "withdrawn"), (3, 1, "held")])
def test_so_it_is_with_what_was_agreed_to(two, first, second, stands):
    with two.during(lambda connection: two.say(connection, second)) as answers:
        two.say(two.first, first)
    assert answers == [1]
    assert two.stands() == stands


def test_a_wish_and_its_consent_are_one_for_whoever_comes_meanwhile(two):
    def back(connection):
        with connection.transaction():
            return two.wish(connection, IN), two.say(connection, 1)

    with two.during(back) as answers:
        two.wish(two.first, OUT)
        two.say(two.first, 3)
    assert answers == [(True, 1)]
    assert (two.out(), two.stands()) == (False, "held")


def test_somebody_else_waits_for_nobody(two):
    other = two.firm.index("bob@example.net")
    with two.first.transaction():
        two.wish(two.first, OUT)
        two.second.execute("SET statement_timeout = '5s'")
        query = "SELECT opt_out_v1(%s, %s, %s, 'test')"
        assert two.second.execute(query, (two.firm.tenant, other, two.firm.category)).fetchone()[0]


def test_many_people_at_once_are_taken_in_one_order(two):
    """Two that record consent of the same people, named in opposite orders, end in no deadlock."""
    people = [two.firm.person(f"p{n}@example.net") for n in range(40)]
    faults = []

    def record(connection, some):
        n = len(some)
        values = ([uuid.uuid4() for _ in some], some, [None] * n, [1] * n, ["recorded"] * n, [None] * n, [None] * n)
        query = (
            "SELECT consent_v1(%s, %s, %s, %s::uuid[], %s::smallint[], %s, %s::timestamptz[], %s::timestamptz[], %s)"
        )
        try:
            for _ in range(20):
                values = ([uuid.uuid4() for _ in some], *values[1:])
                connection.execute(query, (two.firm.tenant, *values, [SEALED] * n))
        except psycopg.Error as trouble:
            faults.append(trouble)

    pair = [threading.Thread(target=record, args=given) for given in ((two.first, people), (two.second, people[::-1]))]
    for each in pair:
        each.start()
    for each in pair:
        each.join(60)
    assert faults == []
    assert two.operator.admin.execute("SELECT count(*) FROM consent").fetchone()[0] == 2 * 20 * 40
