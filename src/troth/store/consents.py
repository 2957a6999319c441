"""The consent ledger's rows, typed: what the gate weighs, what is written with an act of the recipient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.arrays import Byteas, Smallints, Texts, Times, Uuids
from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("consents")


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """`kind`: 1 express, 2 implied, 3 withdrawn; `category_id` None: all of the client's categories."""

    person_id: UUID
    category_id: UUID | None
    kind: int
    basis: str
    at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewConsent:
    """`at` None: now. `detail_ct`: sealed to keys/places.consent of its id; None for a withdrawal that says no more."""

    id: UUID
    person: UUID
    category: UUID | None
    kind: int
    basis: str
    at: datetime | None = None
    expires_at: datetime | None = None
    detail_ct: bytes | None = None


async def of_people(connection: Connection, people: Sequence[UUID]) -> list[ConsentRow]:
    """The newest hundred of each, which is more than a person's hand makes; an older one is as good as none."""
    return await rows(connection, _SQL["consents_of_people"], {"people": list(people)}, ConsentRow)


async def category(connection: Connection, tenant: UUID, code: str) -> UUID | None:
    """The tenant's category of this code, while it is in use."""
    found = await tuples(connection, _SQL["consent_category"], {"tenant": tenant, "code": code})
    return found[0][0] if found else None


async def record(connection: Connection, tenant: UUID, new: Sequence[NewConsent]) -> int:
    """How many of these are new; with their entry of the ledger."""
    params = {
        "tenant": tenant, "ids": Uuids(c.id for c in new), "persons": Uuids(c.person for c in new),
        "categories": Uuids(c.category for c in new), "kinds": Smallints(c.kind for c in new),
        "bases": Texts(c.basis for c in new), "at": Times(c.at for c in new),
        "expires": Times(c.expires_at for c in new), "details": Byteas(c.detail_ct for c in new),
    }  # fmt: skip
    made: int = (await tuples(connection, _SQL["consent_record"], params))[0][0]
    return made
