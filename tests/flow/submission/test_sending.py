"""Sending through the door, with the real gate and database behind it."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.submission.doors import add_key, add_system_tenant, client_of, email

RAW = {"to": "ann@example.net", "subject": "Hello", "text": "Hello", "tags": [{"name": "category", "value": "rent"}]}


async def test_one_email(door):
    answer = await door.post(json=email())
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["id"]
    assert answer.json()["id"].startswith("em_a_")
    assert door.count("email") == door.count("spool") == 1
    assert door.requests() == [("POST", "/emails", 200, None)]


async def test_the_answer_tells_what_is_left_and_names_no_server(door):
    headers = (await door.post(json=email())).headers
    assert headers["ratelimit-policy"].count(";q=1000000;w=") == 4
    assert '"tenant-hour";r=999999;t=' in headers["ratelimit"]
    assert headers["ratelimit-remaining"] == "999999"
    assert 0 < int(headers["ratelimit-reset"]) <= 86_400
    assert headers["x-request-id"].startswith("req_")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


async def test_a_batch_is_all_or_nothing_or_permissive(door):
    batch = [email(), email("stranger@example.net"), {**email(), "sbject": 1}, email([]), email("bob@example.net")]
    strict = await door.post("/emails/batch", json=batch[:2])
    assert (strict.status_code, strict.json()["code"], strict.json()["index"]) == (422, "recipient-unverified", 1)
    assert strict.json()["field"].startswith("[1]")
    shape = await door.post("/emails/batch", json=batch)
    assert (shape.json()["code"], shape.json()["field"], shape.json()["index"]) == ("unknown-field", "[2].sbject", 2)
    assert door.count("email") == 0
    permissive = await door.post("/emails/batch", json=batch, headers={"x-batch-validation": "permissive"})
    assert permissive.status_code == 200, permissive.text
    assert len(permissive.json()["data"]) == 2
    assert [(e["index"], e["code"]) for e in permissive.json()["errors"]] == [
        (1, "recipient-unverified"), (2, "unknown-field"), (3, "no-recipient")]  # fmt: skip
    assert door.count("email") == 2


async def test_a_permissive_batch_of_which_the_gate_takes_none(door):
    batch = [{"to": 1}, email("stranger@example.net")]
    answer = await door.post("/emails/batch", json=batch, headers={"x-batch-validation": "permissive"})
    assert (answer.status_code, answer.json()["index"]) == (422, 1)
    only = await door.post("/emails/batch", json=[{"to": 1}, {}], headers={"x-batch-validation": "permissive"})
    assert only.status_code == 200
    assert only.json()["data"] == []
    assert [e["field"] for e in only.json()["errors"]] == ["to", "to"]


@pytest.mark.parametrize(
    ("batch", "code"), [([], "empty-batch"), ([email()] * 21, "batch-too-large"), ({}, "bad-type")]
)
async def test_a_batch_of_a_wrong_size(door, batch, code):
    assert (await door.post("/emails/batch", json=batch)).json()["code"] == code


async def test_a_batch_mode_is_one_of_two(door):
    answer = await door.post("/emails/batch", json=[email()], headers={"x-batch-validation": "lenient"})
    assert answer.json()["code"] == "bad-value"


async def test_a_sentence_says_when_in_the_firms_own_zone(door):
    answer = await door.post(json=email(scheduled_at="in 2 hours"))
    assert answer.status_code == 200, answer.text
    due = door.rows("SELECT scheduled_at FROM email")[0][0]
    assert abs(due - datetime.now(UTC) - timedelta(hours=2)) < timedelta(seconds=30)
    assert (await door.post(json=email(scheduled_at="whenever"))).json()["code"] == "schedule-unreadable"
    assert (await door.post(json=email(scheduled_at="2020-01-01T00:00Z"))).json()["code"] == "schedule-in-past"


async def test_the_same_key_gives_the_same_answer_and_one_email(door):
    headers = {"idempotency-key": "rent-2026-12"}
    answers = await asyncio.gather(*(door.post(json=email(), headers=headers) for _ in range(1000)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.text for a in answers}) == 1
    assert door.count("email") == 1
    assert sum(a.headers.get("idempotent-replayed") == "true" for a in answers) == 999
    spaced = b'{ "template":{"variables":{"name":"Ann"}, "id":"reminder"},"to":"ann@example.net" }'
    again = await door.client.post("/emails", content=spaced, headers={**headers, "content-type": "application/json"})
    assert again.text == answers[0].text
    other = await door.post(json=email("bob@example.net"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-mismatch")
    route = await door.post("/emails/batch", json=[email()], headers=headers)
    assert route.json()["code"] == "idempotency-mismatch"


async def test_a_batch_is_replayed_with_its_errors(door):
    headers = {"idempotency-key": "b", "x-batch-validation": "permissive"}
    batch = [email(), email("stranger@example.net"), {"to": 1}]
    first = await door.post("/emails/batch", json=batch, headers=headers)
    again = await door.post("/emails/batch", json=batch, headers=headers)
    assert first.status_code == 200
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 257, "a\tb", "é"])
async def test_an_idempotency_key_that_cannot_be_used(door, key):
    answer = await door.post(json=email(), headers={"idempotency-key": key.encode()})
    assert answer.json()["code"] == "bad-idempotency-key"


async def test_two_idempotency_keys_are_none(door):
    headers = [*door.client.headers.multi_items(), ("idempotency-key", "a"), ("idempotency-key", "b")]
    answer = await door.client.post("/emails", json=email(), headers=headers)
    assert answer.json()["code"] == "bad-idempotency-key"


async def test_a_spent_rate_says_when(operator, door):
    key, _ = add_key(operator, door.firm, "small", policy={"limits": {"key_hour": 1}})
    async with client_of(door.app, key.text) as client:
        assert (await client.post("/emails", json=email())).headers["ratelimit-remaining"] == "0"
        spent = await client.post("/emails", json=email("bob@example.net"))
    assert (spent.status_code, spent.json()["name"]) == (429, "rate_limit_exceeded")
    assert int(spent.headers["retry-after"]) == int(spent.headers["ratelimit-reset"]) > 0
    assert spent.headers["ratelimit-remaining"] == "0"
    assert spent.json()["decision"]


def windows(answer) -> dict[str, dict[str, int]]:
    """A list of strings with parameters (RFC 9651, sections 3.1 and 3.1.2)."""
    found = {}
    for entry in answer.headers["ratelimit"].split(", "):
        name, *parameters = entry.split(";")
        assert name.startswith('"')
        assert name.endswith('"')
        found[name.strip('"')] = {key: int(value) for key, _, value in (p.partition("=") for p in parameters)}
    return found


async def test_every_answer_says_what_is_left_of_each_window_and_when_it_is_full_again(operator, door):
    key, _ = add_key(operator, door.firm, "few", policy={"limits": {"key_hour": 3}})
    async with client_of(door.app, key.text) as client:
        first = await client.post("/emails", json=email())
        again = await client.post("/emails/batch", json=[email(), email()])
        refused = await client.post("/emails", json=email("stranger@example.net"))
    assert [windows(a)["key-hour"]["r"] for a in (first, again)] == [2, 0]
    assert '"key-hour";q=3;w=3600' in first.headers["ratelimit-policy"]
    assert '"tenant-day";q=1000000;w=86400' in first.headers["ratelimit-policy"]
    assert 0 < windows(first)["key-hour"]["t"] <= 3600
    assert 0 < windows(first)["tenant-day"]["t"] <= 25 * 3600
    assert set(windows(first)) == {"key-hour", "tenant-hour", "tenant-day", "template-hour"}
    assert "retry-after" not in first.headers
    assert refused.status_code == 422


async def test_a_refused_batch_took_nothing_and_the_answer_says_so(operator, door):
    key, _ = add_key(operator, door.firm, "two", policy={"limits": {"key_hour": 2}})
    async with client_of(door.app, key.text) as client:
        spent = await client.post("/emails/batch", json=[email(), email(), email()])
        assert (spent.status_code, windows(spent)["key-hour"]["r"]) == (429, 2)
        assert (await client.post("/emails/batch", json=[email(), email()])).status_code == 200


async def test_retry_after_waits_for_the_last_window_that_is_spent(operator, door):
    """The day's is spent, too: who came back after the hour would come in vain."""
    key, _ = add_key(operator, door.firm, "both", policy={"limits": {"key_hour": 1, "tenant_day": 1}})
    async with client_of(door.app, key.text) as client:
        assert (await client.post("/emails", json=email())).status_code == 200
        spent = await client.post("/emails", json=email())
    left = windows(spent)
    assert spent.status_code == 429
    assert int(spent.headers["retry-after"]) == max(left["key-hour"]["t"], left["tenant-day"]["t"])
    assert spent.json()["retry_after"] == int(spent.headers["retry-after"])
    assert spent.headers["ratelimit-remaining"] == "0"


async def test_cancel_and_reschedule(door):
    sent = (await door.post(json=email(scheduled_at="2099-01-01T00:00:00Z"))).json()
    assert sent["code"] == "schedule-too-far"
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    email_id = (await door.post(json=email(scheduled_at=later))).json()["id"]
    moved = await door.client.patch(f"/emails/{email_id}", json={"id": email_id, "scheduled_at": "in 2 days"})
    assert (moved.status_code, moved.json()) == (200, {"object": "email", "id": email_id})
    for wrong, code in (({"scheduled_at": "2020-01-01T00:00Z"}, "schedule-in-past"), ({}, "missing-field"),
                        ({"scheduled_at": "in 40 days"}, "schedule-too-far"), ({"scheduled_at": 1}, "bad-type")):  # fmt: skip
        assert (await door.client.patch(f"/emails/{email_id}", json=wrong)).json()["code"] == code
    called_back = await door.post(f"/emails/{email_id}/cancel", json={})
    assert called_back.json() == {"object": "email", "id": email_id}
    assert (await door.client.get(f"/emails/{email_id}")).json()["last_event"] == "canceled"
    again = await door.client.post(f"/emails/{email_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "not-cancellable")
    assert again.json()["detail"] == "It is cancelled already."
    late = await door.client.patch(f"/emails/{email_id}", json={"scheduled_at": "in 2 days"})
    assert (late.status_code, late.json()["code"]) == (409, "not-reschedulable")
    assert late.json()["detail"] == "It is cancelled already."


async def test_what_ended_otherwise_is_not_called_cancelled(door):
    index = door.firm.index("bob@example.net")
    door.operator.admin.execute(
        "SELECT suppress_v1(%s,%s::smallint[],%s,%s::uuid[],%s::bytea[])", ([index], [1], ["t"], [None], [None])
    )
    sent = (await door.post(json={**RAW, "to": "bob@example.net"})).json()
    answer = await door.client.post(f"/emails/{sent['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-cancellable")
    assert "was sent, is being sent, or has ended" in answer.json()["detail"]


async def test_a_new_time_is_counted_in_its_own_window(operator, door):
    key, _ = add_key(operator, door.firm, "small", policy={"limits": {"key_hour": 1}})
    async with client_of(door.app, key.text) as client:
        one = await client.post("/emails", json=email(scheduled_at="tomorrow at 9am"))
        await client.post("/emails", json=email("bob@example.net", scheduled_at="tomorrow at 11am"))
        full = await client.patch(f"/emails/{one.json()['id']}", json={"scheduled_at": "tomorrow at 11am"})
    assert (full.status_code, full.json()["code"]) == (429, "rate-limited")


@pytest.mark.parametrize("path", ["/emails/em_a_" + "0" * 32, "/emails/nonsense", "/emails/rcp_a_" + "0" * 32])
async def test_an_email_that_is_not_there(door, path):
    for answer in (await door.client.get(path), await door.client.post(f"{path}/cancel"),
                   await door.client.patch(path, json={"scheduled_at": "in 1 hour"})):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_raw_content_and_a_suppressed_recipient(door):
    index = door.firm.index("bob@example.net")
    door.operator.admin.execute(
        "SELECT suppress_v1(%s,%s::smallint[],%s,%s::uuid[],%s::bytea[])", ([index], [1], ["t"], [None], [None])
    )
    answer = await door.post(json={**RAW, "to": ["ann@example.net", "bob@example.net"]})
    assert answer.status_code == 200, answer.text
    found = (await door.client.get(f"/emails/{answer.json()['id']}")).json()
    assert found["last_event"] == "suppressed"
    assert {m["recipient"]: m["state"] for m in found["troth"]["messages"]} == {
        "ann@example.net": "queued", "bob@example.net": "suppressed"}  # fmt: skip


@pytest.mark.parametrize("registered", [False, True])
async def test_nobody_learns_from_a_refusal_that_a_stranger_is_on_the_list(door, registered):
    system = add_system_tenant(door.operator, door.firm)
    if registered:
        assert (await door.post("/recipients", json={"email": "eve@example.net"})).status_code == 201
    index, other = door.firm.index("eve@example.net"), system
    before = await door.post(json={**RAW, "to": "eve@example.net"})
    door.operator.admin.execute(
        "SELECT suppress_v1(%s,%s::smallint[],%s,%s::uuid[],%s::bytea[])", ([index], [2], ["t"], [other], [None])
    )
    after = await door.post(json={**RAW, "to": "eve@example.net"})
    age = re.compile(r'\d+(?= seconds? ago)|(?<="age_seconds":)\d+')  # a second may have begun in between
    told, was = (
        {k: v for k, v in json.loads(age.sub("0", answer.text)).items() if k != "instance"}
        for answer in (after, before)
    )
    assert (after.status_code, told["code"]) == (422, "recipient-unverified")
    assert told == was
    assert "not_suppressed" not in after.text


async def test_the_answers_that_carry_what_is_left(door):
    """As docs/limits.md says: whatever the gate itself judged, and nothing else."""
    add_system_tenant(door.operator, door.firm)
    once = {"idempotency-key": "k"}
    await door.post(json=email(), headers=once)
    judged = [
        await door.post(json=email()), await door.post(json=email("stranger@example.net")),
        await door.post(json={**email(), "template": {"id": "none", "variables": {}}}),
    ]  # fmt: skip
    others = [
        await door.post(json=email(scheduled_at="whenever")), await door.post(json={"zzzz": 1}),
        await door.post(json={**RAW, "to": "ann@example.net", "tags": [{"name": "category", "value": "none"}]}),
        await door.post(json=email(), headers=once), await door.post("/recipients", json={"email": "new@example.net"}),
    ]  # fmt: skip
    assert [a.json().get("code") for a in judged[1:]] == ["recipient-unverified", "unknown-template"]
    assert [a.status_code for a in others] == [422, 422, 422, 200, 201]
    assert ["ratelimit" in a.headers for a in judged] == [True] * 3
    assert ["ratelimit" in a.headers for a in others] == [False] * 5
