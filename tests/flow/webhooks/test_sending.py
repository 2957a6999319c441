"""What a receiver gets: signed by Standard Webhooks, in the shape of Resend's, in order for each message, each event once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from troth.keys.ids import uuid7
from troth.rules.states import Kind
from troth.store.events import EventRow, insert


async def test_a_delivery_is_what_resends_users_expect_and_verifies(hooks):
    receiver = await hooks.receiver()
    added = hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net", subject="The rent", tags={"category": "rent", "flat": "12b"})
    hooks.sender()
    await hooks.tell(message, Kind.DELIVERED, code=250, text="2.0.0 Ok", conversation=["C: secret"], headers="H: x")
    await hooks.until(lambda: receiver.taken)
    (got,) = receiver.got
    assert Webhook(added.secret).verify(got.body, got.headers) == got.json
    for name in ("id", "timestamp", "signature"):
        assert got.headers[f"svix-{name}"] == got.headers[f"webhook-{name}"]
    assert (got.path, got.headers["content-type"]) == ("/hook", "application/json")
    assert got.json["type"] == "email.delivered"
    data = got.json["data"]
    assert data["to"] == ["ann@example.net"]
    assert data["from"] == hooks.river.sender
    assert data["subject"] == "The rent"
    assert data["tags"] == {"category": "rent", "flat": "12b"}
    assert data["email_id"].startswith("em_a_")
    assert data["message_id"] == f"<{message.hex}@mail.acme.example>"
    assert data["troth"] == {"message": f"msg_a_{message.hex}", "event": "delivered",
                             "detail": {"code": 250, "text": "2.0.0 Ok"}}  # fmt: skip
    assert got.json["created_at"].endswith("Z")
    with pytest.raises(WebhookVerificationError):
        Webhook(added.secret).verify(got.body + b" ", got.headers)


async def test_an_erased_persons_data_is_absent(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net", subject="For Ann")
    await hooks.tell(message, Kind.DELIVERED, text="ok ann@example.net")
    hooks.river.erase("ann@example.net")
    hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert b"ann" not in receiver.got[0].body.lower()
    assert set(receiver.got[0].json["data"]) == {"created_at", "email_id", "troth"}


async def test_a_templates_subject_is_rendered_once_a_worker_has(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    sent, held = hooks.messages("ann@example.net", copies=2)
    hooks.river.database.fill("UPDATE message SET state = 10 WHERE id = %s", held)
    hooks.sender()
    await hooks.tell(sent, Kind.DELIVERED)
    await hooks.tell(held, Kind.CANCELLED)
    await hooks.until(lambda: len(receiver.taken) == 2)
    data = {each.type: each.json["data"] for each in receiver.got}
    assert data["email.delivered"]["subject"] == "Rent due for 12b"
    assert "subject" not in data["email.canceled"]
    assert data["email.canceled"]["template_id"] == "rent-reminder"


@pytest.mark.parametrize(
    ("kind", "detail", "part"),
    [
        (Kind.BOUNCED, {"text": "no such user", "kind": "hard"},
         {"bounce": {"message": "no such user", "type": "Permanent", "subType": "General"}}),
        (Kind.BOUNCED, {"text": "full", "kind": "mailbox"},
         {"bounce": {"message": "full", "type": "Permanent", "subType": "MailboxFull"}}),
    ],
)  # fmt: skip
async def test_an_outcome_has_resends_part(hooks, kind, detail, part):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    hooks.sender()
    await hooks.tell(message, kind, **detail)
    await hooks.until(lambda: receiver.taken)
    assert part.items() <= receiver.got[0].json["data"].items()


async def test_an_endpoint_hears_only_what_it_asked_for(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "email.bounced", "email.complained")
    (message,) = hooks.messages("ann@example.net")
    hooks.sender()
    await hooks.tell(message, Kind.DELIVERED, Kind.BOUNCED, Kind.UNSUBSCRIBED, Kind.COMPLAINED)
    await hooks.until(lambda: len(receiver.taken) == 2)
    assert [each.type for each in receiver.taken] == ["email.bounced", "email.complained"]
    assert len(hooks.outbox()) == 2


async def test_a_silent_kind_costs_no_row_and_the_order_of_a_statement_is_kept(hooks, river):
    hooks.endpoint("http://127.0.0.1:9/")
    now = datetime.now(UTC)
    kinds = (Kind.ACCEPTED, Kind.UNCERTAIN, Kind.HELD, Kind.CLAIMED, Kind.QUEUED, Kind.BOUNCED, Kind.SENT)
    message = uuid7(now)
    rows = [EventRow(message, int(kind), "gate", river.tenant, now, None, bytes(32)) for kind in kinds]
    async with await river.database.connect("test") as connection:
        assert len(await insert(connection, rows)) == 7
    assert [kind for (kind,) in hooks.outbox("kind")] == [Kind.UNCERTAIN, Kind.HELD, Kind.BOUNCED, Kind.SENT]


async def test_every_event_of_a_receiver_that_failed_for_an_hour_comes_in_order_and_under_one_id(hooks):
    """The clock is moved, and the receiver fails until it has."""
    receiver = await hooks.receiver(answer=(500, {}, b"broken"))
    added = hooks.endpoint(receiver.url)
    messages = hooks.messages(*(f"r{n}@example.net" for n in range(12)))
    hooks.sender()
    for kind in (Kind.DELIVERED, Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED):
        for message in messages:
            await hooks.tell(message, kind)
        seen = len(receiver.got)
        hooks.move_clock(timedelta(minutes=15))
        await hooks.until(lambda seen=seen: len(receiver.got) > seen)
    assert {each.type for each in receiver.got} == {"email.delivered"}
    receiver.answer = (200, {}, b"")
    await hooks.until(lambda: not hooks.outbox("id", "state = 2"))  # a failure settled after the move waits anew
    hooks.move_clock(timedelta(hours=2))
    await hooks.until(lambda: not hooks.waiting(), 40)
    order = ["email.delivered", "email.bounced", "email.complained", "email.unsubscribed"]
    assert receiver.by_message() == {f"msg_a_{m.hex}": order for m in messages}
    assert set(receiver.ids().values()) == {1}
    assert len(receiver.ids()) == 48
    ids = {(e.json["data"]["troth"]["message"], e.type): e.id for e in receiver.taken}
    assert all(ids[each.json["data"]["troth"]["message"], each.type] == each.id for each in receiver.got)
    for each in receiver.taken:
        Webhook(added.secret).verify(each.body, each.headers)


async def test_an_event_waits_for_its_messages_earlier_one_while_others_go_on(hooks):
    def answer(got):
        return (
            (503, {}, b"")
            if "r0@" in got.body.decode() and len(failed) < 2 and not failed.append(1)
            else (200, {}, b"")
        )

    failed = []
    receiver = await hooks.receiver(answer=answer)
    hooks.endpoint(receiver.url)
    first, second = hooks.messages("r0@example.net", "r1@example.net")
    hooks.sender()
    await hooks.tell(first, Kind.DELIVERED)
    await hooks.until(lambda: failed)
    await hooks.tell(first, Kind.COMPLAINED)
    await hooks.tell(second, Kind.DELIVERED, Kind.COMPLAINED)
    await hooks.until(lambda: len(receiver.taken) == 2)
    assert set(receiver.by_message()) == {f"msg_a_{second.hex}"}
    hooks.move_clock(timedelta(minutes=1))
    await hooks.until(lambda: len(failed) == 2)
    hooks.move_clock(timedelta(minutes=1))
    await hooks.until(lambda: len(receiver.taken) == 4)
    assert receiver.by_message()[f"msg_a_{first.hex}"] == ["email.delivered", "email.complained"]


async def test_a_slow_endpoint_holds_up_no_other_and_gets_no_more_than_its_share(hooks):
    slow, quick = await hooks.receiver(gate=asyncio.Event()), await hooks.receiver()
    hooks.endpoint(slow.url, "email.delivered")
    hooks.endpoint(quick.url, "email.delivered")
    messages = hooks.messages(*(f"r{n}@example.net" for n in range(30)))
    for message in messages:
        await hooks.tell(message, Kind.DELIVERED)
    hooks.sender()
    await hooks.until(lambda: len(quick.taken) == 30 and slow.now == 8)
    assert not slow.taken
    slow.gate.set()
    await hooks.until(lambda: len(slow.taken) == 30)
    assert slow.most <= 8


async def test_every_endpoint_gets_the_same_event_under_the_same_id_with_its_own_secret(hooks):
    one, two = await hooks.receiver(), await hooks.receiver()
    secrets = [hooks.endpoint(each.url).secret for each in (one, two)]
    (message,) = hooks.messages("ann@example.net")
    hooks.sender()
    await hooks.tell(message, Kind.DELIVERED)
    await hooks.until(lambda: one.taken and two.taken)
    assert one.taken[0].id == two.taken[0].id
    for receiver, mine, other in ((one, *secrets), (two, *reversed(secrets))):
        Webhook(mine).verify(receiver.taken[0].body, receiver.taken[0].headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(receiver.taken[0].body, receiver.taken[0].headers)


async def test_two_senders_share_the_work_and_keep_the_order(hooks):
    receivers = [await hooks.receiver(delay=0.005) for _ in range(2)]
    for each in receivers:
        hooks.endpoint(each.url)
    kinds = (Kind.DELIVERED, Kind.BOUNCED, Kind.COMPLAINED, Kind.UNSUBSCRIBED)
    senders, messages = [hooks.sender(), hooks.sender()], []
    while not all(each.counters.delivered for each in senders):  # chance may give the first ones all to one of them
        assert len(messages) < 250
        more = hooks.messages(*(f"r{len(messages) + n}@example.net" for n in range(25)))
        messages += more
        for kind in kinds:
            for message in more:
                await hooks.tell(message, kind)
        await hooks.until(lambda: sum(each.counters.delivered for each in senders) == 8 * len(messages), 60)
    for each in receivers:
        assert set(each.ids().values()) == {1}
        order = ["email.delivered", "email.bounced", "email.complained", "email.unsubscribed"]
        assert each.by_message() == {f"msg_a_{m.hex}": order for m in messages}
