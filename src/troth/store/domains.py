"""Sending domains, typed: which to ask the DNS about, what it said of them, and the steps of their DKIM keys."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("domains")


@dataclass(frozen=True, slots=True)
class DomainToCheck:
    """A sending domain, its active DKIM key (None: not made yet) and the policy documents above it, as JSON text.
    `open`: it may send now; `broken_at`: since when it does not hold any more, having held; `at`: when this look
    begins.
    """

    domain_id: UUID
    tenant_id: UUID
    name: str
    selector: str | None
    public_der: bytes | None
    last_good_at: datetime | None
    open: bool
    broken_at: datetime | None
    keyset: bytes
    at: datetime
    promise: str | None
    operator: str | None
    tenant: str | None


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key beside the active one: `state` is pending or overlapping."""

    id: UUID
    domain_id: UUID
    selector: str
    public_der: bytes
    state: str
    seen_at: datetime | None
    overlap_ends: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look makes of a domain; `failed`: the DNS did not answer; `path`: its own return path holds."""

    ready: bool
    failed: bool
    path: bool
    findings: list[Any]
    views: list[Any]
    grace: timedelta


@dataclass(frozen=True, slots=True)
class DueDomain:
    domain_id: UUID
    tenant_id: UUID
    name: str
    keyset: bytes


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair made for a rotation, its private part sealed under the client's keyset."""

    selector: str
    private_ct: bytes
    public_der: bytes
    bits: int


async def to_check(connection: Connection, age: timedelta) -> list[DomainToCheck]:
    return await rows(connection, _SQL["to_check"], {"age": age}, DomainToCheck)


async def other_keys(connection: Connection, domains: Sequence[UUID]) -> dict[UUID, list[OtherKey]]:
    found: dict[UUID, list[OtherKey]] = defaultdict(list)
    for key in await rows(connection, _SQL["other_keys"], {"domains": list(domains)}, OtherKey):
        found[key.domain_id].append(key)
    return found


async def checked(connection: Connection, domain: DomainToCheck, verdict: Verdict) -> datetime | None:
    """Since when it does not hold, having held; None: it holds, or it never did."""
    params = {"domain": domain.domain_id, "tenant": domain.tenant_id, "ready": verdict.ready, "failed": verdict.failed,
              "path": verdict.path, "findings": json.dumps(verdict.findings), "views": json.dumps(verdict.views),
              "grace": verdict.grace, "at": domain.at}  # fmt: skip
    found = await tuples(connection, _SQL["checked"], params)
    return found[0][0] if found else None


async def due(connection: Connection, after: timedelta) -> list[DueDomain]:
    """Domains in order whose active key has worked for `after`, 20 at most."""
    return await rows(connection, _SQL["due"], {"after": after}, DueDomain)


async def begin(connection: Connection, domain: UUID, key: NewKey, after: timedelta) -> UUID | None:
    """None: another process was first, or it is not due."""
    params = {"domain": domain, "selector": key.selector, "private": key.private_ct, "public": key.public_der,
              "bits": key.bits, "after": after}  # fmt: skip
    made: UUID | None = (await tuples(connection, _SQL["begin"], params))[0][0]
    return made


async def looked(connection: Connection, key: UUID, *, everywhere: bool, settle: timedelta, overlap: timedelta) -> str:
    """What became of a waiting key: pending, or active (`first`: of a domain that had none)."""
    params = {"key": key, "everywhere": everywhere, "settle": settle, "overlap": overlap}
    state: str = (await tuples(connection, _SQL["looked"], params))[0][0]
    return state


async def end(connection: Connection, patience: timedelta) -> int:
    """How many keys had their time: overlaps that are over, rotations whose record did not come in `patience`."""
    ended: int = (await tuples(connection, _SQL["end"], {"patience": patience}))[0][0]
    return ended


async def tell(connection: Connection, domain: UUID, case: UUID, what: str) -> int:
    """How many people are told by mail; once for each case."""
    told: int = (await tuples(connection, _SQL["tell"], {"domain": domain, "case": case, "what": what}))[0][0]
    return told
