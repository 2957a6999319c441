"""Mailgun's webhooks: what is signed by Mailgun and holds our token ends as the right state, once; all else changes
nothing and is told why.
"""

import asyncio
import json
import time
from urllib.parse import urlencode

import pytest
from tests.flow.feedback.relaying import sns, told
from tests.flow.feedback.telling import ANN
from tests.support import relay

from troth.rules.states import Kind, State

__all__ = ["sns", "told"]

DELIVERED = {"event": "delivered", "id": "d1", "recipient": ANN, "delivery-status": {"code": 250, "message": "OK"}}
UNKNOWN = {
    "event": "failed", "id": "f1", "severity": "permanent", "reason": "bounce", "recipient": ANN,
    "delivery-status": {"code": 550, "message": "5.1.1 no such user here", "mx-host": "mx.home.example"},
}  # fmt: skip


def failed(reason, code, message, severity="permanent", **more):
    status = {"code": code, "message": message}
    return {"event": "failed", "id": "f2", "severity": severity, "reason": reason, "delivery-status": status, **more}


async def test_delivered_is_delivered_once_however_often_it_is_told(told):
    (message,) = await told.sent()
    answers = [await told.mailgun(DELIVERED, message) for _ in range(3)]
    assert [(each.status_code, each.json()) for each in answers] == [(200, {"status": "taken"})] * 3
    assert told.river.state(message) is State.DELIVERED
    assert told.river.told(message) == [Kind.SENT, Kind.DELIVERED]
    kind, detail = told.last(message)
    assert (kind, detail["via"], detail["code"]) == (Kind.DELIVERED, "mailgun", 250)
    assert told.counted() == {"delivered": 1, "known": 2}


async def test_a_bad_address_bounces_and_is_suppressed(told):
    (message,) = await told.sent()
    assert (await told.mailgun(UNKNOWN, message)).status_code == 200
    assert told.river.state(message) is State.BOUNCED
    assert told.river.suppressed(ANN) == [(1, f"smtp:{message}")]
    detail = told.last(message)[1]
    assert (detail["reason"], detail["remote_mta"]) == ("hard", "mx.home.example")
    assert detail["diagnostic"] == "5.1.1 no such user here"


@pytest.mark.parametrize(
    ("event", "state", "suppressed"),
    [
        (failed("bounce", 554, "5.7.1 rejected as spam"), State.BOUNCED, []),
        (failed("bounce", 550, "5.7.26 unauthenticated mail"), State.BOUNCED, []),
        (failed("espblock", 550, "5.1.1 user unknown, and your network is on our list"), State.BOUNCED, []),
        (failed("bounce", 552, "5.2.2 mailbox full"), State.DEFERRED, []),
        (failed("old", 602, "Too old"), State.BOUNCED, []),
        (failed("generic", 498, "No MX for home.example", "temporary"), State.SENT, []),
        (failed("greylisted", 450, "Greylisted", "temporary"), State.SENT, []),
        (failed("suppress-bounce", 605, "Not delivering to previously bounced address"), State.BOUNCED, [1]),
        (failed("suppress-complaint", 607, "Not delivering to a user who marked you"), State.BOUNCED, [2]),
        ({"event": "rejected", "id": "r", "reject": {"reason": "Sandbox"}}, State.BOUNCED, []),
        ({"event": "opened", "id": "o"}, State.SENT, []),
        ({"event": "clicked", "id": "o", "url": "https://a.example"}, State.SENT, []),
        ({"event": "accepted", "id": "o"}, State.SENT, []),
        ({"event": "stored", "id": "o"}, State.SENT, []),
        ({"event": "of tomorrow", "id": "o"}, State.SENT, []),
    ],
)  # fmt: skip
async def test_each_event_sets_in_motion_what_it_says(told, event, state, suppressed):
    (message,) = await told.sent()
    assert (await told.mailgun(event, message)).status_code == 200
    assert told.river.state(message) is state
    assert [reason for reason, _ in told.river.suppressed(ANN)] == suppressed


async def test_a_complaint_suppresses_and_is_an_event(told):
    (message,) = await told.sent()
    for _ in range(2):
        assert (await told.mailgun({"event": "complained", "id": "c1"}, message)).status_code == 200
    assert told.river.told(message) == [Kind.SENT, Kind.COMPLAINED]
    assert len(told.river.suppressed(ANN)) == 1
    assert told.counted() == {"complained": 1, "known": 1}


@pytest.mark.parametrize("event", [{"event": "unsubscribed", "id": "u1"}, failed("suppress-unsubscribe", 606, "No")])
async def test_an_opt_out_at_mailgun_is_one_here(told, event):
    (message,) = await told.sent()
    for _ in range(2):
        assert (await told.mailgun(event, message)).status_code == 200
    run = told.river.database.run
    [(opted,)] = run("SELECT (SELECT count(*) FROM opt_out) + (SELECT count(*) FROM suppression WHERE reason = 3)")
    assert opted == 1
    assert Kind.UNSUBSCRIBED in told.river.told(message)
    assert run("SELECT kind, basis FROM consent") == [(3, "relay")]


async def test_facts_come_in_any_order(told):
    (message,) = await told.sent()
    for event in (UNKNOWN, DELIVERED, failed("generic", 450, "later", "temporary"), UNKNOWN):
        assert (await told.mailgun(event, message)).status_code == 200
    assert told.river.state(message) is State.BOUNCED
    assert sorted(told.river.told(message)) == sorted([Kind.SENT, Kind.BOUNCED, Kind.DELIVERED, Kind.DEFERRED])


async def test_the_forms_of_the_older_webhooks_count_too(told):
    (message,) = await told.sent()
    fields = {"event": "bounced", "code": "550", "error": "5.1.1 no such user", "recipient": ANN,
              "troth": told.token(message), **relay.mailgun_signature()}  # fmt: skip
    answer = await told.post("/hooks/mailgun", urlencode(fields).encode(), "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert told.river.suppressed(ANN) == [(1, f"smtp:{message}")]


# ---- refused


@pytest.mark.parametrize(("hours", "least", "most"), [(2, 7_199, 7_300), (300, 86_399, 86_500), (-2, 0, 60)])
async def test_what_the_relay_kept_back_counts_as_time_that_a_complaint_waited(told, hours, least, most):
    (message,) = await told.sent()
    at = time.time() - 3_600 * hours
    assert (await told.mailgun({"event": "complained", "id": "c1", "timestamp": at}, message)).status_code == 200
    [(waited,)] = told.river.database.run("SELECT extract(epoch FROM at - came_at)::int FROM complaint")
    assert least <= waited <= most


async def refused(told, answer, code, status):
    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (status, code, f"/problems/{code}")
    assert body["detail"].endswith(".")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_wrong_signature_changes_nothing(told):
    (message,) = await told.sent()
    await refused(told, await told.mailgun(UNKNOWN, message, key="x" * 32), "webhook-forged", 403)
    body = json.loads(relay.mailgun({**UNKNOWN, "user-variables": {"troth": told.token(message)}}))
    for change in ({"signature": ""}, {"signature": "é" * 64}, {"timestamp": ""}, {"token": ""}, {"token": "y" * 50}):
        altered = {**body, "signature": {**body["signature"], **change}}
        answer = await told.post("/hooks/mailgun", json.dumps(altered).encode())
        await refused(told, answer, "webhook-forged", 403)
    told.untouched(message)
    assert told.counted() == {}


async def test_a_replay_changes_nothing_with_the_same_body_or_another(told):
    (message,) = await told.sent()
    kept = {"at": time.time(), "token": "t" * 50}
    assert (await told.mailgun({"event": "opened", "id": "o"}, message, **kept)).status_code == 200
    await refused(told, await told.mailgun({"event": "opened", "id": "o"}, message, **kept), "webhook-replayed", 406)
    await refused(told, await told.mailgun(UNKNOWN, message, **kept), "webhook-replayed", 406)
    told.untouched(message)


async def test_a_call_that_broke_off_is_taken_when_it_comes_again_but_not_with_another_body(told):
    (message,) = await told.sent()
    kept = {"at": time.time(), "token": "t" * 50}
    assert (await told.mailgun(DELIVERED, message, **kept)).status_code == 200
    told.river.database.fill("UPDATE relay_call SET done = false")  # as after a death between the commits
    await refused(told, await told.mailgun(UNKNOWN, message, **kept), "webhook-replayed", 406)
    assert (await told.mailgun(DELIVERED, message, **kept)).status_code == 200
    assert (await told.mailgun(DELIVERED, message, **kept)).status_code == 406
    assert told.river.told(message) == [Kind.SENT, Kind.DELIVERED]


async def test_an_old_signature_and_one_of_the_future_change_nothing(told):
    (message,) = await told.sent()
    for seconds in (-16 * 60, 6 * 60, -86_400, -60 * 60 * 24 * 3650, 10**9):
        await refused(told, await told.mailgun(UNKNOWN, message, at=time.time() + seconds), "webhook-old", 403)
    told.untouched(message)
    assert (await told.mailgun(UNKNOWN, message, at=time.time() - 14 * 60)).status_code == 200


async def test_the_true_time_counts_where_the_clock_was_moved(told):
    (message,) = await told.sent()
    told.later(hours=5)
    assert (await told.mailgun(DELIVERED, message)).status_code == 200


async def test_without_our_token_nothing_is_changed_and_it_is_counted(told):
    (message,) = await told.sent()
    good = told.token(message)
    for token in ("", good[:-1] + ("a" if good[-1] != "a" else "b"), good[:30], "b" + "a" * 57, None, {"a": 1}):
        event = {**UNKNOWN, "user-variables": {"troth": token}, "message": {"headers": {"message-id": "x@y"}}}
        assert (await told.mailgun(event)).status_code == 200
    assert (await told.mailgun({**UNKNOWN, "user-variables": {"troth": told.token(message, -1)}})).status_code == 200
    told.untouched(message)
    assert told.counted() == {"no-token": 7}


async def test_a_token_of_a_message_that_is_gone_is_counted(told):
    (message,) = await told.sent()
    told.river.database.fill("DELETE FROM event")
    told.river.database.fill("DELETE FROM message_body")
    told.river.database.fill("DELETE FROM message")
    assert (await told.mailgun(UNKNOWN, message)).status_code == 200
    assert told.counted() == {"no-message": 1}


async def test_the_return_path_is_our_token_too(told):
    (message,) = await told.sent()
    event = {**UNKNOWN, "envelope": {"sender": f"{told.token(message)}@bounce.home.example"}}
    assert (await told.mailgun(event)).status_code == 200
    assert told.river.state(message) is State.BOUNCED


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'{"event-data": 1}', b"\xff", b'{"event-data": ' + b"[" * 200_000, b"{}"]
)
async def test_what_is_no_webhook_is_told_so(told, body):
    await refused(told, await told.post("/hooks/mailgun", body), "webhook-unreadable", 406)


async def test_other_methods_large_bodies_and_no_keys(told):
    async with told.client() as client:
        answer = await client.get("/hooks/mailgun", headers={"accept": "application/problem+json"})
        assert answer.headers["allow"] == "POST"
        assert answer.headers["content-type"] == "application/problem+json"
        await refused(told, answer, "method-not-allowed", 405)
    await refused(told, await told.post("/hooks/mailgun", b"x" * 600_000), "body-too-large", 413)
    told.keys.clear()
    await refused(told, await told.mailgun(UNKNOWN), "not-found", 404)


async def test_two_keys_at_once_for_a_rotation(told):
    (message,) = await told.sent()
    told.keys.append(b"another-key-of-enough-length")
    assert (await told.mailgun(DELIVERED, message)).status_code == 200
    assert (await told.mailgun(UNKNOWN, message, key="another-key-of-enough-length")).status_code == 200


async def test_while_the_store_is_away_it_is_to_come_again(told):
    (message,) = await told.sent()

    def away():
        raise TimeoutError

    lend, object_ = told.deps.lend, told.deps
    object.__setattr__(object_, "lend", away)
    answer = await told.mailgun(UNKNOWN, message)
    await refused(told, answer, "store-unavailable", 503)
    assert answer.headers["retry-after"] == "60"
    object.__setattr__(object_, "lend", lend)
    told.untouched(message)


async def test_a_message_on_the_wire_is_told_of_later(told, monkeypatch):
    monkeypatch.setattr("troth.flow.feedback.outcome.WAITS", ())
    (message,) = told.river.queue(ANN)
    told.river.database.fill("UPDATE spool SET state = 4")
    told.river.database.fill("UPDATE message SET state = 4")
    full = failed("bounce", 552, "5.2.2 mailbox full")
    await refused(told, await told.mailgun(full, message), "webhook-early", 503)
    assert told.river.told(message) == []


async def test_six_at_once_are_one(told):
    (message,) = await told.sent()
    body = relay.mailgun({**UNKNOWN, "user-variables": {"troth": told.token(message)}})
    answers = await asyncio.gather(*(told.post("/hooks/mailgun", body) for _ in range(6)))
    assert {each.status_code for each in answers} <= {200, 406}
    assert told.river.told(message) == [Kind.SENT, Kind.BOUNCED]
    assert (await told.post("/hooks/mailgun", body)).status_code == 406
