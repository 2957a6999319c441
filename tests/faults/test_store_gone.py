"""PostgreSQL goes away: the doors say 503 and when to come again, take nothing, and take mail again when it is back."""

import asyncio
import os
import random
import signal
import time
from collections import Counter

import psycopg
import pytest
from tests.faults.client import Client, Http
from tests.faults.house import PEOPLE, open_house

from troth.outside.processes import everyone

AWAY = 10.0  # seconds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("faults")]


async def settle(house, client):
    """The end of every such test: what was promised is on disk, once, and arrives."""
    async with asyncio.timeout(60):
        await client.finish()
    await house.drained()
    assert set(client.promised) == client.asked
    assert set(house.sink.arrivals()) == set(client.promised)
    assert house.rows("SELECT count(*) FROM email") == [(len(client.promised),)], "an Idempotency-Key made two emails"
    assert house.states() == {"sent": len(client.promised)}
    assert not client.refusals, client.refusals[:5]
    assert client.without_wait == 0, "a 503 without Retry-After"


async def test_a_store_that_is_down_is_503_until_it_is_back_and_a_restarted_door_waits_for_it():
    with open_house() as house:
        house.configure(doors=1, workers=2)
        house.up()
        await house.ready()
        client = Client(house.port, house.key, house.sender, PEOPLE, 80.0, dice=random.Random(2), lanes=8)
        client.start()
        await asyncio.sleep(3)
        conf = house.var / "postgres" / "cluster" / "postgresql.auto.conf"
        good = conf.read_text()
        conf.write_text(good + "\nno_such_setting_at_all = on\n")  # so that it cannot be started again
        os.kill(house.postmaster(), signal.SIGKILL)
        await asyncio.sleep(1)
        gone, before = time.monotonic(), client.statuses[503]
        await asyncio.sleep(AWAY / 2)
        for kind in ("door", "worker"):
            os.kill(min(house.pids(kind).values()), signal.SIGKILL)
        await asyncio.sleep(AWAY / 2)
        status, told, _ = await ask_once(house)
        assert (status, told["retry-after"]) == (503, "5"), "a door that was started meanwhile"
        assert not [at for at in client.promised_at if at > gone], "a 2xx while there was no store"
        assert client.statuses[503] > before
        conf.write_text(good)
        back = time.monotonic()
        while not [at for at in client.promised_at if at > back]:
            house.check()
            assert time.monotonic() - back < 40, f"no door came back:\n{house.log()[-3000:]}"
            await asyncio.sleep(0.1)
        print(f"mail is taken again {time.monotonic() - back:.1f} s after the store could start")
        await house.ready()
        await asyncio.sleep(2)
        await settle(house, client)
        ends = Counter(line.split()[2] for line in house.log().splitlines() if " is down after" in line)
        assert ends["door-1"] == ends["worker-1"] + ends["worker-2"] == 1, f"a crash loop: {ends}"


async def ask_once(house):
    """What a door answers to anybody, on a connection of its own."""
    http = Http(house.port)
    answer = await http.ask("GET", "/healthz", {})
    await http.end()
    return answer


async def test_a_store_that_hangs_is_503_too_and_what_it_does_later_is_promised_once():
    with open_house() as house:
        house.configure(doors=2, workers=2, lease=30)
        house.up()
        await house.ready()
        client = Client(house.port, house.key, house.sender, PEOPLE, 80.0, dice=random.Random(3), lanes=8)
        client.start()
        await asyncio.sleep(3)
        frozen = [seen.pid for seen in everyone() if seen.pid == house.postmaster() or is_backend(house, seen)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.5)
            began = time.monotonic()
            await asyncio.sleep(AWAY + 3)
            assert not [at for at in client.promised_at if at > began], "a 2xx that cannot be on disk"
            assert client.statuses[503], f"nobody was told to come again: {client.statuses}"
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(3)
        await settle(house, client)


def is_backend(house, seen):
    """A child of this house's postmaster."""
    try:
        with open(f"/proc/{seen.pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1]) == house.postmaster()
    except (OSError, psycopg.Error):
        return False
