"""The pool's connections: kept, left and replaced; a route that fails is let rest; closing leaves nothing behind."""

import asyncio
import time
from collections import Counter
from dataclasses import replace

import pytest
from tests.support.hostile import PIPELINED, TAKE, hostile
from tests.support.loops import on_both_loops
from tests.support.pool import TIMES, Running, route, until, verdict
from tests.support.smtp_talk import envelope

from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery import pool as module
from troth.flow.delivery.pool import Pool


@on_both_loops
async def test_an_idle_connection_says_quit():
    times = replace(TIMES, idle=0.2)
    async with hostile(*PIPELINED, *TAKE, "250 in", "<QUIT", "221 bye", "close") as server:
        async with Pool(route(server.port, timeouts=times)) as pool:
            await pool.send(envelope())
            assert pool.health.open == 1
            await until(lambda: pool.health.open == 0)
            assert server.heard[0][-1] == b"QUIT\r\n"
            assert (pool.free, pool.health.failed, pool.health.failing) == (4, 0, 0)


@on_both_loops
async def test_a_server_deaf_to_quit_is_left():
    times = replace(TIMES, idle=0.1, quit=0.1)
    async with hostile(*PIPELINED, *TAKE, "250 in", "stall") as server:
        async with Pool(route(server.port, timeouts=times)) as pool:
            await pool.send(envelope())
            await until(lambda: pool.health.open == 0)


@on_both_loops
async def test_a_kept_connection_that_the_server_closed_is_replaced_unseen():
    once = (*PIPELINED, *TAKE, "250 in", "close")
    async with hostile(*once) as server, Pool(route(server.port, max_connections=1)) as pool:
        for _ in range(3):
            assert (await pool.send(envelope())).outcome == "accepted"
        assert (pool.health.opened, pool.health.unsent) == (3, 0)


@on_both_loops
@pytest.mark.parametrize("goodbye", [("421 4.7.0 enough for one connection", "close"), ("close",), ("reset",)])
async def test_a_goodbye_as_the_next_begins_gives_it_one_fresh_connection(goodbye):
    full = (*PIPELINED, *TAKE, "250 in", "<MAIL", *goodbye)
    got = []
    async with hostile(*full) as server, Pool(route(server.port, max_connections=1)) as pool:
        await pool.send_many([envelope() for _ in range(3)], got.append)
        assert [answer.outcome for answer in got] == ["accepted"] * 3
        assert (pool.health.open, pool.health.opened) == (1, 3)


@on_both_loops
async def test_a_fresh_connection_gets_no_second_try():
    async with hostile(*PIPELINED, "<MAIL", "421 4.3.2 go away", "close") as server:
        async with Pool(route(server.port, max_connections=1)) as pool:
            assert verdict(await pool.send(envelope())) == ("unsent", "mail", 421)
            assert pool.health.opened == 1


@on_both_loops
async def test_failures_back_off_and_one_envelope_tries_the_water(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_FIRST", 0.3)
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)
    scripts = [("554 5.7.1 no",), ("554 5.7.1 no",), (*PIPELINED, *TAKE, "250 in", "hang")]
    async with hostile(scripts=scripts) as server, Pool(route(server.port)) as pool:
        answer = await pool.send(envelope())
        assert verdict(answer) == ("unsent", "greeting", 554)
        assert answer.enhanced == "5.7.1"
        assert "220" not in answer.conversation
        assert (pool.free, pool.health.failing, pool.health.last_failure) == (0, 1, "no")
        await until(lambda: pool.free == 1)
        begun = time.monotonic()
        assert verdict(await pool.send(envelope())) == ("unsent", "greeting", 554)
        assert (pool.free, pool.health.failing) == (0, 2)
        await until(lambda: pool.free == 1)
        assert time.monotonic() - begun > 0.5
        assert (await pool.send(envelope())).outcome == "accepted"
        assert (pool.free, pool.health.failing, pool.health.failed) == (4, 0, 2)


@on_both_loops
async def test_an_envelope_that_waits_out_the_pause_is_sent(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_FIRST", 0.2)
    scripts = [("421 busy", "close"), (*PIPELINED, *TAKE, "250 in", "hang")]
    async with hostile(scripts=scripts) as server, Pool(route(server.port)) as pool:
        assert (await pool.send(envelope())).outcome == "unsent"
        assert pool.free == 0
        assert (await pool.send(envelope())).outcome == "accepted"


@on_both_loops
async def test_connections_that_fail_together_count_once(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_FIRST", 5)
    got = []
    async with hostile("554 no") as server, Pool(route(server.port)) as pool:
        await pool.send_many([envelope() for _ in range(4)], got.append)
        assert [answer.outcome for answer in got] == ["unsent"] * 4
        assert pool.health.failing == 1
        assert verdict(await pool.send(envelope(), wait=0.1)) == ("unsent", "connect", None)


@on_both_loops
async def test_one_that_fails_leaves_the_others_at_work():
    scripts = [(*PIPELINED, *TAKE, "wait", "250 in", *TAKE, "250 in", "hang"), ("421 too many", "close")]
    async with hostile(scripts=scripts) as server, Pool(route(server.port, max_connections=2)) as pool:
        first = asyncio.create_task(pool.send(envelope()))
        await until(lambda: pool.health.busy)
        second = asyncio.create_task(pool.send(envelope()))
        await until(lambda: pool.health.failed == 1)
        assert not second.done()
        server.go.set()
        assert [(await task).outcome for task in (first, second)] == ["accepted", "accepted"]


@on_both_loops
async def test_close_lets_what_is_under_way_finish_and_sends_the_rest_back():
    got = []
    async with Running(delay=0.3) as server:
        pool = Pool(route(server.port, max_connections=1))
        task = asyncio.create_task(pool.send_many([envelope() for _ in range(5)], got.append))
        await until(lambda: server.sink.taken)
        await pool.close()
        await task
        assert verdict(await pool.send(envelope())) == ("unsent", "connect", None)
        assert (pool.free, pool.health.open) == (0, 0)
        await pool.close()
    outcomes = Counter(answer.outcome for answer in got)
    assert outcomes["accepted"] + outcomes["unsent"] == 5
    assert 1 <= outcomes["accepted"] <= 2


@on_both_loops
async def test_close_is_bounded_and_what_it_cuts_off_is_lost():
    async with hostile(*PIPELINED, *TAKE, "hang") as server:
        pool = Pool(route(server.port))
        task = asyncio.create_task(pool.send(envelope()))
        await until(lambda: server.heard and b".\r\n" in server.heard[0])
        begun = time.monotonic()
        await pool.close(limit=0.2)
        assert time.monotonic() - begun < 1
        assert verdict(await task) == ("lost", "eod", None)


@on_both_loops
@pytest.mark.parametrize("script", [("hang",), ("220 hi", "hang")])
async def test_close_does_not_wait_for_an_opening(script):
    async with hostile(*script) as server:
        pool = Pool(route(server.port))
        task = asyncio.create_task(pool.send(envelope()))
        await until(lambda: server.now)
        begun = time.monotonic()
        await pool.close()
        assert time.monotonic() - begun < 1
        assert (await task).outcome == "unsent"
        assert pool.health.open == 0


@on_both_loops
async def test_close_in_the_instant_of_connecting_leaves_nothing_behind():
    async with hostile("hang") as server:
        for turns in range(6):
            pool = Pool(route(server.port))
            task = asyncio.create_task(pool.send(envelope()))
            for _ in range(turns):
                await asyncio.sleep(0)
            await pool.close(limit=1)
            assert (await task).outcome == "unsent"
            assert pool.health.open == 0


@on_both_loops
async def test_an_idle_server_that_speaks_out_of_turn_is_left():
    scripts = [(*PIPELINED, *TAKE, "250 in", "421 4.4.2 idle too long", "hang"), (*PIPELINED, *TAKE, "250 in", "hang")]
    async with hostile(scripts=scripts) as server, Pool(route(server.port, max_connections=1)) as pool:
        assert (await pool.send(envelope())).outcome == "accepted"
        await until(lambda: pool.health.open == 0)
        assert (await pool.send(envelope())).outcome == "accepted"
        assert pool.health.failed == 0


@on_both_loops
async def test_close_in_the_middle_of_a_tls_handshake_leaves_nothing_behind(tmp_path):
    files = make_local_certificate(tmp_path, ["localhost", "127.0.0.1"])
    script = ("220 hi", "<EHLO", "250-x|250 STARTTLS", "<STARTTLS", "220 go", "hang")
    async with hostile(*script) as server:
        pool = Pool(route(server.port, tls="starttls", ca_file=str(files.ca)))
        task = asyncio.create_task(pool.send(envelope()))
        await until(lambda: server.heard and server.heard[0][-1:] == [b"STARTTLS\r\n"])
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await pool.close(limit=1)
        assert time.monotonic() - begun < 0.9
        assert (await task).outcome == "unsent"
        assert pool.health.open == 0
