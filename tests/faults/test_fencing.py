"""A worker that stops breathing for longer than its lease and then goes on: its claims are fenced off, so that what it
says late corrupts nothing, and only what it had on the wire may come twice.
"""

import asyncio
import os
import random
import signal

import pytest
from tests.faults.client import Client
from tests.faults.house import PEOPLE, open_house

from troth.rules.states import Kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("faults")]


async def test_a_worker_that_was_frozen_beyond_its_lease_spoils_nothing():
    with open_house(delay=0.3) as house:  # so that something is between DATA and its answer at any moment
        house.configure(workers=2, lease=5)
        house.up()
        await house.ready()
        client = Client(house.port, house.key, house.sender, PEOPLE, 28.0, dice=random.Random(4), lanes=6)
        client.start()
        await asyncio.sleep(2)
        for _ in range(2):
            for pid in house.pids("worker").values():
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(8)  # the lease, and time for the other to take what was left
                os.kill(pid, signal.SIGCONT)
                await asyncio.sleep(1)
        async with asyncio.timeout(60):
            await client.finish()
        await house.drained()
        uncertain = {
            f"em_a_{row[0].hex}"
            for row in house.rows(
                "SELECT DISTINCT m.email_id FROM event e JOIN message m ON m.id = e.message_id WHERE e.kind = %s",
                int(Kind.UNCERTAIN),
            )
        }
        taken = house.sink.arrivals()
        twice = {marker for marker, found in taken.items() if len(found) > 1}
        print(f"2xx {len(client.promised)}, uncertain {len(uncertain)}, duplicates {len(twice)}")
        assert set(taken) == set(client.promised) == client.asked
        assert uncertain
        assert {client.promised[marker] for marker in twice} <= uncertain
        assert all(len({arrival.message_id for arrival in found}) == 1 for found in taken.values())
        assert all(len(found) <= 3 for found in taken.values()), "a message that goes round and round"
        assert house.states() == {"sent": len(client.promised)}
        assert not house.rows("SELECT 1 FROM event WHERE kind = ANY(%s)", [int(Kind.BOUNCED), int(Kind.FAILED)])
        assert house.rows(_SENT_NEVER_TOLD, int(Kind.SENT)) == [(0,)]


_SENT_NEVER_TOLD = """
SELECT count(*) FROM message m
WHERE NOT EXISTS (SELECT FROM event e WHERE e.message_id = m.id AND e.kind = %s)
"""
