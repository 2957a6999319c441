"""The hot queue, typed: claim, load, mark, and the ways back. Tokens fence off whoever held an older claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.store.arrays import Times
from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("spool")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A spool row that this worker holds until its lease ends. `was` is its state before; was=4 means uncertain.

    `released`: two people let it go from its hold. `counted`: the limits counted it in this moment's windows.
    """

    message_id: UUID
    tenant_id: UUID
    email_id: UUID
    person_id: UUID
    blind_index: bytes
    category_id: UUID
    category_snapshot: UUID
    template_snapshot: UUID | None
    domain_id: UUID
    lifetime_ends: datetime
    token: int
    attempts: int
    schedule: str | None
    schedule_attempts: int
    first_failed_at: datetime | None
    lost_claims: int
    counted: datetime
    was: int
    was_due: datetime
    released: bool
    on_consent: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """The sealed parts of one message; `data_key` and `address_ct` are None when its person was erased.

    `told` is the state that its events tell; a claim and a mark tell none.
    """

    message_id: UUID
    body_ct: bytes
    data_key: bytes | None
    address_ct: bytes | None
    keyset: bytes
    told: int
    scheduled_at: datetime | None
    timezone: str | None
    tenant_timezone: str
    tenant_name: str
    postal_address: str


@dataclass(frozen=True, slots=True)
class PersonKeyRow:
    id: UUID
    tenant_id: UUID
    data_key: bytes | None
    address_ct: bytes | None


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    domain_id: UUID
    tenant_id: UUID
    name: str
    selector: str
    bits: int
    private_ct: bytes
    keyset: bytes
    return_path: str | None


@dataclass(frozen=True, slots=True)
class LiveTenant:
    """Which programme, profile and plan a tenant is of."""

    tenant_id: UUID
    plan: str
    programme: str
    profile: str


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """A document in force: kind is policy, or category, whose artefact holds one under `policy`."""

    subject: UUID
    tenant_id: UUID | None
    kind: str
    code: str
    artefact: str


@dataclass(frozen=True, slots=True)
class Depth:
    waiting: int
    all: int
    oldest: datetime | None


async def claim(
    connection: Connection, *, now: datetime, floor: datetime, limit: int, lease: timedelta
) -> list[Claimed]:
    """Up to `limit` rows that are due, oldest first; other workers skip them until the lease ends."""
    params = {"now": now, "floor": floor, "limit": limit, "lease": lease}
    return await rows(connection, _SQL["claim"], params, Claimed)


async def load_parts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Loaded]:
    return {r.message_id: r for r in await rows(connection, _SQL["load"], {"ids": list(ids)}, Loaded)}


async def person_keys(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, PersonKeyRow]:
    return {r.id: r for r in await rows(connection, _SQL["person_keys"], {"ids": list(ids)}, PersonKeyRow)}


async def mark(
    connection: Connection,
    *,
    claims: Sequence[tuple[UUID, int]],
    lease: timedelta,
    route: str,
    quiet_from: Sequence[datetime | None] | None = None,
) -> dict[UUID, int]:
    """The linearisation point: a verdict for each claim (rules/mark.py); only those with 0 may be put on the wire.

    `quiet_from`: for each claim when its recipient's quiet hours begin, None for never.
    """
    quiet = Times(quiet_from or [None] * len(claims))
    params = {"lease": lease, "route": route, "quiet_from": quiet, **_pairs(claims)}
    return dict(await tuples(connection, _SQL["mark"], params))


async def unmark(connection: Connection, *, due: datetime, claims: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Marked but nothing put on the wire: back to the queue."""
    return await _back(connection, "unmark", claims, {"due": due})


async def give_back(connection: Connection, *, due: datetime, claims: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Claimed but not marked: back to the queue as if never claimed."""
    return await _back(connection, "give_back", claims, {"due": due})


async def renew(
    connection: Connection, *, now: datetime, lease: timedelta, claims: Sequence[tuple[UUID, int]]
) -> set[UUID]:
    """Moves the leases on; returns those still held."""
    return await _back(connection, "renew", claims, {"now": now, "lease": lease})


async def release_change(connection: Connection, message: UUID) -> UUID | None:
    """The change by which two people let a message go; None when nobody did."""
    found = await tuples(connection, _SQL["release_change"], {"id": message})
    return found[0][0] if found else None


async def signing_keys(connection: Connection, domains: Sequence[UUID]) -> dict[UUID, SigningKeyRow]:
    found = await rows(connection, _SQL["signing_keys"], {"domains": list(domains)}, SigningKeyRow)
    return {r.domain_id: r for r in found}


async def live_tenants(connection: Connection, tenants: Sequence[UUID]) -> list[LiveTenant]:
    return await rows(connection, _SQL["live_tenants"], {"tenants": list(tenants)}, LiveTenant)


async def live_policies(
    connection: Connection, tenants: Sequence[UUID], categories: Sequence[UUID]
) -> list[LivePolicy]:
    params = {"tenants": list(tenants), "categories": list(categories)}
    return await rows(connection, _SQL["live_policies"], params, LivePolicy)


async def depth(connection: Connection) -> Depth:
    return (await rows(connection, _SQL["depth"], {}, Depth))[0]


def _pairs(claims: Sequence[tuple[UUID, int]]) -> dict[str, Any]:
    return {"ids": [i for i, _ in claims], "tokens": [t for _, t in claims]}


async def _back(
    connection: Connection, query: str, claims: Sequence[tuple[UUID, int]], more: dict[str, Any]
) -> set[UUID]:
    return {row[0] for row in await tuples(connection, _SQL[query], {**_pairs(claims), **more})}
