"""Correctness promises 1 and 2 under fire: mail at full pace while workers, doors, PostgreSQL and the supervisor are
killed without a word. What is held against the house is the client's own list and the sink's own log.
"""

import asyncio
import os
import random
import time
from dataclasses import dataclass

import pytest
from tests.faults.client import Client
from tests.faults.house import PEOPLE, open_house
from tests.faults.killing import POSTMASTERS, SUPERVISORS, WORKERS_AND_DOORS, Killer

from troth.rules.states import Kind

RATE = 300.0  # messages/s asked for, so that the mean holds 200 with the time that the house is down
LEAST = 200.0
CONNECTIONS = 10  # of a worker
LOAD = float(os.environ.get("TROTH_FAULTS_SECONDS", "75"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("faults")]


@dataclass
class Ledger:
    """Three accounts of one run: what the client was promised, what the sink took, what the database tells."""

    promised: dict
    taken: dict
    uncertain: set
    message_of: dict

    @property
    def lost(self):
        return [marker for marker in self.promised if marker not in self.taken]

    @property
    def twice(self):
        return {marker: found for marker, found in self.taken.items() if len(found) > 1}

    def unexcused(self):
        """Taken more than once without having been uncertain."""
        return [m for m in self.twice if self.message_of[self.promised[m]] not in self.uncertain]


def read_ledger(house, client):
    rows = house.rows("SELECT m.email_id, m.id FROM message m")
    uncertain = {r[0] for r in house.rows("SELECT DISTINCT message_id FROM event WHERE kind = %s", int(Kind.UNCERTAIN))}
    of = {f"em_a_{email.hex}": message for email, message in rows}
    return Ledger(client.promised, house.sink.arrivals(), uncertain, of)


async def test_nothing_is_lost_and_only_the_uncertain_come_twice(capsys):
    seed = int(os.environ.get("TROTH_FAULTS_SEED", random.SystemRandom().randrange(10**6)))
    with open_house(delay=0.01) as house:
        house.configure(doors=2, workers=2, lease=5, relay_max_connections=CONNECTIONS)
        house.up()
        await house.ready()
        client = Client(house.port, house.key, house.sender, PEOPLE, RATE, dice=random.Random(seed + 1))
        killer = Killer(house, LOAD, random.Random(seed))
        began = time.monotonic()
        client.start()
        loaded = await killer.run()
        ended = time.monotonic()
        delivered_meanwhile = house.sink.count()
        async with asyncio.timeout(60):
            await client.finish()
            await house.ready()
        drained = await house.drained(90)
        ledger = read_ledger(house, client)
        accepted = sum(1 for at in client.promised_at if at <= ended)
        summary = (
            f"seed {seed}: killed {killer.killed['worker']} workers, {killer.killed['door']} doors,"
            f" {killer.killed['postmaster']} PostgreSQL, {killer.killed['supervisor']} supervisors in {loaded:.0f} s;"
            f" asked {len(client.asked)}, 2xx {len(client.promised)} ({accepted / (ended - began):.0f}/s while killing),"
            f" delivered {len(ledger.taken)} ({delivered_meanwhile / (ended - began):.0f}/s while killing),"
            f" lost {len(ledger.lost)}, duplicates {sum(len(f) - 1 for f in ledger.twice.values())},"
            f" uncertain {len(ledger.uncertain)}, asked again {client.asked_again}, answers {dict(client.statuses)},"
            f" drained in {drained:.1f} s"
        )
        with capsys.disabled():
            print(f"\n{summary}")
        assert not client.refusals, client.refusals[:5]
        assert killer.killed["worker"] + killer.killed["door"] == WORKERS_AND_DOORS
        assert (killer.killed["postmaster"], killer.killed["supervisor"]) == (POSTMASTERS, SUPERVISORS)
        assert set(client.promised) == client.asked
        assert not ledger.lost
        assert not ledger.unexcused()
        # at most the connections of a worker that died; PostgreSQL or the supervisor going away may cost both workers
        most = CONNECTIONS * (killer.killed["worker"] + 2 * (POSTMASTERS + SUPERVISORS))
        assert len(ledger.uncertain) <= most, "more was between DATA and its record than there were connections"
        assert ledger.uncertain, "no kill fell between DATA and its record: the test has shown too little"
        assert set(ledger.taken) <= set(client.promised), "something was sent that was never promised"
        assert len(ledger.message_of) == len(client.promised), "an Idempotency-Key made two emails"
        for marker, found in ledger.taken.items():
            mine = ledger.message_of[client.promised[marker]]
            assert {arrival.message_id for arrival in found} == {f"<{mine.hex}@{house.sender.partition('@')[2]}>"}
        assert house.states() == {"sent": len(client.promised)}
        assert house.spooled() == 0
        assert client.without_wait == 0, "a 503 without Retry-After"
        assert accepted / (ended - began) >= LEAST
