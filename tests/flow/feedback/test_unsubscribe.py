"""The unsubscribe link against the real gate and database: GET changes nothing, POST stops at once and for good."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from tests.support.firm import make_firm, now

from troth.flow.feedback import Deps, routes
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.flow.submission import Connections
from troth.keys.ids import uuid7
from troth.keys.installation import Purpose
from troth.mail.tokens import make_token
from troth.store.connection import connect

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Page:
    """The recipient's browser (or mailbox provider), and the database behind it."""

    def __init__(self, operator, firm, gate, client):
        self.operator, self.firm, self.gate, self.client = operator, firm, gate, client

    def rows(self, query, *params):
        return self.operator.admin.execute(query, params).fetchall()

    async def send(self, address="ann@example.net"):
        asked = EmailAsked((address,), template="reminder", variables={"name": "Ann"})
        answer = await self.gate.submit(Ask(Caller(key_hash=self.firm.key_hash), (asked,), "POST", "/emails"))
        assert isinstance(answer, Taken)
        return self.rows("SELECT id FROM message WHERE email_id = %s", answer.ids[0])[0][0]

    def link(self, message, expires=None, key=None):
        key = key or self.operator.secrets.token_keys(Purpose.UNSUBSCRIBE)[0]
        return "/u/" + make_token(key, "unsubscribe", message.bytes, expires or now() + timedelta(days=60))

    def stopped(self):
        return self.rows("SELECT category_id, source FROM opt_out"), self.rows("SELECT reason, source FROM suppression")

    def events(self, message):
        return [r[0] for r in self.rows("SELECT kind FROM event WHERE message_id = %s ORDER BY at, kind", message)]


@pytest.fixture
async def page(operator):
    firm = make_firm(operator)
    firm.person("ann@example.net")

    def reach(name):
        return connect(operator.database.conninfo("troth_flow"), name)

    gate = Gate(reach, operator.keyring, operator.secrets)
    connections = Connections(reach)
    await gate.start()
    app = Starlette(routes=routes(Deps(connections.lend, operator.keyring, operator.secrets, submit=gate.submit)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://door.test") as client:
        yield Page(operator, firm, gate, client)
    await gate.stop()
    await connections.close()


async def test_opening_the_link_changes_nothing(page):
    message = await page.send()
    for _ in range(3):
        answer = await page.client.get(page.link(message))
    assert answer.status_code == 200
    assert "Stop “Rent” from Firm firm?" in answer.text
    assert '<form method="post">' in answer.text
    assert page.stopped() == ([], [])
    assert page.events(message) == [1]
    assert (await page.client.head(page.link(message))).status_code == 200


async def test_the_page_is_closed_to_everything(page):
    answer = await page.client.get(page.link(await page.send()))
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    assert "unsafe" not in policy
    for mark in ("<script", "style=", "<style", "onclick", "http://", "https://"):
        assert mark not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    style = await page.client.get("/assets/letter.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


@pytest.mark.parametrize("form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
async def test_one_click_stops_the_category_at_once(page, form):
    message = await page.send()
    for _ in range(2):
        answer = await page.client.post(page.link(message), **form)
        assert answer.status_code == 200
        assert "You have been unsubscribed" in answer.text
    assert page.stopped() == ([(page.firm.category, "unsubscribe")], [])
    assert page.events(message) == [1, 15]
    later = await page.send()
    assert page.rows("SELECT state FROM message WHERE id = %s", later) == [(11,)]


async def test_a_link_that_was_obeyed_says_since_when_and_opens_no_page_of_its_reader(page):
    message = await page.send()
    await page.client.post(page.link(message), data=ONE_CLICK)
    shown = await page.client.get(page.link(message))
    assert "You stopped it on <time" in shown.text
    assert "switch it on again" in shown.text
    for what in ("<form", 'href="/r/', "Stop “Rent”"):
        assert what not in shown.text
    page.operator.govern("policy", page.firm.tenant, "tenant", {"recipients": {"unsubscribe_scope": "all"}})
    assert "Stop email from Firm firm?" in (await page.client.get(page.link(message))).text  # which is more
    await page.client.post(page.link(message), data=ONE_CLICK)
    assert "That cannot be taken back here" in (await page.client.get(page.link(message))).text


async def test_an_opt_out_that_came_in_a_file_is_told_as_one(page):
    message = await page.send()
    index = page.firm.index("ann@example.net")
    page.rows("SELECT opt_out_v1(%s, %s, %s, %s)", page.firm.tenant, index, page.firm.category, f"import:ses:{message}")
    assert "It was stopped on <time" in (await page.client.get(page.link(message))).text


async def test_many_clicks_at_once_are_one(page):
    message = await page.send()
    answers = await asyncio.gather(*(page.client.post(page.link(message), data=ONE_CLICK) for _ in range(6)))
    assert {a.status_code for a in answers} == {200}
    assert page.events(message) == [1, 15]


async def test_where_the_policy_says_all_the_address_is_suppressed(page):
    page.operator.govern("policy", page.firm.tenant, "tenant", {"recipients": {"unsubscribe_scope": "all"}})
    message = await page.send()
    shown = await page.client.get(page.link(message))
    assert "Stop email from Firm firm?" in shown.text
    assert "this sender or any other" in shown.text
    done = await page.client.post(page.link(message), data=ONE_CLICK)
    assert "We have stopped email to your address" in done.text
    assert page.stopped() == ([], [(3, "unsubscribe")])
    assert page.rows("SELECT tenant_id FROM suppression") == [(page.firm.tenant,)]


async def test_without_a_readable_policy_the_wish_is_read_widely(page):
    message = await page.send()
    page.operator.revoke(page.rows("SELECT subject FROM governed WHERE code = 'programme:p-firm'")[0][0])
    await page.client.post(page.link(message), data=ONE_CLICK)
    assert page.stopped() == ([], [(3, "unsubscribe")])


async def test_an_erased_person_may_still_opt_out(page):
    message = await page.send()
    page.rows("SELECT set_config('troth.tenant', %s, false)", str(page.firm.tenant))
    page.rows("SELECT erase_person_v1(%s, %s)", page.firm.tenant, page.firm.people["ann@example.net"])
    assert (await page.client.post(page.link(message), data=ONE_CLICK)).status_code == 200
    assert page.rows("SELECT detail_ct FROM event WHERE kind = 15") == [(None,)]


async def test_a_link_that_is_not_to_be_obeyed(page):
    message = await page.send()
    good = page.link(message)
    links = {
        good[:-2]: 404,
        "/u/x": 404,
        page.link(message, key=b"k" * 32): 404,
        page.link(message, expires=now() - timedelta(seconds=1)): 410,
        page.link(uuid7(now())): 410,
    }
    bodies = set()
    for link, status in links.items():
        for answer in (await page.client.get(link), await page.client.post(link, data=ONE_CLICK)):
            assert answer.status_code == status, link
            bodies.add(answer.text)
    assert len(bodies) == 1  # it says nothing about which
    assert page.stopped() == ([], [])


@pytest.mark.parametrize(
    "form", [{}, {"data": {"List-Unsubscribe": "No"}}, {"json": ONE_CLICK}, {"content": b"x" * 9000}]
)
async def test_a_post_that_does_not_say_so_changes_nothing(page, form):
    answer = await page.client.post(page.link(await page.send()), **form)
    assert answer.status_code == 400
    assert page.stopped() == ([], [])


async def test_a_form_that_never_comes(page, monkeypatch):
    monkeypatch.setattr("troth.flow.feedback.receiving._SECONDS", 0.05)

    async def stall():
        yield b"List-"
        await asyncio.sleep(5)

    answer = await page.client.post(page.link(await page.send()), content=stall())
    assert answer.status_code == 400


async def test_names_are_text_not_html(page):
    page.operator.govern("category", page.firm.tenant, "rent", {
        "name": "<b>Rent & more</b>", "purpose": "x", "sender": {"name": "F", "address": f"rent@{page.firm.name}"},
        "legal_class": "transactional", "raw": True, "policy": {}}, page.firm.category)  # fmt: skip
    answer = await page.client.get(page.link(await page.send()))
    assert "&lt;b&gt;Rent &amp; more&lt;/b&gt;" in answer.text
    assert "<b>Rent & more" not in answer.text


async def test_the_store_is_away(page):
    async def reach(name):
        return await connect({"host": "127.0.0.1", "port": 1, "dbname": "x", "connect_timeout": 1}, name)

    deps = Deps(Connections(reach).lend, page.operator.keyring, page.operator.secrets)
    transport = httpx.ASGITransport(app=Starlette(routes=routes(deps)))
    link = page.link(await page.send())
    async with httpx.AsyncClient(transport=transport, base_url="http://door.test") as client:
        for answer in (await client.get(link), await client.post(link, data=ONE_CLICK)):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert "Nothing was changed" in answer.text
