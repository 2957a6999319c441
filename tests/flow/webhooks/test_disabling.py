"""An endpoint's end after long failure, the mail about it, what is replayed afterwards, and its secrets."""

import asyncio
import base64
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.support.hooks import found, one_failing

from troth.control.audit.refusals import Refused
from troth.control.webhooks import deliveries, endpoints
from troth.control.webhooks.deliveries import Again
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refusal
from troth.flow.gate.asks import Refused as GateRefused
from troth.keys import places
from troth.rules.states import Kind
from troth.store import hooks as store


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
    assert (ask.emails[0].template, ask.emails[0].tags) == ("webhook-disabled", {"category": "security-notice"})
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
        ("The system tenant's category 'security-notice' with the template 'webhook-disabled' did not take it (template-unknown): X.",
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
    await hooks.until(lambda: sender.counters.delivered == 1)
    endpoints.disable(hooks.control, found(hooks, added), "test")
    await hooks.tell(message, Kind.BOUNCED, Kind.COMPLAINED)
    with pytest.raises(Refused, match="enable it first"):
        deliveries.replay(hooks.control, found(hooks, added), Again(failed=True), "test")
    endpoints.enable(hooks.control, found(hooks, added), "test")
    assert deliveries.tally(hooks.control, found(hooks, added)) == deliveries.Tally(0, 1, 2)
    assert deliveries.replay(hooks.control, found(hooks, added), Again(failed=True), "test") == 2
    await hooks.until(lambda: sender.counters.delivered == 3)
    assert [each.type for each in receiver.taken] == ["email.delivered", "email.bounced", "email.complained"]
    since = datetime.now(UTC) - timedelta(hours=1)
    assert deliveries.replay(hooks.control, found(hooks, added), Again(since=since), "test") == 3
    await hooks.until(lambda: sender.counters.delivered == 6)
    assert set(receiver.ids().values()) == {2}
    assert [each.id for each in receiver.taken[3:]] == [each.id for each in receiver.taken[:3]]
    assert deliveries.replay(hooks.control, found(hooks, added), Again(message=message, kind=Kind.BOUNCED), "test") == 1
    await hooks.until(lambda: sender.counters.delivered == 7)
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
