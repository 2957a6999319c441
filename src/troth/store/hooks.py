"""Webhook deliveries, typed: claim, load, settle, how an endpoint does. Tokens fence off who held an older claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load as load_queries

_SQL = load_queries("hooks")
WAITING, CLAIMED, DELIVERED, GIVEN_UP = 1, 2, 3, 4
NOTICE_SENT, NOTICE_UNSENT = 2, 3


@dataclass(frozen=True, slots=True)
class Clocks:
    """`now` governs; `wall` is the true time, for what a receiver compares with its own clock."""

    now: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class EndpointDue:
    """An enabled endpoint with something to send; `failures` in a row."""

    id: UUID
    tenant_id: UUID
    url_ct: bytes
    keyset: bytes
    failures: int


@dataclass(frozen=True, slots=True)
class SecretRow:
    id: UUID
    endpoint_id: UUID
    secret_ct: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process sends until its lease ends. `attempts` counts this one; kind 0 is a test event."""

    id: int
    tenant_id: UUID
    endpoint_id: UUID
    message_id: UUID
    kind: int
    source_key: str
    at: datetime
    token: int
    attempts: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    """The sealed parts of a payload; keys are None when the person was erased."""

    id: int
    detail_ct: bytes | None
    email_id: UUID
    created_at: datetime
    scheduled_at: datetime | None
    template_snapshot: UUID | None
    person_id: UUID
    data_key: bytes | None
    address_ct: bytes | None
    body_ct: bytes | None
    message_state: int


@dataclass(frozen=True, slots=True)
class LoadedPerson:
    """Whom an event about a recipient is about, as the row stands; keys are None when the person was erased."""

    id: int
    person_id: UUID
    data_key: bytes | None
    address_ct: bytes | None
    pathway: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoadedAnomaly:
    """What an event about a client's sending is about; `client` is its code."""

    id: int
    client: str
    cause: str
    action: str
    n: int
    sentence: str
    review_due: datetime


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """An immutable version; `artefact` is JSON."""

    id: UUID
    code: str
    version: int
    artefact: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one claim. `made` False: nothing went out, so the attempt does not count."""

    claim: Claimed
    state: int
    due: datetime
    status: int | None = None
    error: str | None = None
    made: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """How one endpoint did in a round: whether any attempt was good, how many were bad, and the last one."""

    endpoint: UUID
    good: bool
    bad: int
    status: int | None
    error: str | None
    quiet: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A disabled endpoint whose administrators are still to be told."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    timezone: str
    keyset: bytes
    url_ct: bytes
    disabled_at: datetime
    disabled_why: str
    failing_since: datetime | None
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class Admin:
    """A client's administrator; the address is under the operator's keyset."""

    account_id: UUID
    address_ct: bytes


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits: deliveries, those of them that failed before, and the time of the oldest event."""

    waiting: int
    retrying: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`failing`: enabled, and their last attempt failed. `untold`: disabled, and no mail about it could be sent."""

    enabled: int
    disabled: int
    failing: int
    untold: int


async def clocks(connection: Connection) -> Clocks:
    return (await rows(connection, _SQL["now"], {}, Clocks))[0]


async def endpoints_due(connection: Connection, now: datetime) -> list[EndpointDue]:
    return await rows(connection, _SQL["endpoints_due"], {"now": now}, EndpointDue)


async def secrets(connection: Connection, endpoints: Sequence[UUID], now: datetime) -> list[SecretRow]:
    return await rows(connection, _SQL["secrets"], {"endpoints": list(endpoints), "now": now}, SecretRow)


async def claim(
    connection: Connection, endpoint: UUID, *, now: datetime, lease: timedelta, limit: int, busy: Sequence[int]
) -> list[Claimed]:
    """Up to `limit` deliveries of one endpoint, no two of a message; `busy` are left alone."""
    params = {"endpoint": endpoint, "now": now, "lease": lease, "limit": limit, "look": 64 + 8 * limit,
              "busy": list(busy)}  # fmt: skip
    return await rows(connection, _SQL["claim"], params, Claimed)


async def load(connection: Connection, claims: Sequence[Claimed]) -> dict[int, Loaded]:
    params = {"ids": [c.id for c in claims], "messages": [c.message_id for c in claims]}
    return {r.id: r for r in await rows(connection, _SQL["load"], params, Loaded)}


async def load_people(connection: Connection, claims: Sequence[Claimed]) -> dict[int, LoadedPerson]:
    if not claims:
        return {}
    return {r.id: r for r in await rows(connection, _SQL["load_people"], {"ids": [c.id for c in claims]}, LoadedPerson)}


async def load_anomalies(connection: Connection, claims: Sequence[Claimed]) -> dict[int, LoadedAnomaly]:
    if not claims:
        return {}
    found = await rows(connection, _SQL["load_anomalies"], {"ids": [c.id for c in claims]}, LoadedAnomaly)
    return {r.id: r for r in found}


async def templates(connection: Connection, ids: Sequence[UUID]) -> list[TemplateRow]:
    return await rows(connection, _SQL["templates"], {"ids": list(ids)}, TemplateRow)


async def settle(connection: Connection, settled: Sequence[Settled], now: datetime) -> set[int]:
    """In the caller's transaction; gives the ids whose claim still stood. What waited behind a done one is woken."""
    params = {
        "ids": [s.claim.id for s in settled],
        "tokens": [s.claim.token for s in settled],
        "states": [s.state for s in settled],
        "dues": [s.due for s in settled],
        "statuses": [s.status for s in settled],
        "errors": [s.error for s in settled],
        "unmade": [int(not s.made) for s in settled],
        "now": now,
    }
    stood = {row[0] for row in await tuples(connection, _SQL["settle"], params)}
    done = [s.claim for s in settled if s.state > CLAIMED and s.claim.id in stood]
    if done:
        where = {"endpoints": [c.endpoint_id for c in done], "messages": [c.message_id for c in done], "now": now}
        await run(connection, _SQL["wake"], where)
    return stood


async def note_health(connection: Connection, health: Health, now: datetime) -> datetime | None:
    """Since when the endpoint has been failing, None when it is not (or not there any more)."""
    params = {"endpoint": health.endpoint, "good": health.good, "bad": health.bad, "status": health.status,
              "error": health.error, "quiet": health.quiet, "now": now}  # fmt: skip
    found = await tuples(connection, _SQL["health"], params)
    return found[0][0] if found else None


async def disable(connection: Connection, endpoint: UUID, why: str, now: datetime) -> bool:
    """'failing' or 'gone'; False when somebody had disabled it already."""
    return bool(await tuples(connection, _SQL["disable"], {"endpoint": endpoint, "why": why, "now": now}))


async def notices(connection: Connection, now: datetime) -> list[Notice]:
    return await rows(connection, _SQL["notices"], {"now": now}, Notice)


async def noticed(connection: Connection, endpoint: UUID, notice: int, why: str | None, now: datetime) -> None:
    params = {"endpoint": endpoint, "notice": notice, "why": why, "now": now}
    await run(connection, _SQL["noticed"], params)


async def admins(connection: Connection, tenant: UUID) -> list[Admin]:
    return await rows(connection, _SQL["admins"], {"tenant": tenant}, Admin)


async def depth(connection: Connection) -> Depth:
    return (await rows(connection, _SQL["depth"], {}, Depth))[0]


async def endpoints(connection: Connection) -> Endpoints:
    return (await rows(connection, _SQL["endpoints"], {}, Endpoints))[0]


async def sweep(connection: Connection, now: datetime, kept: timedelta, limit: int = 5_000) -> int:
    """What is done and older than `kept`, what belongs to nobody, secrets that ended; how many rows went."""
    swept = await run(connection, _SQL["sweep_secrets"], {"now": now})
    swept += await run(connection, _SQL["sweep_stranded"], {"now": now})
    for query, params in (("sweep", {"now": now, "kept": kept, "limit": limit}), ("sweep_orphans", {"limit": limit})):
        gone = limit
        while gone == limit:
            gone = await run(connection, _SQL[query], params)
            swept += gone
    return swept
