"""The public forms as somebody without script uses them, and the letters that they make."""

import html
import re
from datetime import timedelta

from tests.support.pages import Visitor

from troth.control.asking import agreement
from troth.keys.installation import Purpose
from troth.mail.tokens import make_token

MAIL = {
    "TROTH_RETURN_PATH_DOMAIN": "in.example",
    "TROTH_INBOUND_PORT": "2525",
    "TROTH_ALLOWED_HOSTS": "localhost,127.0.0.1,firm.example",
}
QUESTION = {"name": "Ada Asker", "firm": "Ask & Co", "address": "ada@example.net", "words": "How long are bodies kept?"}
REQUEST = {**QUESTION, "words": "", "wants": "penetration-test", "agreed": agreement.digest().hex()}
ASK, DOCUMENTS = "/trust/p-firm/ask", "/trust/p-firm/documents"


def fill(visitor: Visitor, path: str, typed: dict[str, str], **changed: str):
    """As a person does: look, type, send."""
    looked = visitor.get(path)
    return visitor.post(path, **{"once": once(looked.text), **typed, **changed})


def once(text: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', text)
    return html.unescape(found[1]) if found else ""


def rows(site, query, *params):
    return site.operator.admin.execute(query, params).fetchall()


def move(site, **by):
    site.operator.database.fill("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def link(site, purpose="asked-confirm", address=None):
    """The path that our mail leads to, of the newest that was asked; no page shows it."""
    [(asked, at)] = rows(site, "SELECT id, now_v1() FROM asked ORDER BY asked_at DESC, id DESC LIMIT 1")
    key = site.operator.secrets.token_keys(Purpose.CASE)[0]
    return f"/asked/{make_token(key, purpose, asked.bytes, at + timedelta(hours=48))}"


def confirmed(site, path=ASK, typed=QUESTION, **changed):
    """Asked and confirmed; its id."""
    visitor = Visitor(site.url)
    assert fill(visitor, path, typed, **changed).status == 200
    there = link(site)
    visitor.get(there)
    done = visitor.post(there)
    assert done.status == 200, done.text
    return rows(site, "SELECT id FROM asked ORDER BY asked_at DESC, id DESC LIMIT 1")[0][0]


def contacts(site, **more):
    """The programme's, as two people approve them."""
    site.operator.govern("programme", None, "p-firm", {
        "name": "P", "profile": "property", "domain": "firm.example", **more}, site.firm.programme)  # fmt: skip
