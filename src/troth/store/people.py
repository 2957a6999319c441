"""Recipients of a tenant, typed: finding, adding, and the confirmation that verifies them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("people")


@dataclass(frozen=True, slots=True)
class Person:
    """status: 1 pending, 2 verified, 4 erased. `data_key` is wrapped by the tenant's keyset."""

    id: UUID
    data_key: bytes | None
    status: int
    verified_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    id: UUID
    tenant: UUID
    index: bytes
    address_ct: bytes
    data_key: bytes
    salt: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Status:
    id: UUID
    status: int
    pathway: str | None
    verified_at: datetime | None
    expires_at: datetime | None
    erased_at: datetime | None
    created_at: datetime


async def find(connection: Connection, tenant: UUID, index: bytes) -> Person | None:
    found = await rows(connection, _SQL["find_person"], {"tenant": tenant, "index": index}, Person)
    return found[0] if found else None


async def add(connection: Connection, person: NewPerson) -> bool:
    """False when somebody else added the address first; ask find() then."""
    params = {name: getattr(person, name) for name in NewPerson.__slots__}
    return bool(await tuples(connection, _SQL["add_person"], params))


async def add_confirmation(
    connection: Connection,
    *,
    tenant: UUID,
    person: UUID,
    pathway: str,
    secret_hash: bytes,
    now: datetime,
    ends: datetime,
) -> None:
    params = {"tenant": tenant, "person": person, "pathway": pathway, "hash": secret_hash, "now": now, "ends": ends}
    await run(connection, _SQL["add_confirmation"], params)


async def status(connection: Connection, tenant: UUID, person: UUID) -> Status | None:
    found = await rows(connection, _SQL["person_status"], {"tenant": tenant, "id": person}, Status)
    return found[0] if found else None
