"""Reading back through the door: one email, pages of them, and only one's own."""

import asyncio

import pytest
from tests.flow.submission.doors import add_key, client_of, email
from tests.support.firm import TEMPLATE, make_firm

from troth.flow.submission.request_log import Note, RequestLog

RAW = {
    "to": ["Ann Example <ann@example.net>"], "cc": "bob@example.net", "bcc": ["eve@example.net"], "subject": "Hello",
    "html": "<p>Hello</p>", "text": "Hello", "reply_to": "office@example.com",
    "tags": [{"name": "category", "value": "rent"}, {"name": "batch", "value": "7"}],
}  # fmt: skip


async def test_an_email_is_read_as_it_was_asked(door):
    door.firm.person("eve@example.net")
    email_id = (await door.post(json=RAW)).json()["id"]
    found = (await door.client.get(f"/emails/{email_id}")).json()
    assert found["object"] == "email"
    assert found["id"] == email_id
    assert found["to"] == ["Ann Example <ann@example.net>"]
    assert (found["cc"], found["bcc"], found["reply_to"]) == (
        ["bob@example.net"],
        ["eve@example.net"],
        ["office@example.com"],
    )
    assert found["from"] == "Firm firm <rent@mail.firm.example>"
    assert (found["subject"], found["html"], found["text"]) == ("Hello", "<p>Hello</p>", "Hello")
    assert found["tags"] == RAW["tags"]
    assert found["created_at"].endswith("Z")
    assert (found["last_event"], found["scheduled_at"]) == ("queued", None)
    assert {m["recipient"] for m in found["troth"]["messages"]} == {
        "ann@example.net",
        "bob@example.net",
        "eve@example.net",
    }
    assert [e["type"] for e in found["troth"]["messages"][0]["events"]] == ["accepted"]


async def test_clients_send_a_body_with_get(door):
    email_id = (await door.post(json=email())).json()["id"]
    answer = await door.client.request("GET", f"/emails/{email_id}", json={})
    assert answer.json()["id"] == email_id
    assert (await door.client.head(f"/emails/{email_id}")).status_code == 200


async def test_an_erased_recipient_is_null(door):
    email_id = (await door.post(json={**RAW, "bcc": []})).json()["id"]
    for address in ("ann@example.net", "bob@example.net"):
        before = (await door.client.get(f"/emails/{email_id}")).json()
        assert before["subject"] == "Hello"
        door.erase(door.firm.people[address])
        after = (await door.client.get(f"/emails/{email_id}")).json()
        assert None in after["to"] + after["cc"]
        assert address not in str(after)
    assert (after["from"], after["subject"], after["to"]) == (None, None, [None])
    assert [m["recipient"] for m in after["troth"]["messages"]] == [None, None]


async def test_scheduled_mail_says_so(door):
    email_id = (await door.post(json=email(scheduled_at="in 3 hours"))).json()["id"]
    found = (await door.client.get(f"/emails/{email_id}")).json()
    assert found["last_event"] == "scheduled"
    assert found["scheduled_at"].endswith("Z")


async def test_pages_newest_first_with_cursors(door):
    ids = [(await door.post(json=email())).json()["id"] for _ in range(5)][::-1]
    first = (await door.client.get("/emails", params={"limit": 2})).json()
    assert (first["object"], first["has_more"]) == ("list", True)
    assert {e["id"] for e in first["data"]} <= set(ids)
    seen, cursor = [e["id"] for e in first["data"]], first["data"][-1]["id"]
    while True:
        page = (await door.client.get("/emails", params={"limit": 2, "after": cursor})).json()
        seen += [e["id"] for e in page["data"]]
        if not page["has_more"]:
            break
        cursor = page["data"][-1]["id"]
    assert sorted(seen) == sorted(ids)
    assert seen == sorted(ids, reverse=True)
    newer = (await door.client.get("/emails", params={"limit": 2, "before": seen[3]})).json()
    assert ([e["id"] for e in newer["data"]], newer["has_more"]) == (seen[1:3], True)
    newest = (await door.client.get("/emails", params={"before": seen[1]})).json()
    assert ([e["id"] for e in newest["data"]], newest["has_more"]) == (seen[:1], False)
    assert "html" not in first["data"][0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "bad-value"), ("limit=101", "bad-value"), ("limit=x", "bad-value"), ("limit=-1", "bad-value"),
        ("limit=%D9%A3", "bad-value"), ("after=x", "invalid-cursor"), ("before=rcp_a_" + "0" * 32, "invalid-cursor"),
        ("page=2", "unknown-field"),
        ("after=em_a_" + "0" * 32 + "&before=em_a_" + "0" * 32, "bad-value"),
    ],
)  # fmt: skip
async def test_a_bad_query(door, query, code):
    answer = await door.client.get(f"/emails?{query}")
    assert answer.json()["code"] == code


async def test_another_firms_email_is_as_missing_as_none(operator, door):
    email_id = (await door.post(json=email())).json()["id"]
    other = make_firm(operator, "other")
    key, _ = add_key(operator, other, "their-own")
    async with client_of(door.app, key.text) as client:
        theirs = await client.get(f"/emails/{email_id}")
        nobodys = await client.get("/emails/em_a_" + "0" * 32)
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json()["detail"] == nobodys.json()["detail"]
        assert (await client.get("/emails")).json()["data"] == []
        assert (await client.post(f"/emails/{email_id}/cancel")).status_code == 404
    assert (await door.client.get(f"/emails/{email_id}")).json()["last_event"] == "queued"


async def test_reads_are_logged_in_a_moment(door):
    email_id = (await door.post(json=email())).json()["id"]
    await door.client.get(f"/emails/{email_id}")
    await door.client.get("/emails")
    await door.client.get("/emails?limit=0")
    await asyncio.sleep(0.3)
    assert sorted(door.requests()[1:], key=str) == [
        ("GET", "/emails", 200, None), ("GET", "/emails", 422, "bad-value"), ("GET", "/emails/{id}", 200, None)]  # fmt: skip
    assert door.rows("SELECT count(email_id) FROM api_request") == [(2,)]


async def test_a_full_log_drops_reads_and_a_lost_store_loses_them(door, capsys):
    log = RequestLog(door.deps.lend)
    note = Note(door.firm.tenant, None, "GET", "/emails", 200)
    for _ in range(10_001):
        log.tell(note)
    assert "request_log_full" in capsys.readouterr().out
    await log.stop()  # never started: it still writes what waits
    assert door.count("api_request") == 10_000

    def away():
        raise TimeoutError

    lost = RequestLog(away)
    lost.tell(note)
    await lost.stop()
    assert "request_log_lost" in capsys.readouterr().out


def sent(door, email_id, state=5):
    """As if a worker had sent it."""
    with door.operator.database.filler() as filler:
        filler.execute("UPDATE message SET state = %s WHERE email_id = %s", (state, email_id.removeprefix("em_a_")))


async def test_a_template_is_shown_as_it_was_approved_then_once_it_was_sent_as_it_was_read(door):
    email_id = (await door.post(json=email())).json()["id"]
    waiting = (await door.client.get(f"/emails/{email_id}")).json()
    assert waiting["template"] == {"id": "reminder", "version": 1, "variables": {"name": "Ann"}}
    assert (waiting["subject"], waiting["html"]) == (None, None)
    sent(door, email_id)
    read = (await door.client.get(f"/emails/{email_id}")).json()
    assert (read["subject"], read["last_event"]) == ("Rent, Ann", "sent")
    assert read["html"] == "<p>Dear Ann, the rent is due.</p>"
    assert (await door.client.get("/emails")).json()["data"][0]["subject"] == "Rent, Ann"
    (message,) = read["troth"]["messages"]
    assert message["message_id"] == f"<{message['id'].removeprefix('msg_a_')}@mail.firm.example>"


async def test_a_template_that_cannot_be_rendered_any_more_is_null(door):
    template = {"category": "rent", "subject": "{{ list[2] }}", "text": "x", "targeting": {},
                "schema": {"list": {"type": "list", "max_items": 5, "items": {"type": "string", "max_length": 9}}}}  # fmt: skip
    door.operator.govern("template", door.firm.tenant, "listed", template)
    answer = await door.post(json=email(template={"id": "listed", "variables": {"list": ["a"]}}))
    assert answer.status_code == 200, answer.text
    sent(door, answer.json()["id"])
    found = (await door.client.get(f"/emails/{answer.json()['id']}")).json()
    assert (found["subject"], found["template"]["id"]) == (None, "listed")


async def test_the_shelf_keeps_only_so_many(door, monkeypatch):
    monkeypatch.setattr("troth.flow.submission.shelf._KEEP", 1)
    door.operator.govern("template", door.firm.tenant, "second", TEMPLATE)
    for template in ("reminder", "second", "reminder"):
        email_id = (await door.post(json=email(template={"id": template, "variables": {"name": "Ann"}}))).json()["id"]
        assert (await door.client.get(f"/emails/{email_id}")).json()["template"]["id"] == template
    assert len(door.deps.shelf._kept) == 1
