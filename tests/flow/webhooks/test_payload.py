"""What a payload says: each kind's part, a scheduled mail, what retention took, templates that no longer render."""

import json

import pytest
from standardwebhooks import Webhook

from troth.control.webhooks import deliveries, endpoints
from troth.flow.webhooks import loading
from troth.flow.webhooks import payload as payloads
from troth.keys import places
from troth.keys.ids import uuid7
from troth.rules.hook_events import TYPES, WEBHOOKS
from troth.rules.states import Kind, State
from troth.store.events import EventRow, insert

STATES = {Kind.HELD: State.QUEUED, Kind.RELEASED: State.HELD, Kind.SUPPRESSED: State.QUEUED, Kind.CANCELLED: State.QUEUED,
          Kind.EXPIRED: State.QUEUED, Kind.SENT: State.SENDING, Kind.DEFERRED: State.SENDING, Kind.UNCERTAIN: State.SENT,
          Kind.FAILED: State.SENDING, Kind.RESCHEDULED: State.QUEUED}  # fmt: skip
PARTS = {
    Kind.FAILED: {"failed": {"reason": "not-sendable"}},
    Kind.SUPPRESSED: {"suppressed": {"message": "It cannot be.", "type": "not-sendable"}},
    Kind.BOUNCED: {"bounce": {"message": "It cannot be.", "type": "Permanent", "subType": "General"}},
}


@pytest.mark.parametrize("kind", [kind for kind in TYPES.values() if kind in {*WEBHOOKS}])
async def test_every_kind_on_the_list_arrives_as_its_type(hooks, kind):
    receiver = await hooks.receiver()
    added = hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    state = STATES.get(kind, State.SENT)
    hooks.river.database.fill("UPDATE message SET state = %s WHERE id = %s", int(state), message)
    detail = {"reason": "not-sendable", "sentence": "It cannot be.", "secret": "inner"}
    person = hooks.river.person("ann@example.net")
    sealed = person.key.seal(json.dumps({"salt": "00", "detail": detail}).encode(), places.event(message, "s"))
    async with await hooks.river.database.connect("test") as connection:
        now = (await loading.store.clocks(connection)).now
        await insert(connection, [EventRow(message, int(kind), "s", hooks.river.tenant, now, sealed, bytes(32))])
    hooks.sender()
    await hooks.until(lambda: receiver.taken)
    got = receiver.taken[0]
    assert Webhook(added.secret).verify(got.body, got.headers)["type"] == next(n for n, k in TYPES.items() if k == kind)
    data = got.json["data"]
    assert PARTS.get(kind, {}).items() <= data.items()
    assert data["troth"]["detail"] == {"reason": "not-sendable", "sentence": "It cannot be."}
    assert b"inner" not in got.body


async def test_a_test_event_is_about_no_mail_and_is_tried_once(hooks):
    receiver = await hooks.receiver(answer=(500, {}, b""))
    added = hooks.endpoint(receiver.url, "email.bounced")
    found = endpoints.find(hooks.control, [hooks.river.tenant], added.id)
    made = deliveries.test(hooks.control, found)
    sender = hooks.sender()
    await hooks.until(lambda: sender.counters.given_up == 1)
    seen = deliveries.one(hooks.control, found, made)
    assert (seen.word, seen.last_status, seen.attempts) == ("given up", 500, 1)
    assert receiver.got[0].json["data"] == {
        "endpoint_id": f"we_a_{added.id.hex}",
        "message": "This is a test, about no mail.",
    }
    assert deliveries.one(hooks.control, found, 0) is None


async def test_what_retention_took_leaves_ids_and_times(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    gone, bodiless = hooks.messages("ann@example.net", copies=2)
    await hooks.tell(gone, Kind.DELIVERED)
    await hooks.tell(bodiless, Kind.DELIVERED)
    hooks.river.database.fill("DELETE FROM message WHERE id = %s", gone)
    hooks.river.database.fill("DELETE FROM message_body WHERE message_id = %s", bodiless)
    hooks.river.database.fill("DELETE FROM event WHERE message_id = %s", bodiless)
    hooks.sender()
    await hooks.until(lambda: len(receiver.taken) == 2)
    data = {each.json["data"]["troth"]["message"]: each.json["data"] for each in receiver.taken}
    assert set(data[f"msg_a_{gone.hex}"]) == {"troth"}
    assert data[f"msg_a_{bodiless.hex}"]["to"] == ["ann@example.net"]
    assert "from" not in data[f"msg_a_{bodiless.hex}"]


async def test_a_scheduled_mails_time_and_tags_are_told(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    async with await hooks.river.database.connect("test") as connection:
        now = (await loading.store.clocks(connection)).now
    (message,) = hooks.messages("ann@example.net", scheduled_at=now)
    hooks.sender()
    await hooks.tell(message, Kind.DELIVERED)
    await hooks.until(lambda: receiver.taken)
    assert receiver.taken[0].json["data"]["scheduled_at"] == payloads.moment(now)


async def test_a_template_that_no_longer_renders_costs_the_subject_alone(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net", variables={"name": "Zoë"})
    hooks.sender()
    await hooks.tell(message, Kind.DELIVERED)
    await hooks.until(lambda: receiver.taken)
    data = receiver.taken[0].json["data"]
    assert "subject" not in data
    assert data["template_id"] == "rent-reminder"


async def test_a_letter_that_is_none_is_left_out_and_counted(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    sealed = hooks.river.person("ann@example.net").key.seal(b"no letter", places.body(message))
    hooks.river.database.fill("UPDATE message_body SET body_ct = %s", sealed)
    sender = hooks.sender()
    await hooks.tell(message, Kind.DELIVERED)
    await hooks.until(lambda: receiver.taken)
    assert sender.counters.unread == 1
    assert "to" not in receiver.taken[0].json["data"]


async def test_only_the_newest_templates_are_kept(hooks, monkeypatch):
    monkeypatch.setattr(loading, "_KEEP", 1)
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url)
    sender = hooks.sender()
    for n in range(3):
        subject = uuid7(await _now(hooks))
        hooks.river.template = subject
        hooks.river.approve("template", subject, f"t{n}", {"category": "rent-reminder", "subject": f"Rent {n}",
                            "text": "x", "schema": {}, "targeting": {}})  # fmt: skip
        (message,) = hooks.messages("ann@example.net")
        await hooks.tell(message, Kind.DELIVERED)
        await hooks.until(lambda n=n: len(receiver.taken) == n + 1)
    assert [each.json["data"]["subject"] for each in receiver.taken] == ["Rent 0", "Rent 1", "Rent 2"]
    assert len(sender._loader._templates) == 1


async def _now(hooks):
    async with await hooks.river.database.connect("test") as connection:
        return (await loading.store.clocks(connection)).now
