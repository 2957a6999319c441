"""Resend's own clients, Python's and Node's, against the door on a real port: only the base address is changed."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import resend
import uvicorn
from resend import exceptions as e
from tests.flow.submission.doors import add_key, email

from troth.flow.submission.serving import config

NODE = Path(__file__).parents[2] / "node"
RAW = {"from": "Firm firm <rent@mail.firm.example>", "to": "ann@example.net", "subject": "Hello", "html": "<p>Hello</p>",
       "tags": [{"name": "category", "value": "rent"}]}  # fmt: skip


@contextlib.asynccontextmanager
async def serve(app, **more):
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config(app, "127.0.0.1", 0, lifespan="off", **more))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def port(door):
    async with serve(door.app) as found:
        yield found


@pytest.fixture
def client(door, port, monkeypatch):
    monkeypatch.setattr(resend, "api_url", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(resend, "api_key", door.key.text)


async def call(function, *args):
    return await asyncio.to_thread(function, *args)


async def test_python_sends_reads_lists_moves_and_cancels(client, door):
    sent = await call(resend.Emails.send, RAW | {
        "to": ["ann@example.net"], "cc": "bob@example.net", "reply_to": "office@example.com", "headers": {"X-Note": "1"},
        "attachments": [{"filename": "a.pdf", "content": list(b"%PDF-1.7 x")}]})  # fmt: skip
    got = await call(resend.Emails.get, sent["id"])
    assert (got["id"], got["subject"], got["last_event"]) == (sent["id"], "Hello", "queued")
    batch = await call(resend.Batch.send, [email(), RAW])
    assert len(batch["data"]) == 2
    options = {"batch_validation": "permissive"}
    some = await call(resend.Batch.send, [email(), email("stranger@example.net")], options)
    assert (len(some["data"]), some["errors"][0]["index"]) == (1, 1)
    listed = await call(resend.Emails.list, {"limit": 2})
    assert (len(listed["data"]), listed["has_more"]) == (2, True)
    later = await call(resend.Emails.send, email(scheduled_at="in 1 min"))
    when = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    assert (await call(resend.Emails.update, {"id": later["id"], "scheduled_at": when}))["id"] == later["id"]
    assert (await call(resend.Emails.cancel, later["id"]))["object"] == "email"
    assert (await call(resend.Emails.get, later["id"]))["last_event"] == "canceled"


async def test_python_repeats_itself_safely(client, door):
    options = {"idempotency_key": "rent/7"}
    first, again = [await call(resend.Emails.send, email(), options) for _ in range(2)]
    assert first["id"] == again["id"]
    assert again["http_headers"]["idempotent-replayed"] == "true"


def attached(content):
    return RAW | {"attachments": [{"filename": "a.pdf", "content": content}]}


BAD = [
    (lambda: resend.Emails.send({k: v for k, v in RAW.items() if k != "to"}), e.MissingRequiredFieldsError, 422),
    (lambda: resend.Emails.send({k: v for k, v in RAW.items() if k != "subject"}), e.MissingRequiredFieldsError, 422),
    (lambda: resend.Emails.send(RAW | {"to": []}), e.MissingRequiredFieldsError, 422),
    (lambda: resend.Emails.send(RAW | {"subjct": "x"}), e.ValidationError, 422),
    (lambda: resend.Emails.send(RAW | {"subject": 1}), e.ValidationError, 422),
    (lambda: resend.Emails.send(RAW | {"to": "nobody"}), e.ValidationError, 422),
    (lambda: resend.Emails.send(RAW | {"to": "stranger@example.net"}), e.ValidationError, 422),
    (lambda: resend.Emails.send(RAW | {"subject": "a\r\nBcc: x@evil.example"}), e.ValidationError, 422),
    (lambda: resend.Emails.send(RAW | {"from": "x@elsewhere.example"}), e.ValidationError, 422),
    (lambda: resend.Emails.send(attached("not base64")), e.ValidationError, 422),
    (lambda: resend.Emails.send(attached([300])), e.ValidationError, 422),
    (lambda: resend.Emails.send(email(template={"id": "none"})), e.ValidationError, 422),
    (lambda: resend.Emails.send(email(template={"id": "reminder", "variables": {}})), e.ValidationError, 422),
    (lambda: resend.Emails.send(email(scheduled_at="whenever")), e.ValidationError, 422),
    (lambda: resend.Emails.send(email(), {"idempotency_key": "x" * 257}), e.ValidationError, 400),
    (lambda: resend.Batch.send([]), e.ValidationError, 422),
    (lambda: resend.Emails.list({"limit": 1000}), e.ValidationError, 422),
    (lambda: resend.Emails.list({"after": "x"}), e.ValidationError, 400),
    (lambda: resend.Emails.get("em_a_" + "0" * 32), e.ResendError, 404),
    (lambda: resend.Emails.send(RAW | {"html": "x" * 300_000}), e.ResendError, 413),
]


@pytest.mark.parametrize(("ask", "kind", "code"), BAD)
async def test_python_raises_its_own_typed_errors(client, ask, kind, code):
    with pytest.raises(e.ResendError) as caught:
        await call(ask)
    assert type(caught.value) is kind
    assert int(caught.value.code) == code
    assert caught.value.message


async def test_python_knows_a_missing_a_bad_and_a_revoked_key(client, door, monkeypatch):
    revoked, subject = add_key(door.operator, door.firm, "revoked")
    door.operator.revoke(subject)
    for text, kind in (
        (" ", e.MissingApiKeyError),
        ("re_123", e.InvalidApiKeyError),
        (revoked.text, e.InvalidApiKeyError),
    ):
        monkeypatch.setattr(resend, "api_key", text)
        with pytest.raises(kind):
            await call(resend.Emails.send, RAW)


async def test_python_knows_a_spent_rate(client, door, monkeypatch):
    small, _ = add_key(door.operator, door.firm, "small", policy={"limits": {"key_hour": 1}})
    monkeypatch.setattr(resend, "api_key", small.text)
    await call(resend.Emails.send, email())
    with pytest.raises(e.RateLimitError) as caught:
        await call(resend.Emails.send, email())
    assert int(caught.value.headers["retry-after"]) > 0
    assert caught.value.headers["ratelimit-remaining"] == "0"


# ---- Node ----


def node_modules():
    """Node's client, installed beside its script (no lock file: it would name download addresses)."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("not run: needs node and npm")
    if not (NODE / "node_modules" / "resend").is_dir():
        subprocess.run(
            [shutil.which("npm"), "install", "--no-audit", "--no-fund"], cwd=NODE, check=True, capture_output=True
        )


async def test_node_does_the_same(door, port):
    revoked, subject = add_key(door.operator, door.firm, "revoked")
    door.operator.revoke(subject)
    await call(node_modules)
    command = [shutil.which("node"), "client.mjs", f"http://127.0.0.1:{port}", door.key.text, revoked.text]
    ran = await call(lambda: subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=60))
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    bad = said.pop("bad")
    once = said.pop("once")
    assert [name for name, answer in said.items() if answer["error"]] == []
    assert once[0]["data"]["id"] == once[1]["data"]["id"]
    assert said["got"]["data"]["subject"] == "Hello"
    assert said["listed"]["data"]["has_more"] is True
    assert said["permissive"]["data"]["errors"][0]["index"] == 1
    assert len(bad) >= 10
    for code, answer in bad.items():
        assert answer["data"] is None, code
        assert answer["error"]["code"] == code
        assert answer["error"]["statusCode"] >= 400
    names = {answer["error"]["name"] for answer in bad.values()}
    assert {"missing_api_key", "invalid_api_key", "missing_required_field", "validation_error", "not_found"} <= names


# ---- the server itself ----


async def raw_exchange(port, *parts, pause=0.0):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_no_banner_and_keep_alive(port):
    answer = await raw_exchange(
        port, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    assert answer.count(b"HTTP/1.1 200") == 2
    assert b"\nserver:" not in answer.lower()


async def test_a_slow_head_is_hung_up_on(door, monkeypatch):
    monkeypatch.setattr("troth.flow.submission.serving._HEAD_SECONDS", 0.1)
    async with serve(door.app) as port:
        assert await raw_exchange(port) == b""
        assert await raw_exchange(port, b"GET / HTTP/1.1\r\n", b"x: y\r\n", b"x: y\r\n", pause=0.06) == b""
        twice = await raw_exchange(port, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /healthz HT", pause=0.05)
        assert twice.count(b"HTTP/1.1") == 1


async def test_a_head_without_end_is_hung_up_on(port):
    assert await raw_exchange(port, b"GET / HTTP/1.1\r\n", b"x: " + b"y" * 70_000) == b""


async def test_a_client_that_leaves_mid_body_disturbs_nobody(door, port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /emails HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.key.text}\r\n"
    writer.write(head.encode() + b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{")
    await asyncio.sleep(0.05)
    writer.close()
    await asyncio.sleep(0.05)
    assert (await raw_exchange(port, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).startswith(
        b"HTTP/1.1 200"
    )
    assert door.requests() == []
    assert reader is not None
