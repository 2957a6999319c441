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
    pathway: str | None = None
    verified_at: datetime | None = None
    expires_at: datetime | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """timezone: an IANA name, or None for the tenant's own."""

    id: UUID
    tenant: UUID
    index: bytes
    address_ct: bytes
    data_key: bytes
    salt: bytes
    now: datetime
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class NewConfirmation:
    """hash: of the link's secret; code_hash: of the secret and the code. asked_by: key:ID, account:ID or troth. email:
    the mail that asks.
    """

    hash: bytes
    tenant: UUID
    person: UUID
    pathway: str
    code_hash: bytes
    valid_days: int
    agreement: bytes | None
    basis_ct: bytes | None
    asked_by: str
    email: UUID
    now: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """A recipient as it stands; keys are None of an erased one."""

    id: UUID
    status: int
    pathway: str | None
    verified_at: datetime | None
    expires_at: datetime | None
    erased_at: datetime | None
    created_at: datetime
    timezone: str | None
    agreement: bytes | None
    data_key: bytes | None
    address_ct: bytes | None


@dataclass(frozen=True, slots=True)
class ToRenew:
    """Somebody whose verification ends soon, with what the mail that asks again is made of."""

    id: UUID
    tenant_id: UUID
    blind_index: bytes
    data_key: bytes
    address_ct: bytes
    pathway: str
    expires_at: datetime
    agreement: bytes | None
    tenant_name: str
    keyset: bytes
    timezone: str


@dataclass(frozen=True, slots=True)
class ToAsk:
    """Somebody whom an import registered, with what the mail that asks is made of; no keys of an erased one."""

    id: UUID
    tenant_id: UUID
    blind_index: bytes
    data_key: bytes | None
    address_ct: bytes | None
    tenant_name: str
    keyset: bytes
    timezone: str


async def find(connection: Connection, tenant: UUID, index: bytes) -> Person | None:
    found = await rows(connection, _SQL["find_person"], {"tenant": tenant, "index": index}, Person)
    return found[0] if found else None


async def add(connection: Connection, person: NewPerson) -> bool:
    """False when somebody else added the address first; ask find() then."""
    params = {name: getattr(person, name) for name in NewPerson.__slots__}
    return bool(await tuples(connection, _SQL["add_person"], params))


async def set_zone(connection: Connection, tenant: UUID, person: UUID, timezone: str) -> None:
    await tuples(connection, _SQL["set_zone"], {"tenant": tenant, "person": person, "timezone": timezone})


async def system_tenants(connection: Connection, tenant: UUID) -> tuple[UUID, UUID] | None:
    """Who sends Troth's own mail for this tenant, and in whose rows all clients of the installation are counted."""
    found = await tuples(connection, _SQL["system_tenants"], {"tenant": tenant})
    return (found[0][0], found[0][1]) if found else None


async def add_confirmation(connection: Connection, row: NewConfirmation) -> None:
    await run(connection, _SQL["add_confirmation"], {name: getattr(row, name) for name in NewConfirmation.__slots__})


async def status(connection: Connection, tenant: UUID, person: UUID) -> Status | None:
    found = await rows(connection, _SQL["person_status"], {"tenant": tenant, "id": person}, Status)
    return found[0] if found else None


async def by_index(connection: Connection, tenant: UUID, index: bytes) -> Status | None:
    found = await rows(connection, _SQL["person_by_index"], {"tenant": tenant, "index": index}, Status)
    return found[0] if found else None


async def page_before(connection: Connection, tenant: UUID, before: UUID, limit: int) -> list[Status]:
    return await rows(connection, _SQL["page_before"], {"tenant": tenant, "before": before, "limit": limit}, Status)


async def page_after(connection: Connection, tenant: UUID, after: UUID, limit: int) -> list[Status]:
    return await rows(connection, _SQL["page_after"], {"tenant": tenant, "after": after, "limit": limit}, Status)


async def erase(connection: Connection, tenant: UUID, person: UUID) -> bool:
    """Whether somebody was erased: not who is not there, nor who was erased before."""
    async with connection.transaction():
        await tuples(connection, _SQL["act_for"], {"tenant": tenant})
        return bool((await tuples(connection, _SQL["erase"], {"tenant": tenant, "person": person}))[0][0])


async def expiry_duty(connection: Connection) -> int:
    """Tell of verifications that have ended; how many."""
    return int((await tuples(connection, _SQL["expiry_duty"], {}))[0][0])


async def to_renew(
    connection: Connection, now: datetime, until: datetime, since: datetime, limit: int
) -> list[ToRenew]:
    params = {"now": now, "until": until, "since": since, "limit": limit}
    return await rows(connection, _SQL["to_renew"], params, ToRenew)


async def to_ask(connection: Connection, now: datetime, each: int) -> list[ToAsk]:
    """Whom imports registered, `each` of a client at most, one client after the other."""
    return await rows(connection, _SQL["to_ask"], {"now": now, "each": each}, ToAsk)


async def ask_take(connection: Connection, person: UUID) -> bool:
    """Whether to ask them, in this very transaction; they are asked by no other."""
    return bool((await tuples(connection, _SQL["ask_take"], {"person": person}))[0][0])


async def ask_leave(connection: Connection, person: UUID, due: datetime | None) -> None:
    """Not now, but at `due`; None: not at all."""
    await tuples(connection, _SQL["ask_leave"], {"person": person, "due": due})
