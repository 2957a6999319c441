"""`troth webhook`: an operator adds, tests, rotates, replays and removes; mistakes are one sentence and change nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from standardwebhooks import Webhook
from tests.support.receiver import Receiver


@pytest.fixture
def open_desk(desk, monkeypatch):
    monkeypatch.setenv("TROTH_WEBHOOK_ALLOW", "127.0.0.0/8")
    yield desk
    for each in desk.json("webhook", "list"):
        desk.ok("webhook", "remove", each["id"])


@pytest.fixture
def receiver():
    """In a loop of its own, since the commands run in this thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = asyncio.run_coroutine_threadsafe(Receiver().start(), loop).result()
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def serving(open_desk):
    process = subprocess.Popen([sys.executable, "-m", "troth.cli", "serve", "webhooks"], stdout=subprocess.PIPE)
    yield process
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out


def ledger():
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as admin:
        query = "SELECT kind, leaf FROM troth.ledger_pending WHERE kind LIKE 'webhook:%' ORDER BY id"
        return [(kind, json.loads(leaf)) for kind, leaf in admin.execute(query).fetchall()]


def test_the_life_of_an_endpoint(open_desk, receiver, serving):
    desk, before = open_desk, len(ledger())
    made = desk.json(
        "webhook", "add", "--tenant", "quill", "--url", receiver.url, "--events", "email.bounced,email.sent"
    )
    assert made["secret"].startswith("whsec_")
    (listed,) = desk.json("webhook", "list", "--tenant", "quill")
    assert (listed["url"], listed["state"], listed["last"]) == (receiver.url, "enabled", "none yet")
    assert listed["events"] == ["email.sent", "email.bounced"]
    assert made["secret"] not in json.dumps(listed)
    tested = desk.json("webhook", "test", made["id"])
    assert (tested["state"], tested["last"], tested["type"]) == ("delivered", "HTTP 200", "webhook.test")
    assert Webhook(made["secret"]).verify(receiver.got[-1].body, receiver.got[-1].headers)["type"] == "webhook.test"
    rotated = desk.json("webhook", "rotate", made["id"])
    desk.ok("webhook", "test", made["id"])
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)
    first = receiver.got[0].id
    assert "1 events go out again" in desk.ok("webhook", "replay", made["id"], "--event", first)
    deadline = time.monotonic() + 10
    while sum(each.id == first for each in receiver.got) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "delivered" in desk.ok("webhook", "show", made["id"])
    desk.ok("webhook", "disable", made["id"])
    assert "disabled (command)" in desk.ok("webhook", "list")
    assert "enable it first" in desk.refused("webhook", "test", made["id"]).lower()
    desk.ok("webhook", "enable", made["id"])
    desk.ok("webhook", "remove", made["id"])
    assert "no such endpoint" in desk.refused("webhook", "show", made["id"])
    entries = ledger()[before:]
    assert [kind.split(":", 1)[1] for kind, _ in entries] == [
        "endpoint:add", "secret:add", "secret:end", "secret:add", "delivery:replay", "endpoint:disable", "endpoint:enable",
        "endpoint:remove"]  # fmt: skip
    assert all(leaf["by"].startswith("command:") for _, leaf in entries)


def test_a_receiver_that_refuses_the_test_is_told_and_counts(open_desk, receiver, serving):
    receiver.answer = (302, {"Location": "http://127.0.0.1:1/"}, b"")
    made = open_desk.json("webhook", "add", "--tenant", "quill", "--url", receiver.url)
    status, out, _ = open_desk.run("webhook", "test", made["id"])
    assert status == 1
    assert "given up: HTTP 302: a redirect is not followed" in out
    (listed,) = open_desk.json("webhook", "list")
    assert listed["state"].startswith("failing since")
    assert len(receiver.got) == 1
    shown = open_desk.json("webhook", "show", made["id"])
    assert (shown["given_up"], shown["deliveries"][0]["attempts"]) == (1, 1)
    assert "given up" in open_desk.ok("webhook", "show", made["id"])
    assert "1 events go out again" in open_desk.ok("webhook", "replay", made["id"], "--failed")


def test_nobody_serves_and_it_is_said(open_desk, monkeypatch):
    made = open_desk.json("webhook", "add", "--tenant", "quill", "--url", "http://127.0.0.1:9/")
    monkeypatch.setattr("troth.cli.commands.webhook._WAIT", 0.2)
    status, out, _ = open_desk.run("webhook", "test", made["id"])
    assert status == 1
    assert "does `troth serve webhooks` run?" in out
    assert open_desk.ok("webhook", "test", made["id"], "--no-wait").startswith("Queued.")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "--tenant", "quill", "--url", "ftp://x.example/"), "Only https"),
        (("add", "--tenant", "quill", "--url", "https://u:p@x.example/"), "user name"),
        (("add", "--tenant", "quill", "--url", "http://10.0.0.1/"), "not a public address"),
        (("add", "--tenant", "quill", "--url", "http://0x7f.1/"), "four decimal numbers"),
        (("add", "--tenant", "nobody", "--url", "https://x.example/"), "There is no client"),
        (("add", "--tenant", "quill", "--url", "http://127.0.0.1:9/", "--events", "email.opened"), "no event 'email.opened'"),
        (("add", "--tenant", "quill", "--url", "http://127.0.0.1:9/", "--events", " , "), "at least one event"),
        (("show", "what"), "is not an endpoint"),
        (("show", "we_a_" + "0" * 32), "no such endpoint"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_changes_nothing(open_desk, words, says):
    assert says in open_desk.refused("webhook", *words)
    assert open_desk.json("webhook", "list") == []


def test_mistakes_about_an_endpoint(open_desk):
    made = open_desk.json("webhook", "add", "--tenant", "quill", "--url", "http://127.0.0.1:9/")["id"]
    assert "Say what to send again" in open_desk.refused("webhook", "replay", made)
    assert "not a time with its zone" in open_desk.refused("webhook", "replay", made, "--since", "yesterday")
    assert "not a time with its zone" in open_desk.refused("webhook", "replay", made, "--since", "2026-11-20T08:00:00")
    assert "neither an event" in open_desk.refused("webhook", "replay", made, "--event", "x")
    assert "not disabled" in open_desk.refused("webhook", "enable", made)
    assert "0 to 168 hours" in open_desk.refused("webhook", "rotate", made, "--overlap-hours", "200")
    assert "0 events" in open_desk.ok("webhook", "replay", made, "--event", "msg_a_" + "0" * 32)
    open_desk.ok("webhook", "disable", made)
    assert "disabled already" in open_desk.refused("webhook", "disable", made)


def test_a_client_has_at_most_ten(open_desk):
    for n in range(10):
        open_desk.ok("webhook", "add", "--tenant", "quill", "--url", f"http://127.0.0.1:9/{n}")
    words = ("add", "--tenant", "quill", "--url", "http://127.0.0.1:9/11")
    assert "at most 10 webhook endpoints" in open_desk.refused("webhook", *words)
    assert len(open_desk.json("webhook", "list")) == 10


def test_a_name_without_an_address_is_added_with_a_warning(open_desk, monkeypatch):
    monkeypatch.setenv("TROTH_DNS_RESOLVERS", "127.0.0.1:9")
    status, _, err = open_desk.run("webhook", "add", "--tenant", "quill", "--url", "https://hooks.example.com/")
    assert status == 0
    assert "The endpoint is added all the same" in err


def test_in_production_nothing_inner_can_be_allowed(desk, monkeypatch):
    monkeypatch.setenv("TROTH_MODE", "production")
    monkeypatch.setenv("TROTH_WEBHOOK_ALLOW", "127.0.0.0/8")
    assert "never reach in production" in desk.refused("settings")
    monkeypatch.delenv("TROTH_WEBHOOK_ALLOW")
    said = desk.refused("webhook", "add", "--tenant", "quill", "--url", "http://hooks.example.com/")
    assert "Only https" in said
    monkeypatch.setenv("TROTH_WEBHOOK_ALLOW", "127.0.0.1/8")
    assert "a list of networks" in desk.refused("settings")
