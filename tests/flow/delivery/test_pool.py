"""The pool: how many connections, which envelope when, and exactly one answer for each whatever happens."""

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import replace

import pytest
from tests.support.hostile import PIPELINED, STEPWISE, TAKE, hostile
from tests.support.loops import on_both_loops
from tests.support.sink import Sink

from troth.cli.demo.mailbox_store import MailStore
from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery import pool as module
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.route import Route, Timeouts
from troth.flow.delivery.smtp_types import Envelope

TIMES = Timeouts(
    connect=2, greeting=2, ehlo=2, starttls=2, auth=2, mail=2, rcpt=2, data=2, eod=2, quit=0.3, idle=5, wait=2
)


def envelope(to=b"sam@y.test", data=b"Subject: a\r\n\r\nhello\r\n"):
    return Envelope(uuid.uuid4(), b"b@x.test", to, data, len(data))


def route(port, **options):
    return Route(**{"name": "r", "host": "127.0.0.1", "port": port, "tls": "none", "timeouts": TIMES} | options)


def verdict(answer):
    return answer.outcome, answer.phase, answer.code


async def until(condition, limit=3.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


class Running:
    """A sink for the length of a test."""

    def __init__(self, **options):
        self.sink = Sink(options.pop("store", None), **options)

    async def __aenter__(self):
        self.port = await self.sink.start()
        return self

    async def __aexit__(self, *_):
        await self.sink.stop()


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
