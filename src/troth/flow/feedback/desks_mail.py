"""Feedback, the desks: mail to whoever reported: that the report is here, and what staff write later; through the gate
like all mail, from the programme's own tenant, so that a suppressed address gets none of it.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import psycopg
import structlog

from troth.flow.feedback import asked_mail
from troth.flow.feedback.correspondence import (
    CATEGORY,
    NOBODY_WRITES,
    Desk,
    Mailer,
    Outcome,
    Post,
    post,
    post_all,
    told,
)
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import EmailAsked
from troth.keys import case_tags, ids, places
from troth.keys.errors import KeyringError
from troth.keys.installation import Purpose
from troth.mail.address import parse_address
from troth.mail.tokens import make_token
from troth.store import desks as store
from troth.store import gate
from troth.store.connection import Connection

TEMPLATES = MappingProxyType({"received": "report-received", "update": "report-update"})
LINK, LINK_FOR = "case-reporter-mailed", timedelta(days=90)  # it alone confirms an address
EVERY = 5.0  # seconds
_MOST = 20  # in one round
_WORDS = 4_000  # characters of an update
_WHAT = MappingProxyType({"abuse": "report of abuse", "disclosure": "report of a weakness"})
_NEXT = MappingProxyType({
    "resolve": "We look into it, and are done by {}.",
    "assess": "We judge how bad it is by {}.",
    "update": "You hear from us again by {} at the latest.",
})  # fmt: skip
_LOCAL = MappingProxyType({"abuse": "abuse", "disclosure": "security"})
_ASK = "To be told how it goes on, press the button on this page; without it we write nothing more of it:"
_STANDS = "How it stands is on this page:"
_log = structlog.get_logger("troth.desks")


async def run(mailer: Mailer) -> None:
    """Until cancelled; a store that is away is tried again. Reports first, then questions (asked_mail.py)."""
    while True:
        try:
            async with mailer.deps.lend() as connection:
                await tell_all(connection, mailer)
                await asked_mail.tell_all(connection, mailer)
        except (psycopg.Error, KeyringError, StoreAway, TimeoutError, OSError) as away:
            _log.warning("desks.no_mail", error=type(away).__name__)
        await asyncio.sleep(EVERY)


async def tell_all(connection: Connection, mailer: Mailer) -> int:
    """Everything that is to be mailed now; how many the gate took."""
    desk = Desk(_tell, store.letter_done, store.letter_tried, _unsent, "The reporter's address cannot be opened.")
    return await post_all(connection, mailer, await store.letters(connection, _MOST), desk)


def _unsent(due: store.Due, why: str) -> None:
    _log.warning("desks.unsent", case=due.reference, why=why)


async def _tell(connection: Connection, mailer: Mailer, due: store.Due) -> Outcome:
    if due.system is None or due.keyset is None:
        return None, NOBODY_WRITES
    now = await gate.now(connection)
    address = parse_address(mailer.operator.open(due.address_ct, places.case_reporter(due.case)).decode())
    email = EmailAsked(
        (address.addr_spec,), reply_to=_reply_to(mailer, due), headers=_headers(mailer, due),
        tags={"category": CATEGORY}, template=TEMPLATES[due.kind],
        variables=_variables(mailer, due, now), id=ids.uuid7(now),
    )  # fmt: skip
    once = b"case-letter\0" + due.id.bytes
    one = Post(due.system, due.keyset, address, email, once, "/report-abuse", "reporter's")
    return await post(connection, mailer, one, now)


def _variables(mailer: Mailer, due: store.Due, now: datetime) -> dict[str, str]:
    """What the packs system/report-received and system/report-update ask for."""
    key = mailer.deps.secrets.token_keys(Purpose.CASE)[0]
    token = make_token(key, LINK, due.case.bytes, now + LINK_FOR)
    told = {
        "sender": (due.sender or "")[:120],
        "reference": due.reference,
        "what": _WHAT[due.case_kind],
        "link": f"{mailer.links}/report/{token}",
    }
    if due.kind == "received":
        times = " ".join(_promises(dict(due.clocks), due.zone or "UTC"))
        return {**told, "next": times or "A person looks at it.", "ask": _STANDS if due.confirmed else _ASK}
    assert due.words_ct is not None
    words = mailer.operator.open(due.words_ct, places.case_words(due.id)).decode()
    return {**told, "words": words[:_WORDS]}


def _promises(clocks: Mapping[str, datetime], zone: str) -> list[str]:
    return [sentence.format(told(clocks[name], zone)) for name, sentence in _NEXT.items() if name in clocks]


def _headers(mailer: Mailer, due: store.Due) -> dict[str, str]:
    """RFC 3834: it answers by itself, so nothing should answer it; a thread is shown as one."""
    place = places.case_words(due.id)
    theirs = mailer.operator.open(due.answers_ct, place).decode() if due.answers_ct else ""
    answers = {"In-Reply-To": theirs, "References": theirs} if theirs else {}
    return {"Auto-Submitted": "auto-replied", **answers} if due.kind == "received" else {}


def _reply_to(mailer: Mailer, due: store.Due) -> tuple[str, ...]:
    """An answer joins the case."""
    if not mailer.domain:
        return ()
    tag = case_tags.tag(mailer.deps.secrets.token_keys(Purpose.CASE)[0], due.case)
    return (f"{_LOCAL[due.case_kind]}+{tag}@{mailer.domain}",)
