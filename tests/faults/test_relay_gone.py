"""The relay goes away under load for 20 s: mail waits in the spool, no address pays for it, nobody spins."""

import asyncio
import random
import time

import pytest
from tests.faults.client import Client
from tests.faults.house import PEOPLE, open_house

from troth.outside.processes import look
from troth.rules.states import Kind

HALF = 10.0  # seconds; first nobody listens, then somebody who hangs up
TICKS = 100  # of /proc's clock a second

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("faults")]


class Rude:
    """Listens on the relay's port, counts who comes, and hangs up without a greeting."""

    def __init__(self, port):
        self.port, self.came = port, 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, _reader, writer):
        self.came += 1
        writer.close()


def cpu_seconds(pids):
    """What these processes have used so far."""
    found = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        found += int(fields[11]) + int(fields[12])
    return found / TICKS


async def test_a_relay_that_is_gone_costs_time_and_nothing_else():
    with open_house() as house:
        house.configure(workers=2, relay_max_connections=5)
        house.up()
        await house.ready()
        workers = house.pids("worker").values()
        client = Client(house.port, house.key, house.sender, PEOPLE, 60.0, dice=random.Random(1), lanes=4)
        client.start()
        await asyncio.sleep(3)
        house.sink.stop()
        before, began = cpu_seconds(workers), time.monotonic()
        await asyncio.sleep(HALF)
        async with Rude(house.sink.port) as rude:
            await asyncio.sleep(HALF)
        used = (cpu_seconds(workers) - before) / (time.monotonic() - began)
        house.sink.start()
        await client.finish()
        assert all(look(pid) for pid in workers), "a worker died of it"
        await _only_deferred(house)
        house.rows("UPDATE installation SET clock_offset = '10 minutes'")  # the retries' time has come
        await house.drained()
        taken = house.sink.arrivals()
        assert set(taken) == set(client.promised) == client.asked
        assert all(len(found) == 1 for found in taken.values())
        assert house.states() == {"sent": len(client.promised)}
        assert house.rows("SELECT count(*) FROM suppression") == [(0,)]
        assert not house.rows("SELECT 1 FROM event WHERE kind = ANY(%s)", [int(Kind.BOUNCED), int(Kind.FAILED)])
        deferred = house.rows("SELECT count(*) FROM event WHERE kind = %s", int(Kind.DEFERRED))[0][0]
        print(
            f"{rude.came} connections and {deferred} failed attempts in {2 * HALF:g} s, workers used {used:.0%} of a core"
        )
        assert 1 <= rude.came <= 2 * 8, "two workers, each waiting longer after each failure"
        assert deferred <= 2 * (5 + 16), "what was under way when it went, and one message for each further try"
        assert used < 0.5, "a busy loop"


async def _only_deferred(house, within=40.0):
    """Until what the outage left is either sent or waits for its retry, so that moving the clock ends no lease."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if set(house.states()) <= {"sent", "deferred"}:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"{house.states()} after {within:g} s")
