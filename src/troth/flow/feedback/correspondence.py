"""Feedback: one mail of ours to somebody outside, through the gate like all mail, from a programme's own tenant, so
that a suppressed address gets none of it. Reports (desks_mail.py) and questions (asked_mail.py) are answered by it.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from troth.flow.feedback.deps import Deps
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.keys import ids, places
from troth.keys.errors import KeyringError, Undecryptable
from troth.keys.installation import Purpose
from troth.keys.keyring import TenantKeys
from troth.mail.address import Address
from troth.rules.problems import PROBLEMS
from troth.rules.states import State
from troth.store import own, people
from troth.store.connection import Connection

CATEGORY = "correspondence"
NOBODY_WRITES = "There is no programme with a tenant of its own to write from."
SUPPRESSED = "The {} address is on the list of suppressions."

type Outcome = tuple[UUID | None, str | None]  # the email that the gate took, or why it never will; neither: later


@dataclass(frozen=True, slots=True)
class Mailer:
    """`deps.submit` is the gate. `links` starts every link; `domain`: where our mail is taken, "" where none is."""

    deps: Deps
    operator: TenantKeys
    links: str
    domain: str


@dataclass(frozen=True, slots=True)
class Post:
    """One mail. `system`: the tenant that writes, with its wrapped keyset. `once`: what makes it one, however often it
    is handed over; `path`: the page that it comes from; `whose`: of whom a suppression is told.
    """

    system: UUID
    keyset: bytes
    address: Address
    email: EmailAsked
    once: bytes
    path: str
    whose: str


class Due(Protocol):
    """One mail that a store has for us."""

    @property
    def id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Desk[Letter: Due]:
    """Whose mail it is. `tell` posts one; `done` and `tried` are the store's: its end, and that it was begun;
    `unsent` says of one why it never goes; `unopened` is why where a key does not open what is needed.
    """

    tell: Callable[[Connection, Mailer, Letter], Awaitable[Outcome]]
    done: Callable[[Connection, UUID, UUID | None, str | None], Awaitable[None]]
    tried: Callable[[Connection, UUID], Awaitable[None]]
    unsent: Callable[[Letter, str], None]
    unopened: str


async def post_all[Letter: Due](
    connection: Connection, mailer: Mailer, found: Iterable[Letter], desk: Desk[Letter]
) -> int:
    """All of these; how many the gate took. What fails for now is tried again later."""
    taken = 0
    for one in found:
        try:
            email, why = await desk.tell(connection, mailer, one)
        except Undecryptable:
            email, why = None, desk.unopened
        except (StoreAway, KeyringError):
            email, why = None, None
        if email or why:
            await desk.done(connection, one.id, email, why)
        else:
            await desk.tried(connection, one.id)
        taken += email is not None
        if why:
            desk.unsent(one, why)
    return taken


async def post(connection: Connection, mailer: Mailer, one: Post, now: datetime) -> Outcome:
    """Over to the gate."""
    await _ensure(connection, mailer, one, now)
    ask = Ask(Caller(system_tenant=one.system), (one.email,), "POST", one.path, idempotency=_once(mailer, one.once))
    answer = await mailer.deps.submit(ask)
    if isinstance(answer, Refused):
        again = PROBLEMS[answer.refusal.code].again
        return None, None if again else f"The gate refused it: {answer.refusal.code}."  # the sentence may name them
    assert answer.ids[0] is not None
    if await own.mail_state(connection, answer.ids[0]) == State.SUPPRESSED:
        return None, SUPPRESSED.format(one.whose)
    return answer.ids[0], None


def told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")


async def _ensure(connection: Connection, mailer: Mailer, one: Post, now: datetime) -> None:
    """Whoever Troth itself writes to is a recipient of the system tenant."""
    index = mailer.deps.secrets.blind_index().index(one.address.normal)
    if await people.find(connection, one.system, index) is not None:
        return
    person = ids.uuid7(now)
    key, wrapped = mailer.deps.keyring.tenant(one.system, one.keyset).new_person_key(person)
    sealed = key.seal(one.address.addr_spec.encode(), places.address(person))
    salt = secrets.token_bytes(32)
    await people.add(connection, people.NewPerson(person, one.system, index, sealed, wrapped, salt, now))


def _once(mailer: Mailer, what: bytes) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps it to one mail a letter."""
    secret = mailer.deps.secrets.token_keys(Purpose.FINGERPRINT)[0]
    return hmac.digest(secret, what, "sha256"), hmac.digest(secret, b"fingerprint\0" + what, "sha256")
