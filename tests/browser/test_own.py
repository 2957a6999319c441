"""The recipient's own page, through the public host and the door behind it: looked at in each of its states, and pressed."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from tests.flow.feedback.test_proving import mailed
from tests.flow.submission.doors import add_system_tenant
from tests.support.firm import TEMPLATE, now

from troth.flow.feedback import Deps, routes
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.flow.submission import Connections
from troth.keys.installation import Purpose
from troth.mail.own_link import own_link
from troth.store.connection import connect

ANN = "ann@home.example"
MORE = {
    "visits": ("Visits and repairs", "When somebody comes to your home, and what they come for", "transactional", "contract"),
    "deposit": ("Deposit notices", "What happens with your deposit, as the Housing Act asks", "required", "legal-obligation"),
    "news": ("News from the neighbourhood", "What opens, closes and is celebrated nearby", "relationship", "consent"),
}  # fmt: skip


@pytest.fixture
def letter(site):
    """A message to Ann through the gate, and the door's pages where the pages hand its paths on; its link's path."""
    firm = site.firm
    firm.person(ANN)
    for code, (name, purpose, legal_class, basis) in MORE.items():
        site.operator.govern("category", firm.tenant, code, {
            "name": name, "purpose": purpose, "legal_class": legal_class, "lawful_basis": basis, "policy": {},
            "sender": {"name": "Firm firm", "address": f"rent@{firm.name}"}})  # fmt: skip
    with ThreadPoolExecutor(1) as other:  # the browser's driver keeps a loop in this one
        message = other.submit(lambda: asyncio.run(sent(site))).result()
    site.system = add_system_tenant(site.operator, site.firm)
    served, thread = serve(site)
    key = site.operator.secrets.token_keys(Purpose.UNSUBSCRIBE)[0]
    yield own_link("", key, message, now() + timedelta(days=30))
    served.should_exit = True
    thread.join(20)


async def sent(site):
    gate = Gate(lambda name: reach(site, name), site.operator.keyring, site.operator.secrets)
    await gate.start()
    asked = EmailAsked((ANN,), template="reminder", variables={"name": "Ann"})
    answer = await gate.submit(Ask(Caller(key_hash=site.firm.key_hash), (asked,), "POST", "/emails"))
    await gate.stop()
    assert isinstance(answer, Taken), (answer, TEMPLATE)
    return site.operator.database.run("SELECT id FROM message WHERE email_id = %s", answer.ids[0])[0][0]


async def reach(site, name):
    return await connect(site.operator.database.conninfo("troth_flow"), name)


def serve(site):
    """The feedback's paths on the port of the site's door."""
    connections = Connections(lambda name: reach(site, name))
    gate = Gate(lambda name: reach(site, name), site.operator.keyring, site.operator.secrets)

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        await gate.start()
        yield
        await gate.stop()
        await connections.close()

    deps = Deps(connections.lend, site.operator.keyring, site.operator.secrets, secure=True, submit=gate.submit)
    app = Starlette(routes=routes(deps), lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, port=site.door, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return server, thread


def code(site):
    """The newest that was mailed."""
    return mailed(SimpleNamespace(operator=site.operator, rows=site.operator.database.run), site.system)[-1]["code"]


def test_the_own_page_is_looked_at_and_pressed(look, site, letter):
    looker = look()
    page = looker.page
    looker.look_at(letter, "own")
    looker.look_at(f"{letter}/report", "own-report")
    looker.look_at(f"{letter}/erase", "own-erase")
    looker.look_at(f"{letter}/all", "own-all")
    looker.go(letter)
    page.get_by_label("Visits and repairs").uncheck()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert not page.get_by_label("Visits and repairs").is_checked()
    looker.look_at(f"{letter}?saved", "own-saved")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download this message").click()
    assert ANN in taken.value.path().read_text()
    looker.go(f"{letter}/all")
    page.get_by_role("button", name="Mail me a code").click()
    assert "Tick the box first" in page.get_by_role("alert").inner_text()
    page.get_by_label("Mail the code to this address.").check()
    page.get_by_role("button", name="Mail me a code").click()
    looker.console.clear()  # the refused form above was a 422, which the browser tells of
    looker.look_at(page.url.removeprefix(site.url), "own-code")
    page.get_by_label("The code in the email").fill("12345")
    page.get_by_role("button", name="Download everything").click()
    assert "six digits" in page.get_by_role("alert").inner_text()
    page.get_by_label("The code in the email").fill(code(site))
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download everything").click()
    assert '"messages_complete": true' in taken.value.path().read_text()
    looker.go(f"{letter}/report")
    page.get_by_role("button", name="Send the report").click()
    assert "Choose what is wrong" in page.get_by_role("alert").inner_text()
    page.get_by_label("It is not what it says it is.").check()
    page.get_by_label("Stop “Rent” from Firm firm.").check()
    page.get_by_role("button", name="Send the report").click()
    assert "what you ticked is not sent any more" in page.get_by_role("status").inner_text()
    assert not page.get_by_label("Rent", exact=False).first.is_checked()
    looker.go(f"{letter}/erase")
    page.get_by_label("I understand that this cannot be undone.").check()
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("The code in the email").fill(code(site))
    page.get_by_role("button", name="Erase me").click()
    assert page.get_by_role("heading", name="You have been erased").is_visible()
    looker.console.clear()
    looker.look_at(letter, "own-erased")
