"""Imports promise: what is carried out is what was approved, each row once, wherever a process was killed; and a million
rows are no more than one row many times.
"""

import hashlib
import json
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from tests.control.imports.working_with import keys_of, work, worker
from tests.support.firm import now

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit import scope
from troth.control.audit.refusals import Invalid, Refused
from troth.control.imports import rows
from troth.control.imports.checking import check
from troth.control.imports.importer import Column, Row, Stopped, Unfit, Words
from troth.keys import places
from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document


class Counting:
    """Takes whole numbers, and fails when it is told to."""

    kind = "counting"
    words = Words("Count", "recipients", "/recipients", "numbers", (Column("number", required=True),))

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.fails = False

    def choices(self, connection, tenant):
        return ()

    def begin(self, header, options, ground):
        at = self.words.find(header)["number"]

        def read(cells):
            if not cells[at].isdigit():
                raise Unfit("number", "This is no whole number.")
            return Row(hashlib.sha256(cells[at].encode()).digest(), {"number": cells[at]})

        return read

    def then(self, options, n):
        return f"{n} numbers are counted."

    def apply(self, work, taken):
        if self.fails:
            raise ValueError("on purpose")
        self.taken += [int(each.value["number"]) for each in taken]
        return {"counted": len(taken)}


def receive(firm, data: bytes, kind: str = "counting", **options: str) -> UUID:
    """As the upload's page does."""
    operator, subject = firm.operator, uuid7(now())
    part = firm.keys.seal(data, places.import_part(subject, 0))
    with scope.within(operator.control, firm.tenant):
        rows.call(operator.control, "import_receive_v1", subject, firm.tenant, kind, "f.csv", "a test",
                  canonical_document(options).decode(), hashlib.sha256(data).digest(), len(data), 1, operator.sessions[0])  # fmt: skip
        rows.call(operator.control, "import_part_v1", subject, 0, part)
    return subject


def found(firm, subject: UUID) -> rows.Import:
    with scope.within(firm.operator.control, firm.tenant):
        one = rows.find(firm.operator.control, subject)
    assert one is not None
    return one


def artefact(one: rows.Import) -> dict:
    return {"of": one.kind, "file": one.name, "sha256": one.digest.hex(), "rows_sha256": one.rows_digest.hex(),
            "source": one.source, "lines": one.lines, "rows": one.good, "left_out": one.bad, "repeated": one.same,
            "options": one.chosen}  # fmt: skip


def propose(firm, one: rows.Import, **other):
    proposal = Proposal("import", str(one.id), {**artefact(one), **other}, "for the test", one.tenant_id, one.id)
    return changes.propose(firm.operator.control, firm.operator.sessions[0], proposal)


def approve(firm, proposed) -> None:
    control = firm.operator.control
    changes.approve(control, firm.operator.sessions[1], changes.find(control, proposed.id, (firm.tenant,)))


def through(firm, counting, data: bytes) -> UUID:
    subject = receive(firm, data)
    assert work(firm.operator, {"counting": counting}) == 1
    approve(firm, propose(firm, found(firm, subject)))
    return subject


def test_rows_of_several_batches_are_carried_out_once_each(firm):
    counting, numbers = Counting(), list(range(2_500))
    lines = [str(n) for n in numbers] + ["x", "7", "0007"]
    subject = through(firm, counting, ("number\n" + "\n".join(lines)).encode())
    assert (found(firm, subject).good, found(firm, subject).bad, found(firm, subject).same) == (2_501, 1, 1)
    counting.fails = True
    assert work(firm.operator, {"counting": counting}) == 0
    assert found(firm, subject).state == rows.APPROVED
    counting.fails = False
    assert work(firm.operator, {"counting": counting}) == 1
    done = found(firm, subject)
    assert counting.taken == [*numbers, 7]
    assert (done.state, done.step, done.became) == (rows.DONE, 2_501, {"counted": 2_501})


def test_a_process_that_stops_between_batches_goes_on_where_it_stopped(firm):
    counting = Counting()
    subject = through(firm, counting, ("number\n" + "\n".join(map(str, range(3_000)))).encode())
    where = firm.operator.database.conninfo("troth_control")
    with scope.connect(where, "imports") as connection:
        assert worker(firm.operator, {"counting": counting}, lambda: len(counting.taken) >= 1).round(connection) == 0
    assert (found(firm, subject).step, len(counting.taken)) == (1_000, 1_000)
    work(firm.operator, {"counting": counting})
    assert counting.taken == list(range(3_000))


def test_a_check_that_stops_begins_again(firm):
    data = ("number\n" + "\n".join([*map(str, range(2_000)), "x"])).encode()
    subject, counting, keys = receive(firm, data), Counting(), keys_of(firm.operator)
    with scope.connect(firm.operator.database.conninfo("troth_control"), "imports") as connection:
        with pytest.raises(Stopped):
            check(connection, keys, firm.keys, counting, found(firm, subject), lambda: True)
        check(connection, keys, firm.keys, counting, found(firm, subject), lambda: False)
    one = found(firm, subject)
    assert (one.state, one.lines, one.good, one.bad) == (rows.CHECKED, 2_001, 2_000, 1)


@pytest.mark.parametrize(("data", "words"), [(b"number\n", "no rows"), (b"other\n1\n", "no column “number”")])
def test_a_file_without_what_it_needs_is_refused_whole(firm, data, words):
    subject = receive(firm, data)
    work(firm.operator, {"counting": Counting()})
    assert found(firm, subject).state == rows.UNREADABLE
    assert words in found(firm, subject).why


def test_too_many_rows_are_refused_whole(firm, monkeypatch):
    monkeypatch.setattr("troth.control.imports.checking.MOST", 1_500)
    subject = receive(firm, ("number\n" + "\n".join(map(str, range(1_501)))).encode())
    work(firm.operator, {"counting": Counting()})
    assert "more than 1,500 rows" in found(firm, subject).why
    assert firm.operator.admin.execute("SELECT count(*) FROM import_chunk").fetchone() == (0,)


def test_only_what_was_checked_can_be_proposed(firm):
    subject = receive(firm, b"number\n1\n2\n")
    with pytest.raises(AttributeError):
        propose(firm, found(firm, subject))
    work(firm.operator, {"counting": Counting()})
    one = found(firm, subject)
    for other in ({"rows": 3}, {"sha256": "0" * 64}, {"source": "elsewhere"}, {"options": {"pathway": "x"}}):
        with pytest.raises(Invalid, match="not what was checked"):
            propose(firm, one, **other)
    with pytest.raises(Invalid, match="lower-case hex"):
        propose(firm, one, rows_sha256="x")
    with pytest.raises(Invalid, match="No row"):
        propose(firm, one, rows=0)
    with pytest.raises(Invalid, match="over: import the file again"):
        propose(firm, replace(one, id=uuid7(now())))


def test_what_is_let_go_cannot_be_approved(firm):
    subject = receive(firm, b"number\n1\n")
    work(firm.operator, {"counting": Counting()})
    proposed = propose(firm, found(firm, subject))
    control, session = firm.operator.control, firm.operator.sessions[0]
    with pytest.raises(psycopg.Error, match="withdraw its change first"), scope.within(control, firm.tenant):
        rows.call(control, "import_drop_v1", subject, session)
    firm.operator.database.fill("UPDATE import SET state = 6, done_at = now_v1() WHERE id = %s", subject)
    with pytest.raises(Refused, match="is gone: import the file again"):
        approve(firm, proposed)


def test_sealed_rows_that_were_exchanged_are_not_carried_out(firm):
    counting = Counting()
    subject = through(firm, counting, b"number\n1\n")
    forged = firm.keys.seal(json.dumps([[2, {"number": "666"}]]).encode(), places.import_chunk(subject, 0))
    firm.operator.database.fill(
        "UPDATE import_chunk SET rows_ct = %s, digest = %s", forged, hashlib.sha256(forged).digest()
    )
    assert work(firm.operator, {"counting": counting}) == 0
    assert counting.taken == []


@pytest.mark.parametrize("statement", [
    "UPDATE import SET state = 3, change_id = (SELECT id FROM change LIMIT 1), approved_at = now_v1()",
    "UPDATE import SET good = good + 1", "UPDATE import SET source = 'x'", "DELETE FROM import",
    "INSERT INTO import_chunk SELECT import_id, tenant_id, n + 1, first_line, last_line, rows_ct, digest FROM import_chunk",
    "UPDATE import_chunk SET first_line = 0", "INSERT INTO import_fault SELECT id, tenant_id, 1, 'x', 'x' FROM import",
])  # fmt: skip
def test_not_even_the_tables_owner_changes_what_was_checked(firm, statement):
    receive(firm, b"number\n1\n")
    work(firm.operator, {"counting": Counting()})
    owner = firm.operator.database.open("troth_migrate")
    owner.execute("SET ROLE troth_owner")
    with pytest.raises(psycopg.Error):
        owner.execute(statement)
