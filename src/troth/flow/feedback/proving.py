"""Feedback: a mail's link is passed on with the mail, so what reaches beyond that mail takes a code, which is mailed to
the address itself. Where no code can be mailed, the client firm gets the request as a task with a clock.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from uuid import UUID

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.own_view import View
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.keys import ids, places
from troth.mail.address import Address, AddressError, parse_address
from troth.rules.problems import PROBLEMS
from troth.rules.states import State
from troth.store import callers, gate, own, people
from troth.store.connection import Connection

TEMPLATE, CATEGORY = "own-code", "confirmation"
LASTS = timedelta(minutes=30)  # as own_code has it
DIGITS = 6


class Act(IntEnum):
    """What a code is for; the numbers are own_code's."""

    COPY = 1
    ERASE = 2


WHAT = {Act.COPY: "a copy of everything that is held about you", Act.ERASE: "your erasure, which cannot be undone"}


@dataclass(frozen=True, slots=True)
class Mailed:
    """The code is on its way; its row's id."""

    code: UUID


@dataclass(frozen=True, slots=True)
class Tasked:
    """No code can be mailed: the firm answers the request, until then."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was done. often: this address was mailed enough codes of late."""

    often: bool


type Outcome = Mailed | Tasked | Later


def sealed(nonce: bytes, code_id: UUID, code: str) -> bytes:
    """For own_code.code_hash: the browser's nonce is stored nowhere, so that the hash alone finds no code."""
    return sha256(nonce + code_id.bytes + code.encode()).digest()


async def ask(deps: Deps, connection: Connection, view: View, act: Act, nonce: bytes) -> Outcome:
    """Mail a code for this act, which serves in this browser alone."""
    code_id, code = ids.uuid7(view.now), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    made = await own.ask_code(connection, code_id, view.row.id, act, sealed(nonce, code_id, code))
    if made != "made":
        return Later(often=True)
    mailed = await _mail(deps, connection, view, act, code)
    if mailed is None:
        return Tasked(await own.ask_firm(connection, ids.uuid7(view.now), view.row.id, act))
    return Mailed(code_id) if mailed else Later(often=False)


async def _mail(deps: Deps, connection: Connection, view: View, act: Act, code: str) -> bool | None:
    """True: it is on its way; False: it may be, later; None: this address is not mailed."""
    system = await callers.system_tenant(connection, view.row.tenant_id)
    address = _address(view.address)
    if system is None or address is None:
        return None
    await _ensure(deps, connection, system, view, address)
    email = EmailAsked(
        (address.addr_spec,), tags={"category": CATEGORY}, template=TEMPLATE, id=ids.uuid7(view.now),
        variables={
            "client": view.row.client[:120], "what": WHAT[act], "code": code,
            "expires": f"{view.now + LASTS:%H:%M} UTC",
        },
    )  # fmt: skip
    answer = await deps.submit(Ask(Caller(system_tenant=system), (email,), "POST", "/r"))
    if isinstance(answer, Refused):
        return False if PROBLEMS[answer.refusal.code].again else None
    assert answer.ids[0] is not None
    return None if await own.mail_state(connection, answer.ids[0]) == State.SUPPRESSED else True


def _address(text: str | None) -> Address | None:
    try:
        return parse_address(text or "")
    except AddressError:
        return None


async def _ensure(deps: Deps, connection: Connection, system: UUID, view: View, address: Address) -> None:
    """Whoever Troth itself writes to is a recipient of the system tenant."""
    index = view.row.blind_index
    if await people.find(connection, system, index) is not None:
        return
    [row] = await gate.tenants(connection, [system])
    person = ids.uuid7(view.now)
    key, wrapped = deps.keyring.tenant(system, row.keyset).new_person_key(person)
    made = key.seal(address.addr_spec.encode(), places.address(person))
    salt = secrets.token_bytes(32)
    await people.add(connection, people.NewPerson(person, system, index, made, wrapped, salt, view.now))
