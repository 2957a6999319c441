"""A message's proofs: for a page under the tenant's eyes, and none that proves what is not so."""

import json
import subprocess
import sys

from troth.control.audit import scope
from troth.control.ledger.proof import event_proofs, inclusion, newest
from troth.keys.ids import uuid7
from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import verify_inclusion
from troth.ledger.verify import fields_of


def proved(proofs, checkpoint):
    for proof in proofs:
        sealed = proof.sealed
        batch = fields_of(sealed.leaf.encode())
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
        assert event_proofs(connection, uuid7(newest(connection).at)) == []


def test_before_the_first_checkpoint_there_is_none(database):
    connection = database.open("troth_ledger")
    assert newest(connection) is None
