"""Feedback, the desks: mail to whoever reported: that the report is here, and what staff write later; through the gate
like all mail, from the programme's own tenant, so that a suppressed address gets none of it.
"""

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import structlog

from troth.flow.feedback.deps import Deps
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.keys import case_tags, ids, places
from troth.keys.errors import KeyringError, Undecryptable
from troth.keys.installation import Purpose
from troth.keys.keyring import TenantKeys
from troth.mail.address import Address, parse_address
from troth.mail.tokens import make_token
from troth.rules.problems import PROBLEMS
from troth.rules.states import State
from troth.store import desks as store
from troth.store import gate, own, people
from troth.store.connection import Connection

CATEGORY = "correspondence"
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


@dataclass(frozen=True, slots=True)
class Mailer:
    """`deps.submit` is the gate. `links` starts every link; `domain`: where our mail is taken, "" where none is."""

    deps: Deps
    operator: TenantKeys
    links: str
    domain: str


async def run(mailer: Mailer) -> None:
    """Until cancelled; a store that is away is tried again."""
    while True:
        try:
            async with mailer.deps.lend() as connection:
                await tell_all(connection, mailer)
        except (psycopg.Error, KeyringError, StoreAway, TimeoutError, OSError) as away:
            _log.warning("desks.no_mail", error=type(away).__name__)
        await asyncio.sleep(EVERY)


async def tell_all(connection: Connection, mailer: Mailer) -> int:
    """Everything that is to be mailed now; how many the gate took."""
    told = 0
    for due in await store.letters(connection, _MOST):
        try:
            email, why = await _tell(connection, mailer, due)
        except Undecryptable:
            email, why = None, "The reporter's address cannot be opened."
        except (StoreAway, KeyringError):
            await store.letter_tried(connection, due.id)
            continue
        if email or why:
            await store.letter_done(connection, due.id, email, why)
        else:
            await store.letter_tried(connection, due.id)
        told += email is not None
        if why:
            _log.warning("desks.unsent", case=due.reference, why=why)
    return told


async def _tell(connection: Connection, mailer: Mailer, due: store.Due) -> tuple[UUID | None, str | None]:
    """The email that the gate took, or why it never will; neither: later."""
    if due.system is None or due.keyset is None:
        return None, "There is no programme with a tenant of its own to write from."
    now = await gate.now(connection)
    address = parse_address(mailer.operator.open(due.address_ct, places.case_reporter(due.case)).decode())
    await _ensure(connection, mailer, due, address, now)
    email = EmailAsked(
        (address.addr_spec,), reply_to=_reply_to(mailer, due), headers=_headers(mailer, due),
        tags={"category": CATEGORY}, template=TEMPLATES[due.kind],
        variables=_variables(mailer, due, now), id=ids.uuid7(now),
    )  # fmt: skip
    ask = Ask(Caller(system_tenant=due.system), (email,), "POST", "/report-abuse", idempotency=_once(mailer, due))
    answer = await mailer.deps.submit(ask)
    if isinstance(answer, Refused):
        again = PROBLEMS[answer.refusal.code].again
        return None, None if again else f"The gate refused it: {answer.refusal.code}."  # the sentence may name them
    assert answer.ids[0] is not None
    if await own.mail_state(connection, answer.ids[0]) == State.SUPPRESSED:
        return None, "The reporter's address is on the list of suppressions."
    return answer.ids[0], None


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
    return [sentence.format(_told(clocks[name], zone)) for name, sentence in _NEXT.items() if name in clocks]


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


async def _ensure(connection: Connection, mailer: Mailer, due: store.Due, address: Address, now: datetime) -> None:
    """Whoever Troth itself writes to is a recipient of the system tenant."""
    assert due.system is not None
    assert due.keyset is not None
    index = mailer.deps.secrets.blind_index().index(address.normal)
    if await people.find(connection, due.system, index) is not None:
        return
    person = ids.uuid7(now)
    key, wrapped = mailer.deps.keyring.tenant(due.system, due.keyset).new_person_key(person)
    sealed = key.seal(address.addr_spec.encode(), places.address(person))
    salt = secrets.token_bytes(32)
    await people.add(connection, people.NewPerson(person, due.system, index, sealed, wrapped, salt, now))


def _once(mailer: Mailer, due: store.Due) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps it to one mail a letter."""
    secret = mailer.deps.secrets.token_keys(Purpose.FINGERPRINT)[0]
    what = b"case-letter\0" + due.id.bytes
    return hmac.digest(secret, what, "sha256"), hmac.digest(secret, b"fingerprint\0" + what, "sha256")


def _told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
