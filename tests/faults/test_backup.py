"""A machine is lost: a backup of the running platform, nothing else left, a restore. What was promised by the time of the
backup is there; nothing goes out twice without two people's word; the ledger verifies.
"""

import asyncio
import json
import random
import shutil

import pytest
from tests.faults.client import Client
from tests.faults.house import PEOPLE, open_house
from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document
from troth.rules.states import Kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("faults")]
_GOVERNED = ("change", "snapshot", "governed", "account", "human", "approval", "permission")


def govern(house, kind, subject, artefact):
    """Proposed by one owner, approved by the other, in their open sessions."""
    change = uuid7(now())
    with house.database("troth_control") as control:
        text = canonical_document(artefact).decode()
        asked = (change, kind, None, subject, str(subject), text, "checked the relay's log", house.sessions[0])
        [digest] = control.execute("SELECT propose_v1(%s,%s,%s,%s,%s,%s,%s,%s)", asked).fetchone()
        with pytest.raises(Exception, match=r"different|second|same|propos"):
            control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, house.sessions[0]))
        control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, house.sessions[1]))


def facts(house):
    return {table: house.rows(f"SELECT count(*) FROM {table}")[0][0] for table in _GOVERNED}


def verify(house):
    done = house.troth("verify")
    assert done.returncode == 0 or "invalid choice: 'verify'" in done.stderr, done.stdout + done.stderr


async def test_a_lost_machine_comes_back_and_waits_for_two_people(capsys):
    with open_house(delay=0.05) as house:
        house.configure(doors=1, workers=1, lease=5, relay_max_connections=2)
        house.up()
        await house.ready()
        client = Client(house.port, house.key, house.sender, PEOPLE, 80.0, dice=random.Random(3))
        client.start()
        await asyncio.sleep(3)
        place = house.var.parent / "kept"
        place.mkdir()
        done = await asyncio.to_thread(house.troth, "backup", place / "b", "--key-to", place / "key", "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        await asyncio.sleep(1)
        await client.finish()
        await house.drained(120)
        copied = await asyncio.to_thread(house.troth, "backup", place / "c", "--key-to", place / "key", "--from-copy")
        assert copied.returncode == 0, copied.stderr
        assert "copying the database" in copied.stderr
        assert not (house.var / "postgres" / "copy").exists()
        assert house.troth("restore", place / "c", "--key", place / "key", "--check").returncode == 0
        governed, sent = facts(house), house.sink.arrivals()
        assert len(sent) == len(client.promised), "a backup lost or doubled something under way"
        house.down()

        shutil.rmtree(house.var / "postgres")
        (house.var / "backup.json").unlink()
        for lost in (house.settings["TROTH_KEY_FILE"], house.var / "keys" / "web"):
            shutil.os.unlink(lost)
        refused = house.troth("restore", place / "b")
        assert refused.returncode == 1
        assert "keyring of this backup is missing" in refused.stderr
        done = house.troth("restore", place / "b", "--key", place / "key", "--json")
        assert done.returncode == 0, done.stderr
        back = json.loads(done.stdout)
        assert back["rows"] == told["rows"]
        assert back["uncertain"] > 0, "nothing waited when the backup was taken: the test has shown too little"

        house.up()
        await house.ready()
        assert {**facts(house), "change": 0} == {**governed, "change": 0}
        verify(house)
        waited = house.rows("SELECT count(*) FROM spool")[0][0]
        await asyncio.sleep(8)  # longer than a lease
        assert house.sink.arrivals() == sent, "something was sent before two people said so"
        assert house.rows("SELECT count(*) FROM spool")[0][0] == waited

        govern(house, "release", back["pause"], {})
        house.rows("UPDATE spool SET due = now()")  # what a pause holds is looked at every five minutes
        took = await house.drained(120)
        uncertain = {m for (m,) in house.rows("SELECT message_id FROM event WHERE kind = %s", int(Kind.UNCERTAIN))}
        assert len(uncertain) >= back["uncertain"]
        again = {marker: found for marker, found in house.sink.arrivals().items() if len(found) > 1}
        assert all(len({one.message_id for one in found}) == 1 for found in again.values())
        assert len(again) <= len(uncertain)
        assert set(house.states()) == {"sent"}
        verify(house)
        with capsys.disabled():
            print(
                f"\n{told['rows']} rows, {told['octets']} octets; {len(client.promised)} promised in all,"
                f" {house.states()['sent']} in the backup, {back['uncertain']} waited then, {len(again)} came twice,"
                f" drained in {took:.1f} s; {done.stderr.strip().splitlines()[-4:]}"
            )
