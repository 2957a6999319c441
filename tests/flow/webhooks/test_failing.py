"""Receivers that fail, hang, ask for quiet or answer without end: each failure is told, and its delivery waits."""

import asyncio
from datetime import timedelta

import pytest
from tests.support.hooks import LOOPBACK, one_failing

from troth.control.webhooks import endpoints
from troth.keys import places
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.rules.states import Kind


def health(hooks, columns="failures, last_status, last_error"):
    return hooks.river.database.run(f"SELECT {columns} FROM webhook_health")[0]


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [
        ((500, {}, b"x"), "HTTP 500", 500),
        ((404, {}, b""), "HTTP 404", 404),
        ((308, {"Location": "http://127.0.0.1:1/"}, b""), "HTTP 308: a redirect is not followed", 308),
        ("rubbish", "protocol: What came was not an HTTP answer", None),
        ("hang", "timeout: No answer came within 0.3 seconds", None),
        ("gigabyte-503", "HTTP 503", 503),
    ],
)
async def test_a_failure_is_told_and_the_delivery_waits(hooks, answer, error, status):
    hooks.client = GuardedClient(Resolver(), LOOPBACK, seconds=0.3)
    receiver, _, _ = await one_failing(hooks, answer=answer)
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed)
    ((state, attempts, seen, said, ahead),) = hooks.outbox("state, attempts, last_status, last_error, due - now()")
    assert (state, attempts, seen) == (1, 1, status)
    assert said.startswith(error)
    assert timedelta(seconds=2) < ahead < timedelta(seconds=6)
    assert health(hooks)[:2] == (1, status)
    assert len(receiver.got) == 1


async def test_a_gigabyte_behind_a_2xx_is_a_delivery(hooks):
    receiver, *_ = await one_failing(hooks, answer="gigabyte")
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.delivered == 1)
    assert receiver.sent < 64 << 20


async def test_a_name_that_has_come_to_lead_inside_gets_nothing(hooks):
    receiver, added, _ = await one_failing(hooks)
    hooks.client = GuardedClient(Resolver())  # as in production: loopback is inside
    sealed = hooks.river.keys.seal(f"https://127.0.0.1:{receiver.port}/".encode(), places.webhook_url(added.id))
    hooks.river.database.fill("UPDATE webhook_endpoint SET url_ct = %s", sealed)
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.refused == 1)
    await hooks.until(lambda: hooks.outbox("attempts, last_error") == [
        (1, "forbidden: The name leads to an address that is not a public one.")])  # fmt: skip
    assert receiver.connections == 0


async def test_a_url_that_is_no_longer_taken_is_a_failure(hooks):
    await one_failing(hooks)
    hooks.client = GuardedClient(Resolver(), endpoints.Guard(LOOPBACK.allow))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed)
    assert hooks.outbox("last_error")[0][0].startswith("url: Only https")


async def test_retry_after_quiets_the_endpoint(hooks):
    receiver, _, message = await one_failing(hooks, answer=(429, {"Retry-After": "1200"}, b""))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed)
    (other,) = hooks.messages("bob@example.net")
    receiver.answer = (200, {}, b"")
    await hooks.tell(other, Kind.DELIVERED)
    hooks.move_clock(timedelta(minutes=19))
    await asyncio.sleep(1.5)
    assert len(receiver.got) == 1
    hooks.move_clock(timedelta(minutes=2))
    await hooks.until(lambda: sender.counters.delivered == 2)
    assert health(hooks, "quiet_until, failing_since, failures") == (None, None, 0)


async def test_an_ill_endpoint_is_tried_one_at_a_time(hooks):
    receiver = await hooks.receiver(answer=(500, {}, b""), delay=0.05)
    hooks.endpoint(receiver.url)
    for message in hooks.messages(*(f"r{n}@example.net" for n in range(30))):
        await hooks.tell(message, Kind.DELIVERED)
    sender = hooks.sender()
    await hooks.until(lambda: len(receiver.got) >= 10)
    receiver.most = receiver.now
    await hooks.until(lambda: len(receiver.got) >= 16)
    assert receiver.most <= 1
    assert sender.counters.sending <= 1


async def test_after_a_day_it_is_given_up_and_what_waited_behind_it_goes(hooks):
    receiver, _, message = await one_failing(hooks, answer=(500, {}, b""))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed == 1)
    await hooks.tell(message, Kind.COMPLAINED)
    hooks.move_clock(timedelta(hours=25))
    await hooks.until(lambda: sender.counters.given_up == 1)
    receiver.answer = (200, {}, b"")
    hooks.move_clock(timedelta(minutes=1))
    await hooks.until(lambda: sender.counters.delivered == 1)
    assert [each.type for each in receiver.taken] == ["email.complained"]
    assert hooks.outbox("state") == [(4,), (3,)]
