"""Workers that are killed, a database that goes away, a stop by signal: nothing is lost, only the uncertain come twice."""

import asyncio
import random
import signal
from collections import Counter

import pytest
from tests.support import delivery_process

from troth.flow.delivery import line
from troth.rules.states import Kind, State


def twice(stage) -> set[str]:
    return {name for name, n in Counter(stage.message_ids()).items() if n > 1}


def uncertain(stage) -> set[str]:
    rows = stage.river.database.run("SELECT DISTINCT message_id FROM event WHERE kind = %s", int(Kind.UNCERTAIN))
    return {f"<{row[0].hex}@mail.acme.example>" for row in rows}


@pytest.mark.slow
async def test_killed_workers_lose_nothing_and_repeat_only_the_uncertain(stage, tmp_path):
    """SIGKILL mid-stream, again and again; leases of two seconds, so that the next worker soon takes over."""
    river, chance = stage.river, random.Random(7)
    stage.sink.delay = 0.02  # so that a kill finds messages on the wire
    ids = river.queue("a@home.example", copies=400)
    key = tmp_path / "master.key"

    def start():
        return delivery_process.start(river.database, key, stage.port, lease_seconds=2, claim_batch=50)

    process = start()
    for _ in range(6):
        enough = min(len(stage.store.entries()) + 10, 400)
        await stage.until(lambda enough=enough: len(stage.store.entries()) >= enough)
        await asyncio.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.wait()
        process = start()
    try:
        await stage.until_all(State.SENT, 60)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    assert code == 0
    assert {f"<{i.hex}@mail.acme.example>" for i in ids} == set(stage.message_ids())
    assert twice(stage) <= uncertain(stage)
    assert len(uncertain(stage)) <= 6 * 4  # the connections in flight at each kill
    assert river.database.run("SELECT count(*) FROM spool") == [(0,)]


async def test_a_stop_by_signal_leaves_no_claim_behind(stage, tmp_path):
    river = stage.river
    stage.sink.delay = 0.05
    river.queue("a@home.example", copies=300)
    process = delivery_process.start(river.database, tmp_path / "master.key", stage.port)
    await stage.until(lambda: len(stage.got()) > 20)
    process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        await asyncio.sleep(0.05)
    assert process.returncode == 0
    states = river.states()
    assert states[State.SENT] == len(stage.got()) == len(set(stage.message_ids()))
    assert river.database.run("SELECT DISTINCT state, lost_claims FROM spool") == [(int(State.QUEUED), 0)]
    assert states[State.QUEUED] == river.database.run("SELECT count(*) FROM spool")[0][0]


async def test_a_database_that_restarts_mid_stream(stage, monkeypatch):
    """Killed while messages are on the wire: what is known is written when it is back; nothing is sent meanwhile."""
    monkeypatch.setattr(line, "LAST", 0.3)
    river, server = stage.river, stage.river.database.server
    stage.sink.delay = 0.05
    ids = river.queue("a@home.example", copies=200)
    worker = stage.worker(lease_seconds=3)
    await stage.until(lambda: len(stage.got()) > 20)
    await asyncio.to_thread(server.stop, lambda: True)
    await asyncio.sleep(0.5)
    before = len(stage.got())
    await asyncio.sleep(1.0)
    assert len(stage.got()) == before
    assert worker.counters.away > 0
    await asyncio.to_thread(server.start)
    await stage.until_all(State.SENT, 40)
    await stage.stop()
    assert set(stage.message_ids()) == {f"<{i.hex}@mail.acme.example>" for i in ids}
    assert twice(stage) <= uncertain(stage)


async def test_a_stop_while_the_database_is_away_ends_in_bounded_time(stage, monkeypatch):
    from troth.flow.delivery import worker as rooms

    monkeypatch.setattr(rooms, "FINISH_WRITING", 0.5)
    river, server = stage.river, stage.river.database.server
    worker = await stage.one_ahead()
    river.queue("a@home.example", copies=5)
    await stage.until(lambda: len(worker.desk.ready) > 0)
    await asyncio.to_thread(server.stop, lambda: True)
    async with asyncio.timeout(15):
        await stage.stop()
    assert len(worker.desk.hand) > 0  # they come back when their leases are over
    await asyncio.to_thread(server.start)


async def test_a_worker_waits_for_the_store_and_for_its_installation(stage, monkeypatch):
    monkeypatch.setattr(line, "LAST", 0.1)
    river, server = stage.river, stage.river.database.server
    await asyncio.to_thread(server.stop, lambda: True)
    worker = stage.worker()
    await stage.until(lambda: worker.counters.away > 1)
    await asyncio.to_thread(server.start)
    (message,) = river.queue("a@home.example")
    await stage.until_state(message, State.SENT)
    await stage.stop()
    river.database.fill("DELETE FROM installation")
    stage.worker()
    await asyncio.sleep(0.3)
    await stage.stop()


async def test_a_part_that_breaks_takes_the_worker_down_in_order(stage, monkeypatch):
    worker = stage.worker()
    await stage.until(lambda: worker.counters is not None and bool(stage.workers))

    def bug(*_):
        raise RuntimeError("a fault of ours")

    from troth.flow.delivery.claiming import Claimer

    monkeypatch.setattr(Claimer, "_room", bug)
    ((_, task),) = stage.workers
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await asyncio.wait_for(task, 10)
    stage.workers.clear()
