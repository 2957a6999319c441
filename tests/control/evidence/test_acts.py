"""One person brings a file, another accepts it; each act is an entry of the ledger, and nothing can be changed after."""

import dataclasses
from datetime import timedelta

import psycopg
import pytest
from tests.control.evidence.conftest import PDF

from troth.control.audit.refusals import Refused
from troth.control.evidence import reading
from troth.rules import evidence_kinds
from troth.rules.policy import Schedule

_COLUMNS = {
    "claim": "'APP-1'", "kind": "'training'", "title": "'Another'", "filename": "'other.pdf'", "media_type": "'image/png'",
    "size": "size + 1", "sha256": "sha256('x')", "file_ct": "file_ct || '\\x00'", "performed_on": "performed_on - 1",
    "valid_until": "valid_until - 1", "public": "NOT public", "digest": "sha256('x')", "submitted_at": "submitted_at - interval '1 us'",
    "submitted_account": "accepted_account", "accepted_at": "accepted_at + interval '1 us'",
    "accepted_account": "submitted_account", "programme_id": "(SELECT id FROM programme LIMIT 1)",
    "submitted_human": "gen_random_uuid()", "accepted_human": "gen_random_uuid()",
}  # fmt: skip
_WITHDRAWN = {
    "withdrawn_at": "withdrawn_at + interval '1 us'", "withdrawn_account": "submitted_account",
    "withdrawn_human": "gen_random_uuid()", "withdrawn_why": "'Another reason'",
}  # fmt: skip

_TAKEN_BACK = "withdrawn_at = now(), withdrawn_human = submitted_human, withdrawn_account = submitted_account, withdrawn_why = 'x'"


def counts(room, claim="APP-6", programme=None):
    return [each.id for each in reading.current(room.operator.control, programme, claim)]


def test_a_piece_counts_once_a_second_person_has_accepted_it(room):
    made = room.submit()
    assert counts(room) == []
    with pytest.raises(Refused, match="ask a second person"):
        room.accept(made, who=0)
    room.accept(made)
    assert counts(room) == [made.id]
    shown = room.one(made)
    assert (shown.submitted_human, shown.accepted_human) != (None, None)
    assert shown.submitted_human != shown.accepted_human
    assert shown.valid_until - shown.performed_on == timedelta(days=365)
    assert [each["kind"] for each in room.entries()] == ["trust:evidence:submit", "trust:evidence:accept"]
    assert room.wrong() == []
    with pytest.raises(Refused, match="already"):
        room.accept(made)


def test_what_is_accepted_is_what_was_shown(room):
    made = room.submit()
    with pytest.raises(Refused, match="look at it again"):
        room.accept(type(made)(made.id, b"\0" * 32))
    room.sql("UPDATE evidence SET title = 'Another' WHERE id = %s", made.id)
    with pytest.raises(Refused, match="look at it again"):
        room.accept(made)


def test_one_person_withdraws_and_says_why(room):
    made = room.kept()
    with pytest.raises(Refused, match="Say why"):
        room.withdraw(made, " ")
    room.withdraw(made)
    assert counts(room) == []
    assert room.one(made).withdrawn_why == "It was of another year"
    with pytest.raises(Refused, match="already"):
        room.withdraw(made)
    waiting = room.submit()
    room.withdraw(waiting)
    with pytest.raises(Refused, match="withdrawn"):
        room.accept(waiting)
    assert room.wrong() == []


def test_it_is_over_after_its_last_day_and_sooner_when_policy_says_so(room):
    room.kept()
    own = room.kept(programme=room.programme, claim="CPL-5", kind="training")
    assert counts(room, "CPL-5", room.programme) == [own.id]
    assert counts(room, "CPL-5") == []
    room.move(362)
    assert len(counts(room)) == 1
    room.move(1)
    assert counts(room) == []
    with pytest.raises(Refused, match="It is over already"):
        room.submit(performed_on=room.today() - timedelta(days=366))
    scan = room.kept(claim="APP-1", kind="static-scan")
    assert counts(room, "APP-1") == [scan.id]
    room.operator.govern("policy", None, "operator", {"schedule": {"code_scan": 2}})
    assert counts(room, "APP-1") == []


def test_days_that_cannot_be_are_refused(room):
    today = room.today()
    with pytest.raises(Refused, match="lie ahead"):
        room.submit(performed_on=today + timedelta(days=1))
    with pytest.raises(Refused, match="365 days"):
        room.submit(performed_on=today, until=today + timedelta(days=366))
    with pytest.raises(Refused, match="outside of what"):
        room.submit(title="")
    with pytest.raises(Refused, match="outside of what"):
        room.submit(filename="../../x.pdf")
    with pytest.raises(Refused, match="outside of what"):
        room.submit(kind="hearsay")


@pytest.mark.parametrize("column", [*_COLUMNS, *_WITHDRAWN])
def test_an_edit_of_any_column_is_found(room, column):
    made = room.kept()
    if column in _WITHDRAWN:
        room.withdraw(made)
    assert room.wrong() == []
    admin = room.operator.admin
    admin.execute("ALTER TABLE evidence DROP CONSTRAINT second_person")
    room.sql(f"UPDATE evidence SET {column} = {({**_COLUMNS, **_WITHDRAWN})[column]} WHERE id = %s", made.id)
    assert len(room.wrong()) >= 1


def test_a_row_and_an_act_without_an_entry_are_found_and_an_entry_without_its_row(room):
    made = room.kept()
    room.sql(f"UPDATE evidence SET {_TAKEN_BACK} WHERE id = %s", made.id)
    assert "no entry of the ledger that tells of its withdrawal" in " ".join(room.wrong())
    room.sql(
        "UPDATE evidence SET withdrawn_at = NULL, withdrawn_human = NULL, withdrawn_account = NULL, withdrawn_why = NULL"
    )
    assert room.wrong() == []
    room.sql("UPDATE evidence SET accepted_at = NULL, accepted_human = NULL, accepted_account = NULL")
    assert "does not show its acceptance" in " ".join(room.wrong())
    room.sql("DELETE FROM evidence")
    assert "is not there" in " ".join(room.wrong())


def test_no_role_changes_a_piece_but_by_the_acts(room):
    made = room.kept()
    for role in ("troth_control", "troth_ledger", "troth_flow"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            room.operator.database.open(role).execute("UPDATE evidence SET title = 'x'")
    owner = room.operator.database.owner()
    for statement in (
        "UPDATE evidence SET title = 'x'", "UPDATE evidence SET accepted_at = now()", "DELETE FROM evidence",
        "TRUNCATE evidence", "INSERT INTO evidence SELECT (evidence).* FROM evidence",
        f"UPDATE evidence SET {_TAKEN_BACK}",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(statement)
    owner.close()
    assert counts(room) == [made.id]
    attempts = {how: room.operator.control.execute("SELECT evidence_attempt_v1(%s)", (how,)).fetchone()[0]
                for how in ("edit", "delete", "again", "forged")}  # fmt: skip
    assert set(attempts.values()) == {"42501"}


def test_the_file_is_sealed_and_only_a_public_piece_that_counts_is_given_out(room):
    made = room.submit(public=True)
    control = room.operator.control
    with pytest.raises(Refused):
        reading.piece_file(control, room.keys, made.id)
    room.accept(made)
    shown, content = reading.piece_file(control, room.keys, made.id)
    assert (content, shown.id, shown.filename) == (PDF, made.id, "report.pdf")
    assert [each.id for each in reading.public_pieces(control, room.programme)] == [made.id]
    _, sealed = reading.one(control, made.id)
    assert sealed[:1] == b"\x01"
    assert PDF not in sealed
    hidden = room.kept()
    with pytest.raises(Refused):
        reading.piece_file(control, room.keys, hidden.id)
    room.sql("UPDATE evidence SET sha256 = sha256('x') WHERE id = %s", made.id)
    with pytest.raises(reading.Damaged, match="not the one"):
        reading.piece_file(control, room.keys, made.id)
    room.sql("UPDATE evidence SET file_ct = '\\x0100' WHERE id = %s", made.id)
    with pytest.raises(reading.Damaged, match="does not open"):
        reading.piece_file(control, room.keys, made.id)
    room.withdraw(made)
    assert reading.public_pieces(control, room.programme) == []


def test_the_database_knows_the_same_kinds_and_fields(room):
    admin = room.operator.admin
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'evidence'::regclass AND conname = 'evidence_kind_check'"
    said = admin.execute(query).fetchone()[0]
    assert all(f"'{each.code}'" in said for each in evidence_kinds.KINDS)
    assert said.count("'") == 2 * len(evidence_kinds.KINDS)
    fields = {each.schedule: n for n, each in enumerate(evidence_kinds.KINDS, 2)}
    room.operator.govern("policy", None, "operator", {"schedule": fields})
    for kind in evidence_kinds.KINDS:
        days = admin.execute("SELECT evidence_days_v1(NULL, %s)", (kind.code,)).fetchone()[0]
        assert days == fields[kind.schedule], kind.code
    assert set(fields) <= {each.name for each in dataclasses.fields(Schedule)}
