"""Feedback: what a recipient's own page shows: one message and its recipient, read by the signed link in the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.flow.feedback import opt_out
from troth.flow.feedback.deps import Deps
from troth.flow.gate.recall import opener
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.installation import Purpose
from troth.keys.keyring import PersonKey
from troth.mail.own_link import PURPOSE
from troth.mail.tokens import read_token
from troth.rules.consent import NEEDED, Entry, lawful_basis, standing
from troth.store import gate, own
from troth.store.connection import Connection

ERASED = 4


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of email that the firm sends; `on`: the recipient may get it. asks: it is sent on consent."""

    id: UUID
    code: str
    name: str
    purpose: str
    required: bool
    asks: bool
    on: bool

    @property
    def shown(self) -> str:
        return f"{self.id}:{'on' if self.on else 'off'}"


@dataclass(frozen=True, slots=True)
class View:
    """`scope`: what an opt-out covers; `key` opens what is sealed for the recipient, None when erased; `said` is the
    category as it was approved when the message was accepted.
    """

    now: datetime
    row: own.LetterRow
    said: dict[str, Any]
    basis: str
    scope: str
    categories: tuple[Category, ...]
    consents: tuple[own.ConsentRow, ...]
    key: PersonKey | None
    address: str | None

    @property
    def erased(self) -> bool:
        return self.row.status == ERASED

    @property
    def over(self) -> bool:
        """Nothing more is shown: they were erased, or took back what Troth's own mail asked."""
        return self.erased or (self.row.system and self.row.withdrawn_at is not None)

    @property
    def stops(self) -> dict[str, frozenset[UUID]]:
        """What could be switched off in one go, with the categories that it takes."""
        on = frozenset(each.id for each in self.categories if each.on)
        if self.row.listed or not on:
            return {}
        if self.scope == "all":
            return {"all": on}
        this = on & {self.row.category_id}
        return {**({"category": this} if this else {}), **({"firm": on} if on != this else {})}

    @property
    def shown(self) -> tuple[str, ...]:
        """What the form of switches shows: what one covers, then each box with its state."""
        return (self.scope, *(each.shown for each in self.categories))


@dataclass(frozen=True, slots=True)
class Told:
    """A report as it was typed. stop: the boxes of `View.stops` that were ticked with it."""

    reason: str = ""
    words: str = ""
    stop: frozenset[str] = frozenset()


async def message_of(deps: Deps, connection: Connection, token: str) -> tuple[UUID, datetime]:
    """The message that a link names, and now; TokenError for a link that is not to be obeyed."""
    now = await gate.now(connection)
    keys = deps.secrets.token_keys(Purpose.UNSUBSCRIBE)
    return UUID(bytes=read_token(keys, PURPOSE, token, now)), now


async def view(deps: Deps, connection: Connection, message: UUID, now: datetime) -> View | None:
    """None when the message is gone: what is kept of it has ended."""
    row = await own.letter(connection, message)
    if row is None:
        return None
    letter = await opt_out.letter(deps, connection, message, now)
    scope = letter.scope if letter else "all"
    shown = await own.categories(connection, row.tenant_id, row.blind_index)
    consents = await own.consents(connection, row.tenant_id, row.person_id)
    key = opener(deps.keyring)(row.tenant_id, row.keyset, row.data_key, row.person_id)
    said = msgspec.json.decode(row.artefact)
    categories = tuple(_category(each, consents, now) for each in shown)
    return View(now, row, said, lawful_basis(said), scope, categories, tuple(consents), key, _address(row, key))


def _category(row: own.CategoryRow, consents: Sequence[own.ConsentRow], now: datetime) -> Category:
    said = msgspec.json.decode(row.artefact)
    asks = lawful_basis(said) == NEEDED
    given = (
        Entry(None if c.category_id is None else str(c.category_id), c.kind, c.basis, c.at, c.expires_at)
        for c in consents
    )
    on = not row.out and (not asks or standing(given, str(row.id), now).state == "held")
    return Category(row.id, row.code, said["name"], said["purpose"], said["legal_class"] == "required", asks, on)


def _address(row: own.LetterRow, key: PersonKey | None) -> str | None:
    if key is None or row.address_ct is None:
        return None
    try:
        return key.open(row.address_ct, places.address(row.person_id)).decode()
    except Undecryptable:
        return None
