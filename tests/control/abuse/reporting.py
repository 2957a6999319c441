"""The public forms as somebody without script uses them, and what a report leaves in the database."""

import html
import re
from datetime import timedelta

from tests.control.ledger.house import House
from tests.support.firm import now
from tests.support.pages import Visitor

from troth.keys import places
from troth.keys.installation import Purpose
from troth.keys.keyring import OPERATOR
from troth.mail.tokens import make_token, verp_make

ABUSE = {"what": "deceives", "source": "Received: by x\nSubject: Rent\n\nPay here", "words": "They want my password.",
         "address": "ann@example.net"}  # fmt: skip
WEAKNESS = {"title": "Anybody reads any message", "where": "/messages/1", "how": "1. Sign in\n2. Change the number",
            "severity": "high", "credit": "yes", "name": "Ada Finder", "address": "ada@example.net"}  # fmt: skip


def fill(visitor: Visitor, path: str, typed: dict[str, str], **changed: str):
    """To the end, as a person does; the last answer."""
    visitor.get(path)
    sure = visitor.post(path, do="look", **typed)
    assert sure.status == 200, sure.text
    return visitor.post(path, do="send", **{**typed, "shown": token(sure.text), **changed})


def token(text: str) -> str:
    return html.unescape(re.search(r'name="shown" value="([^"]+)"', text)[1])


def keys(site):
    wrapped = site.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return site.operator.keyring.tenant(OPERATOR, wrapped)


def rows(site, query, *params):
    return site.operator.admin.execute(query, params).fetchall()


def papers(site):
    return [keys(site).open(bytes(ct), places.case_paper(id_)).decode()
            for id_, ct in rows(site, "SELECT id, paper_ct FROM case_paper ORDER BY at")]  # fmt: skip


def source(site, address="ann@home.example"):
    """A message of the firm's, and the header that came with it."""
    message = House(site.firm, site.folder).tell(address)
    local = verp_make(site.operator.secrets.token_keys(Purpose.VERP)[0], message, now() + timedelta(days=9), "a")
    return message, f"Return-Path: <{local}@in.example>\nSubject: Rent\n\nPay here"


def mailed(site):
    """The path of the only report's page, as our mail to its reporter has it: no form ever shows it."""
    [(case, at)] = rows(site, "SELECT id, now_v1() FROM case_file")
    key = site.operator.secrets.token_keys(Purpose.CASE)[0]
    return f"/report/{make_token(key, 'case-reporter-mailed', case.bytes, at + timedelta(days=90))}"
