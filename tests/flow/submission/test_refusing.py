"""What the door refuses before the gate: each mistake its own problem, logged when the key is known, nothing stored."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from tests.flow.submission.doors import add_key, client_of, email, make_deps

from troth.flow.gate.accept import StoreAway
from troth.flow.submission import Connections, RequestLog, nowhere, routes
from troth.flow.submission.body import Budget
from troth.keys.api_keys import make_key
from troth.rules.problems import PROBLEMS
from troth.store.connection import connect

JSON = {"content-type": "application/json"}
CORPORA = Path(__file__).parents[4] / "shared" / "corpora"


async def send(door, content, path="/emails", **headers):
    return await door.client.post(path, content=content, headers={**JSON, **headers})


@pytest.mark.parametrize(
    ("content", "status", "code", "name"),
    [
        (b'{"to":', 400, "malformed-json", "validation_error"),
        (b'{"to":"\xff"}', 400, "bad-utf8", "validation_error"),
        (b'{"to":"a","to":"b"}', 400, "duplicate-key", "validation_error"),
        (b'{"to":NaN}', 400, "not-a-number", "validation_error"),
        (b"[" * 40 + b"]" * 40, 400, "too-deep", "validation_error"),
        (b"{}", 422, "missing-field", "missing_required_field"),
        (b'{"to":7}', 422, "bad-type", "validation_error"),
        (b'{"too":"a"}', 422, "unknown-field", "validation_error"),
        (b'"' + b"x" * 200_000 + b'"', 413, "body-too-large", "validation_error"),
    ],
)
async def test_a_bad_body_is_told_logged_and_stores_nothing(door, content, status, code, name):
    answer = await send(door, content)
    body = answer.json()
    assert (answer.status_code, body["code"], body["name"]) == (status, code, name)
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == body["statusCode"] == status
    assert body["detail"] == body["message"]
    assert body["title"] == PROBLEMS[code].title
    assert body["instance"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"
    assert door.requests() == [("POST", "/emails", status, code)]
    assert door.rows("SELECT tenant_id, email_id, decision_ct FROM api_request") == [(door.firm.tenant, None, None)]
    assert door.count("email") == 0


async def test_problem_json_for_whoever_asks(door):
    answer = await send(door, b"", accept="application/problem+json")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"}, {"content-type": ""}, {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)  # fmt: skip
async def test_a_body_of_another_type(door, headers):
    answer = await door.client.post("/emails", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


async def test_utf8_said_aloud_is_fine(door):
    headers = {"content-type": 'application/json; charset="UTF-8"'}
    assert (await door.client.post("/emails", content=json.dumps(email()), headers=headers)).status_code == 200


async def test_a_body_without_a_length_is_measured_as_it_comes(door):
    async def drip():
        for _ in range(300):
            yield b" " * 1000

    answer = await send(door, drip())
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_body_without_an_end_is_cut_off(door, monkeypatch):
    monkeypatch.setattr("troth.flow.submission.body._DRAIN", 1000)
    answer = await send(door, b" " * 300_000)
    assert answer.status_code == 413


async def test_a_body_that_never_comes(door, monkeypatch):
    monkeypatch.setattr("troth.flow.submission.body._SECONDS", 0.05)

    async def stall():
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    answer = await send(door, stall())
    assert (answer.status_code, answer.json()["code"]) == (408, "request-timeout")


async def test_too_many_large_bodies_at_once(door):
    deps = make_deps(door.operator, door.deps.gate, door.deps.lend, door.deps.log, budget=Budget(most=10))
    async with client_of(Starlette(routes=routes(deps)), door.key.text) as client:
        answer = await client.post("/emails", json=email())
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"]
        assert deps.budget.held == 0


# ---- keys ----


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Basic YTpi", "troth_a_x", "Bearer a b"])
async def test_no_key(door, value):
    headers = {} if value is None else {"authorization": value}
    async with client_of(door.app) as client:
        answer = await client.post("/emails", json=email(), headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (401, "missing_api_key")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert door.requests() == []


async def test_two_authorizations_are_none(door):
    headers = [*door.client.headers.multi_items(), ("authorization", "Bearer x")]
    assert (await door.client.post("/emails", json=email(), headers=headers)).status_code == 401


@pytest.mark.parametrize("content", [b"{", json.dumps(email()).encode()])
@pytest.mark.parametrize(
    "text",
    ["nonsense", "re_123", make_key("a").text[:-1] + "!", make_key("b").text, make_key("a").text],
    ids=["nonsense", "resend", "misspelt", "other-cell", "unknown"],  # xdist wants the same names in each worker
)
async def test_a_key_that_is_none_of_ours_outweighs_the_body(door, text, content):
    async with client_of(door.app, text) as client:
        answer = await client.post("/emails", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["name"], answer.json()["code"]) == (
        403,
        "invalid_api_key",
        "invalid-api-key",
    )
    assert door.count("email") == 0


async def test_revoked_and_expired_keys_have_their_own_problems(operator, door):
    revoked, subject = add_key(operator, door.firm, "revoked")
    operator.revoke(subject)
    expired, subject = add_key(operator, door.firm, "expired")
    operator.admin.execute("UPDATE api_key_secret SET ends_at = now_v1() WHERE key_id = %s", (subject,))
    retired, subject = add_key(operator, door.firm, "retired")
    operator.govern("api-key", door.firm.tenant, "retired", {
        "name": "retired", "prefix": retired.prefix, "hash": retired.hash.hex(), "categories": ["rent"],
        "expires_at": "2099-01-01T00:00:00Z", "policy": {}, "retired": True}, subject)  # fmt: skip
    for key, code in ((revoked, "key-revoked"), (expired, "key-expired"), (retired, "key-revoked")):
        async with client_of(door.app, key.text) as client:
            for answer in (await client.get("/emails"), await client.post("/emails", content=b"{", headers=JSON),
                           await client.post("/emails", json=email())):  # fmt: skip
                assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert {row[3] for row in door.requests()} >= {"key-revoked", "key-expired"}


async def test_a_closed_account_reads_nothing(door):
    door.operator.admin.execute("UPDATE tenant SET state = 2 WHERE id = %s", (door.firm.tenant,))
    for answer in (await door.client.get("/emails"), await door.post(json=email())):
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant-inactive")


# ---- paths ----


async def test_other_methods_and_paths(door):
    answer = await door.client.delete("/emails")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (
        405,
        "method-not-allowed",
        "GET, HEAD, POST",
    )
    assert (await door.client.put("/emails/x/cancel")).headers["allow"] == "POST"
    for path in ("/", "/email", "/emails/a/b/c", "/" + "é" * 300):
        answer = await door.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_health_and_problem_pages(door):
    async with client_of(door.app) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.head("/healthz")).status_code == 200
        for slug in PROBLEMS:
            found = (await client.get(f"/problems/{slug}")).json()
            assert (found["code"], found["status"]) == (slug, PROBLEMS[slug].status)
        page = await client.get("/problems/rate-limited", headers={"accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        assert "The same request may pass later." in page.text
        (policy,) = page.headers.get_list("content-security-policy")
        assert "default-src 'none'" in policy
        assert "style-src 'self'" in policy
        assert "<style" not in page.text
        sheet = await client.get(re.search(r'href="(/problems/[a-z.]+css)"', page.text)[1])
        assert sheet.headers["content-type"].startswith("text/css")
        assert "url(" not in sheet.text
        assert "style=" not in page.text
        assert "script" not in page.text
        assert "may pass later" not in (await client.get("/problems/bad-type", headers={"accept": "text/html"})).text
        every = await client.get("/problems", headers={"accept": "text/html"})
        assert all(f'href="/problems/{slug}"' in every.text for slug in PROBLEMS)
        assert len((await client.get("/problems")).json()["data"]) == len(PROBLEMS)
        assert (await client.get("/problems/none")).status_code == 404


# ---- our own faults ----


async def broken(door, monkeypatch, error):
    async def fail(*_):
        raise error

    monkeypatch.setattr(type(door.deps.gate), "submit", fail)
    return await door.post(json=email())


async def test_an_unexpected_fault_is_500_and_quotes_nothing(door, monkeypatch, capsys):
    answer = await broken(door, monkeypatch, ValueError("ann@example.net"))
    assert (answer.status_code, answer.json()["name"]) == (500, "application_error")
    assert answer.json()["instance"] in answer.json()["detail"]
    logged = capsys.readouterr().out
    assert "ann@" not in answer.text + logged
    assert answer.headers["x-request-id"] in logged
    assert "ValueError" in logged


async def test_a_store_that_is_away_is_503(door, monkeypatch):
    answer = await broken(door, monkeypatch, StoreAway("away"))
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_no_database_at_all(door):
    async def reach(name):
        return await connect({"host": "127.0.0.1", "port": 1, "dbname": "none", "connect_timeout": 1}, name)

    connections = Connections(reach)
    log = RequestLog(connections.lend, interval=0.01)
    gate = type(door.deps.gate)(reach, door.operator.keyring, door.operator.secrets)
    await gate.start()
    deps = make_deps(door.operator, gate, connections.lend, log)
    async with client_of(Starlette(routes=[*routes(deps), nowhere(deps)]), door.key.text) as client:
        answers = [
            await client.post("/emails", json=email()), await client.post("/emails", content=b"{", headers=JSON),
            await client.get("/emails"), await client.get("/healthz"), await client.post("/emails/em_a_0/cancel"),
            await client.post("/recipients", json={"email": "a@example.net"}),
        ]  # fmt: skip
    await gate.stop()
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
        assert answer.headers["retry-after"]


async def test_the_store_comes_back(door):
    """A restart kills every connection; each of the door's lent ones fails once at most, and no more after that."""
    assert (await door.client.get("/emails")).status_code == 200
    door.rows(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'troth_flow' AND datname = current_database()"
    )
    codes = [(await door.client.get("/emails")).status_code for _ in range(6)]
    assert codes[1:] == [200] * 5


# ---- hostile input ----


def answers_to(door, bodies, path="/emails"):
    """Hypothesis cannot await: each example runs in the fixture's loop, from a thread of its own."""
    loop = asyncio.get_running_loop()

    def ask(body):
        return asyncio.run_coroutine_threadsafe(send(door, body, path), loop).result(30)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies)
    def run(body):
        answer = ask(body)
        assert answer.status_code < 500, (body, answer.text)
        assert answer.json()

    return asyncio.to_thread(run)


SHAPED = st.fixed_dictionaries(
    {"to": st.text(max_size=40) | st.lists(st.text(max_size=20), max_size=3)},
    optional={
        "subject": st.text(max_size=50), "html": st.text(max_size=50), "text": st.text(max_size=50), "from": st.text(),
        "headers": st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3),
        "tags": st.lists(st.fixed_dictionaries({"name": st.text(), "value": st.text()}), max_size=2),
        "template": st.fixed_dictionaries({"id": st.text() | st.just("reminder")}, optional={
            "variables": st.dictionaries(st.text(), st.integers() | st.text() | st.floats(allow_nan=False), max_size=3)}),
        "scheduled_at": st.text(max_size=30), "reply_to": st.text(max_size=30),
        "attachments": st.lists(st.fixed_dictionaries({"filename": st.text(), "content": st.just("YQ=="),
                                                        "content_type": st.text(max_size=20)}), max_size=2),
    },
).map(lambda d: json.dumps(d).encode())  # fmt: skip


async def test_any_bytes_get_an_answer_of_ours(door):
    await answers_to(door, st.binary(max_size=300))


async def test_any_well_shaped_email_gets_an_answer_of_ours(door):
    await answers_to(door, SHAPED)


async def test_any_recipient_gets_an_answer_of_ours(door):
    await answers_to(
        door, st.fixed_dictionaries({"email": st.text()}).map(lambda d: json.dumps(d).encode()), "/recipients"
    )


@pytest.mark.parametrize("file", ["crlfinjection.txt", "ssti.fuzz", "xml-attacks.txt", "ssrf_urls.txt"])
async def test_attack_strings_are_refused_or_inert(door, file):
    path = CORPORA / "attack-strings" / file
    if not path.exists():
        pytest.skip("the corpora are not beside this tree")
    for line in path.read_text(errors="replace").splitlines()[:15]:
        for fields in ({"subject": line}, {"headers": {"X-Note": line}}, {"headers": {line: "x"}}, {"from": line},
                       {"reply_to": line}, {"to": line}):  # fmt: skip
            raw = {
                "to": "ann@example.net",
                "subject": "s",
                "text": "t",
                "tags": [{"name": "category", "value": "rent"}],
            }
            answer = await door.post(json={**raw, **fields})
            assert answer.status_code < 500
            assert "set-cookie" not in answer.headers
    for (state,) in door.rows("SELECT DISTINCT state FROM message"):
        assert state == 2


@pytest.mark.parametrize("text", ["a\nBcc: x@evil.example", "a\r\nBcc: x@evil.example", "a\rb", "a\u2028b", "a\x00b"])
async def test_a_line_break_injects_nothing(door, text):
    raw = {"to": "ann@example.net", "subject": "s", "text": "t", "tags": [{"name": "category", "value": "rent"}]}
    for fields in (
        {"subject": text},
        {"headers": {"X-Note": text}},
        {"to": f"{text} <ann@example.net>"},
        {"from": text},
    ):
        answer = await door.post(json={**raw, **fields})
        if answer.status_code == 200:  # white space in a bare display name folds into one blank
            assert (await door.client.get(f"/emails/{answer.json()['id']}")).json()["to"] == ["a b <ann@example.net>"]
        else:
            assert answer.status_code == 422, (fields, answer.text)


async def test_a_path_is_never_a_header(door):
    answer = await door.client.get("/emails/%0d%0aSet-Cookie:x=1")
    assert answer.status_code == 404
    assert isinstance(answer, httpx.Response)
    assert "set-cookie" not in answer.headers
