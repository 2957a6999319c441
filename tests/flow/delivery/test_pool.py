"""The pool: how many connections, which envelope when, and exactly one answer for each whatever happens."""

import asyncio
import time
from collections import Counter

import pytest
from tests.support.hostile import PIPELINED, STEPWISE, TAKE, hostile
from tests.support.loops import on_both_loops
from tests.support.pool import Running, route, until, verdict
from tests.support.smtp_talk import envelope

from troth.cli.demo.mailbox_store import MailStore
from troth.flow.delivery.pool import Pool


@on_both_loops
async def test_many_envelopes_one_answer_each_and_never_too_many_connections(tmp_path):
    store = MailStore(tmp_path / "mail")
    got = []
    async with Running(store=store) as server:
        async with Pool(route(server.port, max_connections=3)) as pool:
            sent = [envelope(b"u%d@y.test" % number) for number in range(400)]
            await pool.send_many(iter(sent), got.append, wait=30)
            assert (pool.free, pool.health.open, pool.health.opened) == (3, 3, 3)
            assert pool.health.accepted == 400
        assert server.sink.most == 3
        await until(lambda: not server.sink.sessions)
    assert Counter(answer.key for answer in got) == Counter(one.key for one in sent)
    assert {verdict(answer) for answer in got} == {("accepted", "eod", 250)}
    assert sorted(entry.rcpt for entry in store.entries()) == sorted(one.forward_path.decode() for one in sent)
    store.close()


@on_both_loops
async def test_a_connection_is_opened_late_and_used_again():
    async with Running() as server, Pool(route(server.port)) as pool:
        assert (pool.free, pool.health.open) == (4, 0)
        for _ in range(5):
            assert (await pool.send(envelope())).outcome == "accepted"
        assert (pool.health.opened, pool.free) == (1, 4)


@on_both_loops
async def test_the_mailboxs_manners_reach_the_caller():
    async with Running() as server, Pool(route(server.port)) as pool:

        async def outcomes(local, times):
            return [verdict(await pool.send(envelope(local + b"@y.test"))) for _ in range(times)]

        assert await outcomes(b"bounce-hard", 2) == [("refused", "rcpt", 550)] * 2
        assert await outcomes(b"full-twice", 3) == [("refused", "rcpt", 452)] * 2 + [("accepted", "eod", 250)]
        assert await outcomes(b"greylist", 2) == [("refused", "rcpt", 451), ("accepted", "eod", 250)]
        assert await outcomes(b"tempfail", 2) == [("unsent", "rcpt", 421)] * 2
        assert await outcomes(b"drop-after-data", 2) == [("lost", "eod", None), ("accepted", "eod", 250)]


@on_both_loops
async def test_a_mixed_batch_keeps_each_answer_with_its_envelope():
    kinds = {
        b"ok": ("accepted", "eod", 250),
        b"bounce-hard": ("refused", "rcpt", 550),
        b"policy": ("refused", "rcpt", 550),
        b"full": ("refused", "rcpt", 452),
        b"bad path": ("refused", "mail", None),
    }
    sent = {}
    for number in range(200):
        kind = list(kinds)[number % len(kinds)]
        one = envelope(kind + b"%d@y.test" % number)
        sent[one.key] = (one, kinds[kind])
    got = {}
    async with Running() as server, Pool(route(server.port, max_connections=2)) as pool:
        batch = [one for one, _ in sent.values()]
        await pool.send_many(batch, lambda answer: got.update({answer.key: answer}), wait=30)
        assert pool.health.refused == 160
    assert {key: verdict(answer) for key, answer in got.items()} == {key: want for key, (_, want) in sent.items()}


@on_both_loops
async def test_no_free_connection_in_time_is_unsent():
    async with hostile(*STEPWISE, "hang") as server:
        async with Pool(route(server.port, max_connections=1)) as pool:
            first = asyncio.create_task(pool.send(envelope()))
            await until(lambda: pool.health.busy)
            begun = time.monotonic()
            patient = asyncio.create_task(pool.send(envelope(), wait=0.3))
            hasty = await pool.send(envelope(), wait=0.1)
            assert verdict(hasty) == ("unsent", "connect", None)
            assert verdict(await patient) == ("unsent", "connect", None)
            assert 0.25 < time.monotonic() - begun < 1.5
            assert (pool.free, pool.health.waiting) == (0, 0)
            assert (await first).outcome == "unsent"
        assert server.most == 1


@on_both_loops
async def test_cancelled_before_it_is_begun_it_is_never_sent():
    orphans = []
    async with hostile(*STEPWISE, "hang") as server:
        async with Pool(route(server.port, max_connections=1), on_orphan=orphans.append) as pool:
            first = asyncio.create_task(pool.send(envelope()))
            await until(lambda: pool.health.busy)
            late = envelope(b"late@y.test")
            second = asyncio.create_task(pool.send(late))
            await until(lambda: pool.health.waiting)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            await until(lambda: orphans)
            assert (orphans[0].key, verdict(orphans[0])) == (late.key, ("unsent", "connect", None))
            assert pool.health.waiting == 0
            await first
        assert not any(b"late" in line for lines in server.heard for line in lines)


@on_both_loops
async def test_cancelled_later_it_goes_on_and_the_answer_is_not_lost():
    orphans = []
    async with Running(delay=0.3) as server:
        async with Pool(route(server.port), on_orphan=orphans.append) as pool:
            sent = envelope()
            task = asyncio.create_task(pool.send(sent))
            await until(lambda: server.sink.taken)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: orphans)
            assert (orphans[0].key, orphans[0].outcome) == (sent.key, "accepted")
        async with Pool(route(server.port)) as deaf:
            task = asyncio.create_task(deaf.send(envelope()))
            await until(lambda: deaf.health.busy)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: deaf.health.accepted)


@on_both_loops
async def test_a_cancelled_batch_answers_what_it_has_not_begun_at_once():
    got = []
    async with Running(delay=0.3) as server, Pool(route(server.port, max_connections=1)) as pool:
        task = asyncio.create_task(pool.send_many([envelope() for _ in range(10)], got.append))
        await until(lambda: server.sink.taken)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: len(got) >= 8)
        await until(lambda: len(got) == 10)
    outcomes = Counter(answer.outcome for answer in got)
    assert outcomes["unsent"] + outcomes["accepted"] == 10
    assert 1 <= outcomes["accepted"] <= 2


@on_both_loops
async def test_an_empty_batch_is_done_and_a_callback_may_send_again():
    async with Running() as server, Pool(route(server.port)) as pool:
        await pool.send_many([], print)
        more = []
        await pool.send_many([envelope()], lambda answer: more.append(asyncio.ensure_future(pool.send(envelope()))))
        assert (await more[0]).outcome == "accepted"


@on_both_loops
async def test_a_lost_one_is_never_sent_again_by_the_pool():
    scripts = [(*PIPELINED, *TAKE, "250 in", *TAKE, "reset"), (*PIPELINED, *TAKE, "250 in", "hang")]
    got = []
    async with hostile(scripts=scripts) as server, Pool(route(server.port, max_connections=1)) as pool:
        sent = [envelope(b"u%d@y.test" % number) for number in range(3)]
        await pool.send_many(sent, got.append)
        heard = b"".join(line for lines in server.heard for line in lines)
    assert [(answer.key, answer.outcome) for answer in got] == [
        (sent[0].key, "accepted"),
        (sent[1].key, "lost"),
        (sent[2].key, "accepted"),
    ]
    assert heard.count(b"RCPT TO:<u1@y.test>") == 1


@on_both_loops
async def test_waiting_costs_no_processor():
    """No busy loop while an envelope waits, a server is slow or a route is down."""
    async with hostile(*STEPWISE, "hang") as server, Pool(route(server.port, max_connections=1)) as pool:
        tasks = [asyncio.create_task(pool.send(envelope(), wait=1)) for _ in range(3)]
        await until(lambda: pool.health.busy)
        begun = time.process_time()
        await asyncio.sleep(0.5)
        assert time.process_time() - begun < 0.1
        for task in tasks:
            await task


@on_both_loops
async def test_a_large_message_that_waits_for_the_kernel_keeps_its_place_in_line():
    """Writing is paused between the pieces; the next envelope is begun behind the final dot."""
    got = []
    async with Running() as server, Pool(route(server.port, max_connections=1)) as pool:
        big = envelope(b"big@y.test", (b"x" * 98 + b"\r\n") * 200_000)
        small = envelope(b"small@y.test")
        await pool.send_many([big, small, big], got.append, wait=20)
    assert [answer.key for answer in got] == [big.key, small.key, big.key]
    assert {answer.outcome for answer in got} == {"accepted"}
