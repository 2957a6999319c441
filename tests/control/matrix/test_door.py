"""Every path of the sending door x every way to hold a key: of this client, of another, without the scope, ended,
past its time, mistyped, none, or a cookie of the pages in its place.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.flow.submission.doors import add_key, add_system_tenant, client_of, email
from tests.support.firm import Firm, make_firm, now

from troth.cli.demo.dns import DnsServer
from troth.cli.door import build
from troth.keys.api_keys import make_key
from troth.keys.ids import uuid7, wire
from troth.keys.keyring import OPERATOR
from troth.keys.opened import Keys
from troth.settings import Settings
from troth.store.connection import connect

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# what is said to whoever holds no live key
DEAD = {
    "revoked": (403, "key-revoked"), "expired": (403, "key-expired"), "mistyped": (403, "invalid-api-key"),
    "unknown": (403, "invalid-api-key"), "none": (401, "unauthorized"), "cookie": (401, "unauthorized"),
}  # fmt: skip
OK, GONE, SCOPE = (200, ""), (404, "not-found"), (403, "key-scope")
UNSEALED = (409, "receipt-not-sealed")  # no sequencer runs here
STRANGER = (422, "recipient-unverified")  # to another client, a recipient of ours is as one that nobody knows
OWN = (0, "")  # another client's key works for that client: nothing of this one is asked about
_SEND = email(to="ann@example.net")
# (path, method) -> (body, what a live key gets: the client's own, another client's, its own of another category)
TABLE: dict[tuple[str, str], tuple[Any, tuple[int, str], tuple[int, str], tuple[int, str]]] = {
    ("/emails", "POST"): (_SEND, OK, STRANGER, SCOPE),
    ("/emails", "GET"): (None, OK, OK, OK),
    ("/emails/batch", "POST"): ([_SEND], OK, STRANGER, SCOPE),
    ("/emails/{id}", "GET"): (None, OK, GONE, OK),
    ("/emails/{id}", "PATCH"): ({"scheduled_at": "in 2 hours"}, OK, GONE, OK),
    ("/emails/{id}/cancel", "POST"): (None, OK, GONE, OK),
    ("/emails/{id}/receipt", "GET"): (None, UNSEALED, GONE, UNSEALED),
    ("/recipients", "POST"): ({"email": "new@example.net"}, (201, ""), OWN, (200, "")),
    ("/recipients", "GET"): (None, OK, OK, OK),
    ("/recipients/batch", "POST"): ([{"email": "many@example.net"}], OK, OWN, OK),
    ("/recipients/{id}", "GET"): (None, OK, GONE, OK),
    ("/recipients/{id}", "DELETE"): (None, OK, GONE, OK),  # the last: ann is erased after it
}
LIVE = ("own", "other", "unscoped")
# what nobody needs a key for: a problem's page, whether it lives, and the way out of somebody's mail
PUBLIC = {
    ("/healthz", "GET"): 200, ("/livez", "GET"): 200, ("/problems", "GET"): 200, ("/problems/{slug}", "GET"): 200,
    ("/u/{token}", "GET"): 404, ("/u/{token}", "POST"): 400,
    # the relay's webhooks: not set up here, so nothing is taken; other methods than POST never are
    **{(f"/hooks/{relay}", method): 404 if method == "POST" else 405
       for relay in ("mailgun", "ses") for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    **{(f"/r/{{token}}{act}", method): 404 for act in ("", "/report", "/all", "/erase", "/code")
       for method in ("GET", "POST")},
    ("/r/{token}/copy", "POST"): 404, ("/assets/letter.css", "GET"): 200, ("/{path:path}", "GET"): 404,
    **{("/{path:path}", method): 404 for method in METHODS[1:]},
}  # fmt: skip
_ADD = "nobody has said who may use {} {}: add it to TABLE (or, without a key, to PUBLIC) in tests/control/matrix/test_door.py"


@dataclass
class Door:
    app: Any
    firm: Firm
    keys: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)

    async def ask(self, method, path, held, body=None, **args):
        async with client_of(self.app, self.keys.get(held)) as client:
            cookies = {"cookie": "__Host-troth_session=x; __Host-troth_proof=y"} if held == "cookie" else {}
            return await client.request(method, path.format(**args), json=body, headers=cookies)


@pytest.fixture
async def names():
    """The DNS that registration asks."""
    async with DnsServer({"example.net": {"MX": ["10 mx.example.net."]}}) as server:
        yield server


@pytest.fixture
async def door(operator, names):
    firm, other = make_firm(operator), make_firm(operator, "other", "retail")
    add_system_tenant(operator, firm)
    person = firm.person("ann@example.net")
    app = build(
        Settings(mode="test", dns_resolvers=((names.host, names.port),)),
        lambda name: connect(operator.database.conninfo("troth_flow"), name),
        _keys(operator),
    )
    made = Door(app, firm, _held(operator, firm, other), {"person": wire("rcp", "a", person)})
    async with app.router.lifespan_context(app):
        yield made


def _keys(operator):
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return Keys(operator.keyring, operator.secrets, operator.keyring.tenant(OPERATOR, wrapped))


def _held(operator, firm, other):
    """The texts of the keys."""
    operator.govern("category", firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "sender": {"name": "Firm", "address": f"news@{firm.name}"},
        "legal_class": "transactional", "raw": True, "policy": {}})  # fmt: skip
    found = {"own": add_key(operator, firm)[0].text, "other": add_key(operator, other)[0].text,
             "unscoped": add_key(operator, firm, "news", categories=["news"])[0].text, "unknown": make_key("a").text}  # fmt: skip
    revoked, subject = add_key(operator, firm, "revoked")
    operator.revoke(subject)
    expired, late = add_key(operator, firm, "expired")
    operator.database.fill("UPDATE api_key_secret SET ends_at = now_v1() - interval '1 second' WHERE key_id = %s", late)
    mistyped = found["own"][:-1] + ("b" if found["own"][-1] == "a" else "a")
    return {**found, "revoked": revoked.text, "expired": expired.text, "mistyped": mistyped}


def _said(answer):
    return answer.status_code, "" if answer.is_success else answer.json()["code"]


def _asked(app):
    """Every (path, method) that the door answers by something else than 405."""
    for route in app.routes:
        handlers = getattr(route.endpoint, "handlers", None) or dict.fromkeys(route.methods)
        yield from ((route.path, method) for method in METHODS if method in handlers)


async def test_the_door(door, capsys):
    wanting = [_ADD.format(method, path) for path, method in _asked(door.app) if (path, method) not in TABLE | PUBLIC]
    assert not wanting, "\n".join(wanting)
    cells, wrong = 0, []
    for (path, method), (body, *live) in TABLE.items():
        for held, wanted in [*zip(LIVE, live, strict=True), *DEAD.items()]:
            if wanted == OWN:
                continue
            got = _said(await door.ask(method, path, held, body, id=await _thing(door, path)))
            cells += 1
            if got != wanted:
                wrong.append(f"{method} {path} with the key {held}: {got}, not {wanted}")
    for (path, method), status in PUBLIC.items():
        for held in (*LIVE, *DEAD):
            answer = await door.ask(
                method, path.replace("{path:path}", "no/such"), held, slug="key-scope", token="nobodys"
            )
            cells += 1
            if answer.status_code != status:
                wrong.append(f"{method} {path} with the key {held}: {answer.status_code}, not {status}")
    with capsys.disabled():
        print(f"\nmatrix: {len(TABLE) + len(PUBLIC)} API routes x {len(LIVE) + len(DEAD)} keys = {cells} cells checked,"
              f" {len(wrong)} wrong")  # fmt: skip
    assert not wrong, "\n".join(wrong)


async def _thing(door, path):
    """Of the first client: a recipient, or an email that is still to be sent, made anew since one may be called back."""
    if "{id}" not in path:
        return ""
    if path.startswith("/recipients"):
        return door.things["person"]
    answer = await door.ask("POST", "/emails", "own", {**_SEND, "scheduled_at": "in 1 hour"})
    return answer.json()["id"]


async def test_another_method_is_refused_to_everybody(door):
    given = set(_asked(door.app))
    for path in {path for path, _ in given} - {"/{path:path}"}:
        for method in METHODS:
            for held in (*LIVE, *DEAD) if (path, method) not in given else ():
                answer = await door.ask(method, path, held, id="x", slug="x", token="x")
                assert answer.status_code in {404, 405}, (method, path, held)


async def test_another_clients_thing_is_as_one_that_nobody_has(door):
    mine = await _thing(door, "/emails/{id}")
    for path, method, theirs, nobodys in (
        ("/emails/{id}", "GET", mine, wire("em", "a", uuid7(now()))),
        ("/emails/{id}", "PATCH", mine, wire("em", "a", uuid7(now()))),
        ("/emails/{id}/cancel", "POST", mine, wire("em", "a", uuid7(now()))),
        ("/recipients/{id}", "GET", door.things["person"], wire("rcp", "a", uuid7(now()))),
        ("/recipients/{id}", "DELETE", door.things["person"], wire("rcp", "a", uuid7(now()))),
    ):
        body = TABLE[path, method][0]
        answers = [(await door.ask(method, path, "other", body, id=which)).json() for which in (theirs, nobodys)]
        for answer in answers:
            answer.pop("instance", None)
        assert answers[0] == answers[1]
    assert (await door.ask("GET", "/emails/{id}", "own", id=mine)).json()["last_event"] == "scheduled"
    assert (await door.ask("GET", "/emails", "other")).json()["data"] == []
    assert (await door.ask("GET", "/recipients", "other")).json()["data"] == []
