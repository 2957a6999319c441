"""A message's proofs: for a page under the tenant's eyes, for a receipt, and none that proves what is not so."""

import json
import subprocess
import sys

import pytest

from troth.control.audit import scope
from troth.control.ledger.proof import event_proofs, inclusion, newest
from troth.control.ledger.receipts import NoReceipt, make
from troth.keys.ids import uuid7
from troth.ledger import receipt
from troth.ledger.leaf import leaf_hash
from troth.ledger.note import vkey
from troth.ledger.proofs import verify_inclusion
from troth.ledger.verify import CannotVerify, Found


def proved(proofs, checkpoint):
    for proof in proofs:
        sealed = proof.sealed
        batch = receipt.fields_of(sealed.leaf.encode())
        verify_inclusion(
            sealed.position, sealed.events, proof.leaf_hash, sealed.batch_proof, bytes.fromhex(batch["root"])
        )
        verify_inclusion(sealed.index, checkpoint.size, leaf_hash(sealed.leaf.encode()), sealed.proof, checkpoint.root)
    return len(proofs)


def test_a_page_of_one_client_proves_its_messages_whosever_entries_lie_beside(house):
    with scope.connect(house.database.conninfo("troth_control"), "page") as connection:
        with scope.within(connection, house.firm.tenant):
            checkpoint = newest(connection)
            for message in house.messages:
                assert proved(event_proofs(connection, message), checkpoint) == 3
        with scope.within(connection, uuid7(checkpoint.at)):  # another client: nothing of these
            assert event_proofs(connection, house.messages[0]) == []
            assert inclusion(connection, 0, checkpoint.size)


DJANGO = """
import json, sys
import django
from django.conf import settings
from django.db import connection
entry = json.loads(sys.argv[1])
settings.configure(DATABASES={"default": entry}, USE_TZ=True)
django.setup()
from uuid import UUID
from troth.control.ledger.proof import event_proofs, newest
with connection.cursor() as cursor:
    found = event_proofs(cursor, UUID(sys.argv[2]))
    print(newest(cursor).size, len(found), [len(proof.sealed.batch_proof) for proof in found])
"""


def test_a_cursor_of_django_serves_as_well(house):
    """As a page's connection hands it out."""
    conninfo = house.database.conninfo("troth_control")
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    entry = {"ENGINE": "django.db.backends.postgresql", **{name: conninfo[key] for name, key in names.items()},
             "OPTIONS": {"options": f"-c search_path=troth -c troth.tenant={house.firm.tenant}"}}  # fmt: skip
    words = [sys.executable, "-c", DJANGO, json.dumps(entry), str(house.messages[0])]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == "20 3 [3, 3, 3]\n"


def test_what_waits_has_no_proof_yet(house):
    message = house.tell()
    with house.ledger() as connection:
        assert [proof.sealed for proof in event_proofs(connection, message)] == [None] * 3
        with pytest.raises(NoReceipt, match="Not all of its events are sealed yet"):
            make(connection, connection, message)
        assert event_proofs(connection, uuid7(newest(connection).at)) == []
        with pytest.raises(NoReceipt, match="no message"):
            make(connection, connection, uuid7(newest(connection).at))


def test_before_the_first_checkpoint_there_is_none(database):
    connection = database.open("troth_ledger")
    assert newest(connection) is None


@pytest.fixture
def made(house):
    """A receipt with everything in it."""
    with house.ledger() as connection, house.flow() as reader:
        return make(connection, reader, house.messages[0], house.firm.operator.keyring.tenant)


def test_a_receipt_is_verified_with_nothing_but_itself(house, made):
    again = receipt.decode(receipt.encode(made))
    assert again == made
    found = receipt.verify_receipt(again, house.signer.vkey)
    assert (found.message, found.events, found.opened) == (str(house.messages[0]), 3, 3)
    assert [event.kind for event in made.events] == ["accepted", "queued", "sent"]


def test_without_keys_a_receipt_proves_hashes_alone(house):
    with house.ledger() as connection:
        found = receipt.verify_receipt(make(connection, connection, house.messages[0]))
    assert (found.events, found.opened) == (3, 0)


def test_an_erased_persons_receipt_has_no_leaves(house):
    person = house.firm.people["erased@example.org"]
    with house.database.owner() as owner, owner.transaction():
        owner.execute("SELECT set_config('troth.tenant', %s, true)", (str(house.firm.tenant),))
        owner.execute("SELECT erase_person_v1(%s, %s)", (house.firm.tenant, person))
    with house.ledger() as connection, house.flow() as reader:
        found = make(connection, reader, house.messages[-1], house.firm.operator.keyring.tenant)
    assert receipt.verify_receipt(found).opened == 0


def test_an_event_that_was_changed_makes_no_receipt(house):
    house.database.fill("UPDATE event SET source_key = 'x' WHERE message_id = %s AND kind = 1", house.messages[0])
    with house.ledger() as connection, house.flow() as reader, pytest.raises(Found, match="cannot be opened"):
        make(connection, reader, house.messages[0], house.firm.operator.keyring.tenant)


EDITS = [
    (('"message": "', '"message": "0'), "its message, kind or time"),
    (('"kind": "accepted"', '"kind": "delivered"'), "its message, kind or time|another hash"),
    (('"position": 0', '"position": 1'), "another root"),
    (('"position": 0', '"position": 77'), "not one of"),
    (('"tenant": "', '"tenant": "0'), "another hash"),
    (('\\"count\\":', '\\"count\\": '), "canonical"),
    (("evidence:batch:seal", "evidence:batch:sent"), "seals nothing|another root"),
    (('"proof": [', '"proof": ["00",'), "32 bytes"),
    (('"proof": [', '"proof": ["zz",'), "hexadecimal"),
    (('"leaf_hash": "', '"leaf_hash": " '), "lower-case hex"),
    (("\\n\\n", "\\n "), "believed"),
]


@pytest.mark.parametrize(("edit", "says"), EDITS)
def test_a_receipt_that_was_changed_is_found(made, edit, says):
    text = receipt.encode(made).decode()
    assert edit[0] in text
    with pytest.raises(Found, match=says):
        receipt.verify_receipt(receipt.decode(text.replace(*edit, 1).encode()))


def test_times_that_were_not_sealed_with_it_are_found(house):
    with house.ledger() as connection:
        bare = make(connection, connection, house.messages[0])
    text = receipt.encode(bare).decode().replace(f'"at": {bare.events[0].at}', '"at": 5')
    with pytest.raises(Found, match="not among those"):
        receipt.verify_receipt(receipt.decode(text.encode()))


def test_what_is_no_receipt_is_not_judged(house, made):
    for data, words in [
        (b"{}", "not a receipt"),
        (b"\xff", "not a receipt"),
        (receipt.encode(made).replace(b"proof.v1", b"proof.v9"), "is what can be verified"),
    ]:
        with pytest.raises(CannotVerify, match=words):
            receipt.decode(data)
    empty = receipt.Receipt(receipt.TYPE, "x", made.checkpoint, made.vkey, [])
    with pytest.raises(CannotVerify, match="no event"):
        receipt.verify_receipt(empty)
    with pytest.raises(Found, match="another key"):
        receipt.verify_receipt(made, vkey(house.signer.origin, bytes(32)))
