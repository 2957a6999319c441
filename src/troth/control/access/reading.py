"""People with access: the accounts of the client that is looked at, or of the operator's staff, as shown."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.mail.address import AddressError, parse_address

PAGE = 50
MOST = 1000  # names that one search opens; they are sealed, so that the database cannot search them
STATES = ("open", "invited", "active", "unused", "leaving", "closed", "all")
UNNAMED = "name not readable"
_PEOPLE = "SELECT * FROM troth.people_v1(%s, %s, %s, %s, %s, %s, %s, %s)"
_NAMES = "SELECT id, human_id, name_ct FROM troth.account WHERE human_id = ANY(%s) OR id = ANY(%s) LIMIT 2000"
_SEALED = """
SELECT id, name_ct FROM troth.account
WHERE tenant_id IS NOT DISTINCT FROM %s AND (%s::uuid IS NULL OR id < %s) ORDER BY id DESC LIMIT %s
"""
_WAITING = """
SELECT id, subject, artefact, proposer_account, proposed_at FROM troth.change
WHERE kind = 'grant' AND state = 1 AND expires_at > troth.now_v1() AND tenant_id IS NOT DISTINCT FROM %s
ORDER BY proposed_at DESC LIMIT 50
"""
_ARRIVALS = """
SELECT id, name_ct, address_ct, first_at, last_at FROM troth.arrival
WHERE tenant_id = %s ORDER BY last_at DESC LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `state` as in STATES; `seconds`: kinds of second factors; `link_*`: of the newest invitation."""

    id: UUID
    human: UUID
    role: str
    name: str
    address: str = field(repr=False)
    index: bytes = field(repr=False)
    state: str
    created_at: datetime
    last_used_at: datetime | None
    left_at: datetime | None
    leaves_at: datetime | None
    disabled_at: datetime | None
    why: str | None
    unused_ends: datetime
    password_set: bool
    device: bool
    seconds: list[str]
    link_made: datetime | None
    link_ends: datetime | None
    link_used: bool | None
    sessions: int

    @property
    def second(self) -> bool:
        """A device's credential is two factors by itself."""
        return bool(self.seconds) or self.device

    @property
    def to_come(self) -> bool:
        """Nobody could sign in with it yet: an invitation is what it waits for."""
        return self.disabled_at is None and not self.password_set


@dataclass(frozen=True, slots=True)
class Asked:
    """What narrows the list. `indexes`: of a whole address, one a layer; `part`: of a name, casefolded."""

    state: str = "open"
    role: str | None = None
    indexes: list[bytes] | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`older`: behind whom the next page begins; `cut`: a search that looked at MOST, and goes on there."""

    found: list[Person]
    older: UUID | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A grant that two people have not agreed on yet."""

    change: UUID
    account: UUID
    name: str
    role: str
    retired: bool
    by: UUID
    at: datetime
    index: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom the firm's own sign-on vouched for, and who has no access."""

    id: UUID
    name: str
    address: str = field(repr=False)
    first_at: datetime
    last_at: datetime


def page(actor: Actor, asked: Asked, before: UUID | None) -> Page:
    """The newest first; a part of a name is looked for in MOST accounts."""
    wanted, reached = _named(actor, asked.part, before) if asked.part else (None, None)
    state, role, indexes = asked.state, asked.role, asked.indexes
    got = rows(_PEOPLE, actor.secret, actor.scope, wanted, state, role, indexes, before, PAGE + 1)
    found = [_person(each) for each in got[:PAGE]]
    return Page(found, found[-1].id if len(got) > PAGE else reached, reached is not None)


def _named(actor: Actor, part: str, before: UUID | None) -> tuple[list[UUID], UUID | None]:
    """Whose name has this part in it, and where the search stopped, if there are more people."""
    got = rows(_SEALED, actor.scope, before, before, MOST + 1)
    found = [one for one, sealed in got[:MOST] if part in opened(bytes(sealed), one, "name").casefold()]
    return found, got[MOST - 1][0] if len(got) > MOST else None


def access_person(actor: Actor, account: UUID) -> Person:
    """Raise Http404 for nobody, and for somebody who is not of those who are looked at."""
    found = row(_PEOPLE, actor.secret, actor.scope, [account], "all", None, None, None, 1)
    if found is None:
        raise Http404
    return _person(found)


def by_address(actor: Actor, indexes: list[bytes]) -> Person | None:
    found = row(_PEOPLE, actor.secret, actor.scope, None, "all", None, indexes, None, 1)
    return _person(found) if found else None


def indexes_of(address: str) -> list[bytes]:
    """One a layer, the newest first; raises AddressError."""
    layers = settings.TROTH_KEYS().secrets.blind_index().all_layers(parse_address(address).normal)
    return [index for _, index in layers]


def asked(state: str, role: str, q: str) -> Asked:
    """What somebody typed: a whole address is looked up, anything else is a part of a name."""
    try:
        return Asked(state, role or None, indexes_of(q) if "@" in q else None, "" if "@" in q else q.casefold())
    except AddressError:
        return Asked(state, role or None, None, q.casefold())


def waiting(actor: Actor) -> list[Waiting]:
    """Who is proposed to get, change or lose access."""
    return [_waiting(*each) for each in rows(_WAITING, actor.scope)]


def _waiting(change: UUID, account: UUID, artefact: str, by: UUID, at: datetime) -> Waiting:
    given: dict[str, Any] = json.loads(artefact)
    name = opened(base64.b64decode(given["name_ct"]), account, "name")
    return Waiting(change, account, name, given["role"], given.get("retired", False), by, at, given["address_index"])


def arrivals(actor: Actor) -> list[Arrival]:
    if actor.scope is None:
        return []
    keyset = row("SELECT keyset FROM troth.tenant WHERE id = %s", actor.scope)
    assert keyset is not None
    keys = settings.TROTH_KEYS().keyring.tenant(actor.scope, bytes(keyset[0]))
    return [
        Arrival(
            one,
            keys.open(bytes(name), places.arrival(one, "name")).decode(),
            keys.open(bytes(address), places.arrival(one, "address")).decode(),
            first,
            last,
        )
        for one, name, address, first, last in rows(_ARRIVALS, actor.scope)
    ]


def names(ids: list[UUID]) -> dict[UUID, str]:
    """Names by the ids of accounts and humans, of those whom this transaction may see."""
    found: dict[UUID, str] = {}
    for account, human, name_ct in rows(_NAMES, ids, ids) if ids else []:
        found[account] = found[human] = opened(bytes(name_ct), account, "name")
    return found


def opened(sealed: bytes, account: UUID, column: str) -> str:
    """What cannot be opened is said, not hidden: the account is there all the same."""
    try:
        text: bytes = settings.TROTH_KEYS().operator.open(sealed, places.account(account, column))
    except Undecryptable:
        return UNNAMED
    return text.decode()


def _person(each: tuple[Any, ...]) -> Person:
    account, human, role, name_ct, address_ct, index, *rest = each
    name, address = opened(bytes(name_ct), account, "name"), opened(bytes(address_ct), account, "address")
    return Person(account, human, role, name, address, bytes(index), *rest)
