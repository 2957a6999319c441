"""The relay's webhooks through the door as a process: real HTTP, keys in a file that changes under it, an SNS of our own."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time

import psycopg
import pytest
from tests.support import relay

from troth.cli.relaying import KeyFile, KeysAway, keys_of, relays
from troth.settings import Settings

EVENT = {"event": "delivered", "id": "d1", "user-variables": {"troth": "b" + "a" * 57}}


@pytest.fixture
def sns(tmp_path):
    one = relay.OwnSns(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def door(desk, monkeypatch, tmp_path, sns):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    keys = tmp_path / "mailgun.keys"
    keys.write_text(f"# ours\n{relay.KEY}  # since spring\n")
    for name, value in (("HTTP_PORT", port), ("MAILGUN_SIGNING_KEY_FILE", keys), ("SES_TOPICS", relay.TOPIC),
                        ("SNS_TEST_ORIGIN", sns.origin), ("SNS_TEST_CA_FILE", sns.ca)):  # fmt: skip
        monkeypatch.setenv(f"TROTH_{name}", str(value))
    process = subprocess.Popen([sys.executable, "-m", "troth.cli", "serve", "door"], stdout=subprocess.PIPE)

    def post(path, body, kind="application/json"):
        there = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            there.request("POST", path, body, {"Content-Type": kind})
            got = there.getresponse()
            return got.status, json.loads(got.read())
        finally:
            there.close()

    for _ in range(600):
        assert process.poll() is None, process.stdout.read().decode()
        try:
            post("/hooks/mailgun", b"")
        except OSError:
            time.sleep(0.05)
        else:
            break
    post.keys = keys
    yield post
    process.kill()
    process.communicate()


def rows(query):
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as admin:
        return admin.execute(query).fetchall()


def test_calls_are_believed_once_by_a_key_of_the_file_as_it_is_now(door, sns):
    body = relay.mailgun(EVENT)
    assert door("/hooks/mailgun", body) == (200, {"status": "taken"})
    status, told = door("/hooks/mailgun", body)
    assert (status, told["code"]) == (406, "webhook-replayed")
    assert door("/hooks/mailgun", relay.mailgun(EVENT, at=time.time() - 3600))[1]["code"] == "webhook-old"
    other = "key-of-the-other-account-in-europe"
    assert door("/hooks/mailgun", relay.mailgun(EVENT, key=other))[1]["code"] == "webhook-forged"
    door.keys.write_text(f"{relay.KEY}\n{other}\n")
    assert door("/hooks/mailgun", relay.mailgun(EVENT, key=other))[0] == 200
    door.keys.unlink()
    assert door("/hooks/mailgun", relay.mailgun(EVENT))[1]["code"] == "store-unavailable"
    assert rows("SELECT relay, outcome, n FROM troth.relay_count") == [("mailgun", "no-token", 2)]
    assert rows("SELECT count(*) FROM troth.suppression") == [(0,)]
    confirmation = sns.message("Subscribe.", kind="SubscriptionConfirmation")
    assert door("/hooks/ses", confirmation) == (200, {"status": "confirmed"})
    assert door("/hooks/ses", sns.message({"eventType": "Open"})) == (200, {"status": "taken"})
    assert any("ConfirmSubscription" in path for path in sns.asked)


def test_a_file_of_keys(tmp_path):
    assert KeyFile(None)() == ()
    path = tmp_path / "keys"
    file = KeyFile(path)
    with pytest.raises(KeysAway):
        file()
    path.write_text(f"{relay.KEY}\n\nshort\n# {relay.KEY}x\n")
    assert file() == (relay.KEY.encode(),)
    assert file() == keys_of(path.read_text())
    assert relay.KEY not in repr(file)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(KeysAway):
        file()


def test_in_production_the_certificates_of_sns_are_asked_of_sns_alone():
    made = relays(Settings(ses_topics=(relay.TOPIC,)))
    assert made.sns.origin is None
    assert made.sns.client.guard.allow == ()
    assert not made.sns.client.guard.plain_http
