"""Senders that die or lose their claims, a store or keys that are away, faults of our own, and what retention sweeps."""

import asyncio
from datetime import timedelta

import psycopg
from tests.support.hooks import found, one_failing

from troth.control.webhooks import endpoints
from troth.flow.webhooks import sender as sending
from troth.keys.errors import KmsUnavailable
from troth.rules.states import Kind
from troth.store import hooks as store


async def test_what_a_dead_sender_had_claimed_is_sent_by_another(hooks, monkeypatch):
    receiver, *_ = await one_failing(hooks, gate=asyncio.Event())
    dead = hooks.sender()
    await hooks.until(lambda: receiver.now == 1)
    _, task = hooks.senders.pop()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    receiver.gate.set()
    receiver.got.clear()
    receiver.taken.clear()
    assert hooks.outbox("state, token") == [(2, 1)]
    hooks.sender()
    await asyncio.sleep(0.5)
    assert not receiver.got
    hooks.move_clock(timedelta(seconds=61))
    await hooks.until(lambda: hooks.outbox("state, token, attempts") == [(3, 2, 2)])
    assert dead.counters.delivered == 0


async def test_a_clock_that_leaps_takes_no_delivery_from_its_sender(hooks):
    receiver, *_ = await one_failing(hooks, gate=asyncio.Event())
    sender = hooks.sender()
    await hooks.until(lambda: receiver.now == 1)
    hooks.move_clock(timedelta(hours=1))
    await asyncio.sleep(0.5)
    receiver.gate.set()
    await hooks.until(lambda: sender.counters.delivered == 1)
    assert len(receiver.got) == 1


async def test_a_claim_that_was_lost_meanwhile_is_settled_by_nobody_twice(hooks):
    receiver, *_ = await one_failing(hooks, gate=asyncio.Event())
    sender = hooks.sender()
    await hooks.until(lambda: receiver.now == 1)
    hooks.river.database.run("UPDATE webhook_outbox SET token = token + 1")
    receiver.gate.set()
    await hooks.until(lambda: sender.counters.lost == 1)
    assert hooks.outbox("state") == [(2,)]


async def test_a_store_that_goes_away_is_waited_for_and_nothing_is_lost(hooks):
    receiver, *_ = await one_failing(hooks, gate=asyncio.Event())
    opened = []

    async def connect(name):
        opened.append(name)
        if len(opened) in (1, 4):
            raise psycopg.OperationalError("away")
        return await hooks.river.database.connect(name)

    sender = hooks.sender(connect=connect)
    await hooks.until(lambda: receiver.now == 1)
    hooks.river.database.open().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'troth webhooks%'"
        " AND datname = current_database()")  # fmt: skip
    receiver.gate.set()
    await hooks.until(lambda: sender.counters.delivered == 1)
    assert hooks.outbox("state") == [(3,)]


async def test_a_kms_that_is_away_costs_no_attempt(hooks, monkeypatch):
    receiver, *_ = await one_failing(hooks)
    keyring = hooks.river.keyring

    class Away:
        def tenant(self, *_):
            if away:
                raise KmsUnavailable("away")
            return keyring.tenant(*_)

    away = [1]
    hooks.sender(keyring=Away())
    await hooks.until(lambda: hooks.outbox("state, attempts") == [(1, 0)] and hooks.outbox("token") == [(1,)])
    assert "keys are away" in hooks.outbox("last_error")[0][0]
    away.clear()
    hooks.move_clock(timedelta(seconds=31))
    await hooks.until(lambda: receiver.taken)


async def test_a_person_whose_key_does_not_open_is_told_of_without_their_data(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    await hooks.tell(message, Kind.DELIVERED)
    hooks.river.database.fill("UPDATE person SET address_ct = %s", b"\x02" + bytes(40))
    sender = hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert sender.counters.unread == 1
    assert "to" not in receiver.taken[0].json["data"]


async def test_an_endpoint_whose_secret_does_not_open_sends_nothing_and_says_so(hooks):
    receiver, *_ = await one_failing(hooks)
    hooks.river.database.fill("UPDATE webhook_secret SET secret_ct = %s", b"\x01" + bytes(40))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.broken)
    await hooks.until(lambda: hooks.outbox("state, attempts") == [(1, 0)])
    assert "cannot be opened" in hooks.outbox("last_error")[0][0]
    assert receiver.connections == 0


async def test_a_fault_of_ours_in_one_delivery_leaves_the_others(hooks):
    class Broken:
        def __init__(self, client):
            self.client, self.failed = client, 0

        async def post(self, url, headers, body):
            if b"ann@" in body and not self.failed:
                self.failed += 1
                raise ZeroDivisionError
            return await self.client.post(url, headers, body)

    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    for message in hooks.messages("ann@example.net", "bob@example.net"):
        await hooks.tell(message, Kind.DELIVERED)
    sender = hooks.sender(client=Broken(hooks.client))
    await hooks.until(lambda: sender.counters.broken == 1 and len(receiver.taken) == 1)
    hooks.move_clock(timedelta(seconds=31))
    await hooks.until(lambda: len(receiver.taken) == 2)


async def test_a_settlement_that_the_store_refuses_is_left_to_the_lease(hooks, monkeypatch):
    receiver, *_ = await one_failing(hooks)
    told = []

    async def settle(*args):
        told.append(args)
        if len(told) == 1:
            raise psycopg.errors.CheckViolation("a fault of ours")
        return await kept(*args)

    kept = store.settle
    monkeypatch.setattr(sending.store, "settle", settle)
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.broken == 1)
    assert not sender.busy
    hooks.move_clock(timedelta(seconds=61))
    await hooks.until(lambda: sender.counters.delivered == 1)
    assert len(receiver.taken) == 2


async def test_a_stop_waits_for_what_is_under_way(hooks):
    receiver, *_ = await one_failing(hooks, gate=asyncio.Event())
    sender = hooks.sender()
    await hooks.until(lambda: receiver.now == 1)
    stopping = asyncio.create_task(hooks.stop())
    await asyncio.sleep(0.2)
    assert not stopping.done()
    receiver.gate.set()
    await stopping
    assert hooks.outbox("state") == [(3,)]
    assert sender.counters.delivered == 1


# ---- what is kept


async def test_seven_days_after_it_is_done_a_delivery_goes_and_a_removed_endpoints_at_once(hooks):
    receiver, added, message = await one_failing(hooks)
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.delivered == 1)
    other = hooks.endpoint(receiver.url)
    await hooks.stop()
    await hooks.tell(message, Kind.COMPLAINED)
    hooks.river.database.run("UPDATE webhook_secret SET ends_at = now() WHERE endpoint_id = %s", added.id)
    endpoints.disable(hooks.control, found(hooks, added), "test")
    hooks.river.database.run("UPDATE webhook_outbox SET state = 1, done_at = NULL WHERE kind = %s AND endpoint_id = %s",
                             int(Kind.COMPLAINED), added.id)  # fmt: skip
    week = timedelta(days=7)
    async with await hooks.river.database.connect("test") as connection:
        now = (await store.clocks(connection)).now
        await store.sweep(connection, now, week, limit=1)
        assert hooks.outbox("state, endpoint_id") == [(3, added.id), (4, added.id), (1, other.id)]
        assert hooks.river.database.run("SELECT count(*) FROM webhook_secret") == [(1,)]
        endpoints.remove(hooks.control, endpoints.find(hooks.control, [hooks.river.tenant], other.id), "test")
        await store.sweep(connection, now, week, limit=1)
        assert hooks.outbox("state") == [(3,), (4,)]
        await store.sweep(connection, now + week + timedelta(hours=1), week, limit=1)
        assert hooks.outbox() == []
        assert await store.depth(connection) == store.Depth(0, 0, None)


async def test_the_sender_sweeps_by_itself(hooks):
    receiver, added, _ = await one_failing(hooks)
    await hooks.until(lambda: True)
    endpoints.remove(hooks.control, found(hooks, added), "test")
    hooks.sender()
    await hooks.until(lambda: hooks.outbox() == [])
    assert receiver.connections == 0
