"""`troth verify` compares evidence with the ledger: sealed or in the line, whole or edited by a superuser."""

import pytest
from tests.control.ledger.house import House

from troth.ledger.verify import Found


@pytest.fixture
def house(room, tmp_path):
    return House(room.firm, tmp_path)


def test_pieces_and_their_entries_agree_in_the_line_and_sealed(room, house):
    room.withdraw(room.kept())
    house.seal()
    house.verify()
    room.kept()
    assert house.verify().waiting == 2
    house.seal()
    house.verify()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            "UPDATE evidence SET valid_until = valid_until + 30",
            "is not what the ledger says of it: digest differs",
        ),
        ("UPDATE evidence SET file_ct = file_ct || '\\x00'", "is not what the ledger says of it: digest differs"),
        (
            "UPDATE evidence SET accepted_at = NULL, accepted_account = NULL, accepted_human = NULL",
            "does not show its acceptance",
        ),
        ("DELETE FROM evidence", "is not there"),
        ("", "has no entry of the ledger that tells of its"),
    ],
)
def test_an_edit_is_found(room, house, edit, words):
    room.kept()
    house.seal()
    room.sql(edit or _copied(room))
    with pytest.raises(Found, match=words):
        house.verify()


def _copied(room):
    """A piece that nobody brought: another one's, under an id of its own."""
    query = "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE table_name = 'evidence' AND column_name <> 'id'"
    columns = room.operator.admin.execute(query).fetchone()[0]
    return f"INSERT INTO evidence (id, {columns}) SELECT gen_random_uuid(), {columns} FROM evidence"
