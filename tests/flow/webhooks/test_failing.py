"""Receivers that fail, hang, ask for quiet, are gone; senders that die; an endpoint's end, its mail, and replay."""

import asyncio
import base64
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.support.hooks import LOOPBACK

from troth.control.audit.refusals import Refused
from troth.control.webhooks import deliveries, endpoints
from troth.control.webhooks.deliveries import Again
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refusal
from troth.flow.gate.asks import Refused as GateRefused
from troth.flow.webhooks import sender as sending
from troth.keys import places
from troth.keys.errors import KmsUnavailable
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.rules.states import Kind
from troth.store import hooks as store


def health(hooks, columns="failures, last_status, last_error"):
    return hooks.river.database.run(f"SELECT {columns} FROM webhook_health")[0]


async def one_failing(hooks, **manner):
    """A receiver with one delivery, and its endpoint."""
    receiver = await hooks.receiver(**manner)
    added = hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    await hooks.tell(message, Kind.DELIVERED)
    return receiver, added, message


def found(hooks, added):
    return endpoints.find(hooks.control, [hooks.river.tenant], added.id)


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
    await hooks.until(lambda: len(receiver.taken) == 2)
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
    await hooks.until(lambda: receiver.taken)
    assert [each.type for each in receiver.taken] == ["email.complained"]
    assert hooks.outbox("state") == [(4,), (3,)]


# ---- an endpoint's end


def admin(hooks, address="carol@acme.example", role="admin"):
    account, sealed = uuid4(), hooks.operator
    hooks.river.database.fill(
        "INSERT INTO account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, now())",
        account, uuid4(), hooks.river.tenant, role, b"\x01x",
        sealed.seal(address.encode(), places.account(account, "address")), os.urandom(32))  # fmt: skip


def system_tenant(hooks):
    tenant = uuid4()
    hooks.river.database.fill(
        "INSERT INTO tenant (id, programme_id, code, name, kind, timezone, postal_address, keyset, created_at)"
        " VALUES (%s, %s, 'system', 'Troth', 2, 'Europe/Berlin', 'x', %s, now())",
        tenant, hooks.river.programme, hooks.river.keyring.new_tenant_keyset(tenant))  # fmt: skip
    return tenant


async def failing_for_days(hooks):
    receiver, added, message = await one_failing(hooks, answer=(500, {}, b""))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed == 1)
    hooks.move_clock(timedelta(days=5, minutes=1))
    (other,) = hooks.messages("bob@example.net")
    await hooks.tell(other, Kind.DELIVERED)
    await hooks.until(lambda: sender.counters.disabled == 1)
    return receiver, added, sender


async def test_five_days_without_a_success_disable_it_and_tell_its_administrators(hooks):
    system = system_tenant(hooks)
    admin(hooks)
    admin(hooks, "dave@acme.example")
    admin(hooks, "eve@acme.example", role="viewer")
    _, added, sender = await failing_for_days(hooks)
    await hooks.until(lambda: sender.counters.notices_sent == 2)
    assert {email.to for ask in hooks.gate.asked for email in ask.emails} == {
        ("carol@acme.example",),
        ("dave@acme.example",),
    }
    ask = hooks.gate.asked[0]
    assert ask.caller.system_tenant == system
    assert (ask.emails[0].template, ask.emails[0].tags) == ("webhook-disabled", {"category": "notice"})
    variables = ask.emails[0].variables
    assert variables["client"] == "Acme Homes"
    assert variables["host"] == "127.0.0.1"
    assert variables["succeeded"] == "never"
    assert len({each.idempotency for each in hooks.gate.asked}) == 2
    known = hooks.river.database.run("SELECT count(*) FROM person WHERE tenant_id = %s", system)
    assert known == [(2,)]
    seen = found(hooks, added)
    assert (seen.disabled_why, seen.notice) == ("failing", 2)
    assert {state for (state,) in hooks.outbox()} == {4}
    kinds = hooks.river.database.run(
        "SELECT kind, leaf::jsonb ->> 'by' FROM ledger_pending WHERE kind LIKE 'webhook:%%' ORDER BY id"
    )
    assert kinds[-1] == ("webhook:endpoint:disable", "role:troth_flow")


async def test_a_success_in_between_starts_the_days_anew(hooks):
    receiver, added, message = await one_failing(hooks, answer=(500, {}, b""))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.failed == 1)
    receiver.answer = (200, {}, b"")
    hooks.move_clock(timedelta(days=5))
    await hooks.until(lambda: sender.counters.delivered == 1)
    receiver.answer = (500, {}, b"")
    await hooks.tell(message, Kind.COMPLAINED)
    await hooks.until(lambda: sender.counters.failed == 2)
    assert found(hooks, added).disabled_at is None


async def test_a_mail_that_cannot_go_is_said_and_tried_again(hooks):
    _, added, sender = await failing_for_days(hooks)
    await hooks.until(lambda: sender.counters.notices_unsent == 1)
    assert found(hooks, added).notice_why == "The client has no administrator."
    admin(hooks)
    for why, make in (
        ("The programme has no system tenant to write from.", lambda: system_tenant(hooks)),
        ("The system tenant's category 'notice' with the template 'webhook-disabled' did not take it (template-unknown): X.",
         lambda: setattr(hooks.gate, "answer", None)),
    ):  # fmt: skip
        hooks.gate.answer = GateRefused(Refusal("template-unknown", "X."))
        seen = sender.counters.notices_unsent
        hooks.move_clock(timedelta(hours=2))
        await hooks.until(lambda seen=seen: sender.counters.notices_unsent > seen)
        assert (found(hooks, added).notice, found(hooks, added).notice_why) == (3, why)
        make()
    hooks.move_clock(timedelta(hours=2))
    await hooks.until(lambda: sender.counters.notices_sent == 1)
    async with await hooks.river.database.connect("test") as connection:
        there = await store.endpoints(connection)
    assert there == store.Endpoints(0, 1, 0, 0)


async def test_an_administrator_who_cannot_be_written_to_does_not_keep_the_others_from_it(hooks):
    system_tenant(hooks)
    admin(hooks, "no address")
    admin(hooks)
    _, added, sender = await failing_for_days(hooks)
    await hooks.until(lambda: sender.counters.notices_sent == 1)
    assert found(hooks, added).notice_why == "An administrator's address cannot be written to."


async def test_a_gate_that_is_away_keeps_the_mail_due(hooks):
    class Away:
        async def submit(self, ask):
            raise StoreAway

    system_tenant(hooks)
    admin(hooks)
    hooks.gate, kept = Away(), hooks.gate
    _, added, sender = await failing_for_days(hooks)
    await asyncio.sleep(0.3)
    assert found(hooks, added).notice == 1
    object.__setattr__(sender.deps, "gate", kept)
    await hooks.until(lambda: sender.counters.notices_sent == 1)


async def test_410_ends_an_endpoint_at_once(hooks):
    receiver, added, message = await one_failing(hooks, answer=(410, {}, b""))
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.disabled == 1)
    assert found(hooks, added).disabled_why == "gone"
    await hooks.tell(message, Kind.COMPLAINED)
    assert hooks.outbox("state, last_error") == [(4, "HTTP 410"), (4, "endpoint-disabled")]


async def test_what_happened_while_it_was_disabled_comes_by_replay_and_in_order(hooks):
    receiver, added, message = await one_failing(hooks)
    sender = hooks.sender()
    await hooks.until(lambda: receiver.taken)
    endpoints.disable(hooks.control, found(hooks, added), "test")
    await hooks.tell(message, Kind.BOUNCED, Kind.COMPLAINED)
    with pytest.raises(Refused, match="enable it first"):
        deliveries.replay(hooks.control, found(hooks, added), Again(failed=True), "test")
    endpoints.enable(hooks.control, found(hooks, added), "test")
    assert deliveries.tally(hooks.control, found(hooks, added)) == deliveries.Tally(0, 1, 2)
    assert deliveries.replay(hooks.control, found(hooks, added), Again(failed=True), "test") == 2
    await hooks.until(lambda: len(receiver.taken) == 3)
    assert [each.type for each in receiver.taken] == ["email.delivered", "email.bounced", "email.complained"]
    since = datetime.now(UTC) - timedelta(hours=1)
    assert deliveries.replay(hooks.control, found(hooks, added), Again(since=since), "test") == 3
    await hooks.until(lambda: len(receiver.taken) == 6)
    assert set(receiver.ids().values()) == {2}
    assert [each.id for each in receiver.taken[3:]] == [each.id for each in receiver.taken[:3]]
    assert deliveries.replay(hooks.control, found(hooks, added), Again(message=message, kind=Kind.BOUNCED), "test") == 1
    await hooks.until(lambda: len(receiver.taken) == 7)
    assert sender.counters.delivered == 7
    assert [each.word for each in deliveries.newest(hooks.control, found(hooks, added), 2)] == ["delivered"] * 2


async def test_two_signatures_until_the_overlap_ends(hooks):
    receiver, added, message = await one_failing(hooks)
    second, ends = endpoints.rotate(hooks.control, hooks.river.keys, found(hooks, added), "test")
    hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert len(receiver.taken[-1].headers["webhook-signature"].split()) == 2
    for secret in (added.secret, second):
        Webhook(secret).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    hooks.move_clock(timedelta(hours=24, minutes=1))
    await hooks.tell(message, Kind.COMPLAINED)
    await hooks.until(lambda: len(receiver.taken) == 2)
    Webhook(second).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(added.secret).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    third, _ = endpoints.rotate(hooks.control, hooks.river.keys, found(hooks, added), "test", timedelta(0))
    await hooks.tell(message, Kind.UNSUBSCRIBED)
    await hooks.until(lambda: len(receiver.taken) == 3)
    Webhook(third).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(second).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    for _ in range(4):
        endpoints.rotate(hooks.control, hooks.river.keys, found(hooks, added), "test")
    with pytest.raises(Refused, match="[Ff]ive secrets"):
        endpoints.rotate(hooks.control, hooks.river.keys, found(hooks, added), "test")
    assert len(base64.b64decode(third.removeprefix("whsec_"))) == 32


# ---- our own faults


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
