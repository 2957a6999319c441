"""What the gate reads and writes, typed: facts in one round trip a batch, then counters, then the spool.

What is built for every message is a frozen msgspec Struct, as the rules' facts are (see rules/facts.py for why).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from uuid import UUID

from msgspec import Struct

from troth.store.arrays import Booleans, Byteas, Smallints, Texts, Times, Uuids, packed, shape
from troth.store.connection import Connection, rows, run, send_all, together, tuples
from troth.store.counters import Amounts, counter_arrays
from troth.store.counters import Counter as Counter  # noqa: PLC0414 - the gate's callers know one module
from troth.store.counters import CounterKey as CounterKey  # noqa: PLC0414 - as above
from troth.store.counters import adjust as adjust  # noqa: PLC0414 - as above
from troth.store.counters import free as free  # noqa: PLC0414 - as above
from troth.store.counters import give_back as give_back  # noqa: PLC0414 - as above
from troth.store.counters import lock_counters as lock_counters  # noqa: PLC0414 - as above
from troth.store.counters import reserve as reserve  # noqa: PLC0414 - as above
from troth.store.events import EventRow, insert_statement
from troth.store.queries import load

_SQL = load("gate")


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A client firm, or a programme's system tenant (kind 2). `keyset` is wrapped by the KMS."""

    tenant_id: UUID
    programme_id: UUID
    tenant_code: str
    tenant_name: str
    tenant_kind: int
    tenant_state: int
    timezone: str
    plan: str
    keyset: bytes
    postal_address: str
    programme_code: str
    programme_domain: str
    profile: str


@dataclass(frozen=True, slots=True)
class KeyRow(TenantRow):
    """An API key by one of its secrets. `approved`: its version is not stopped; `networks`: empty is anywhere."""

    hash: bytes
    key_id: UUID
    scope_snapshot: UUID
    expires_at: datetime
    revoked_at: datetime | None
    networks: list[IPv4Network | IPv6Network]
    test: bool
    last_used_at: datetime | None
    approved: bool


@dataclass(frozen=True, slots=True)
class PauseRow:
    """An unreleased pause; tenant None stops the whole installation, category None all of the tenant's mail."""

    tenant_id: UUID | None
    category_id: UUID | None
    effect: str
    started_by: str


@dataclass(frozen=True, slots=True)
class GovernedRow:
    """What is in force under a code; kind is category, template, policy or domain; tenant None means above tenants."""

    tenant_id: UUID | None
    kind: str
    code: str
    subject: UUID
    snapshot_id: UUID
    retired: bool
    version: int
    digest: bytes
    revoked: bool


@dataclass(frozen=True, slots=True)
class ProposedRow:
    """A category or template that waits for its second person."""

    tenant_id: UUID
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    id: UUID
    kind: str
    tenant_id: UUID | None
    subject: UUID
    code: str
    version: int
    artefact: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class DomainRow:
    tenant_id: UUID
    name: str
    domain_id: UUID
    ready_until: datetime
    checked_at: datetime | None
    last_good_at: datetime | None
    lookup_failed: bool
    findings: list[dict[str, Any]]


class PersonRow(Struct, frozen=True):
    """The answer to one (tenant, index); `person_id` is None for a stranger. `reason` and `own` are of
    the suppression that weighs most; `overridden`: all of them are.
    """

    n: int
    person_id: UUID | None
    data_key: bytes | None
    status: int | None
    pathway: str | None
    verified_at: datetime | None
    expires_at: datetime | None
    timezone: str | None
    reason: int | None
    own: bool
    overridden: bool
    opted_out: list[UUID]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an Idempotency-Key was answered with; `answer` holds ids only; of a registration it is sealed."""

    tenant_id: UUID
    key_hash: bytes
    fingerprint: bytes
    answer: str


class NewEmail(Struct, frozen=True):
    id: UUID
    tenant_id: UUID
    api_key_id: UUID | None
    category_id: UUID
    category_snapshot: UUID
    template_snapshot: UUID | None
    policy_digest: bytes
    created_at: datetime
    scheduled_at: datetime | None
    recipients: int


class NewMessage(Struct, frozen=True):
    """A message with its sealed body; it gets a spool row unless its state is final.

    `counted`: the moment in whose windows the limits counted it, and when that one's day began for the client.
    """

    id: UUID
    email_id: UUID
    tenant_id: UUID
    person_id: UUID
    blind_index: bytes
    category_id: UUID
    category_snapshot: UUID
    template_snapshot: UUID | None
    domain_id: UUID
    field: int
    created_at: datetime
    decision_ct: bytes
    facts_ct: bytes
    body_ct: bytes
    state: int
    due: datetime
    lifetime_ends: datetime
    counted: datetime
    counted_day: datetime
    on_consent: bool


class NewRequest(Struct, frozen=True):
    """One row of the API request log; a refusal carries its decision, sealed under the tenant's keyset."""

    id: UUID
    tenant_id: UUID | None
    api_key_id: UUID | None
    at: datetime
    method: str
    route: str
    status: int
    problem: str | None
    email_id: UUID | None
    decision_ct: bytes | None
    facts_ct: bytes | None


_EMAIL = shape(
    id=Uuids, tenant_id=Uuids, api_key_id=Uuids, category_id=Uuids, category_snapshot=Uuids, template_snapshot=Uuids,
    policy_digest=Byteas, created_at=Times, scheduled_at=Times, recipients=Smallints,
)  # fmt: skip
_MESSAGE = shape(
    id=Uuids, email_id=Uuids, tenant_id=Uuids, person_id=Uuids, blind_index=Byteas, category_id=Uuids, field=Smallints,
    created_at=Times, decision_ct=Byteas, facts_ct=Byteas, state=Smallints,
)  # fmt: skip
_BODY = shape(id=Uuids, tenant_id=Uuids, body_ct=Byteas)
_SPOOL = shape(
    id=Uuids, tenant_id=Uuids, email_id=Uuids, person_id=Uuids, blind_index=Byteas, category_id=Uuids,
    category_snapshot=Uuids, template_snapshot=Uuids, domain_id=Uuids, state=Smallints, due=Times, lifetime_ends=Times,
    counted=Times, counted_day=Times, on_consent=Booleans,
)  # fmt: skip
_REQUEST = shape(
    id=Uuids, tenant_id=Uuids, api_key_id=Uuids, at=Times, method=Texts, route=Texts, status=Smallints, problem=Texts,
    email_id=Uuids, decision_ct=Byteas, facts_ct=Byteas,
)  # fmt: skip


async def now(connection: Connection) -> datetime:
    """The database's clock: read once a batch and handed on."""
    found: datetime = (await tuples(connection, _SQL["now"], {}))[0][0]
    return found


async def keys(connection: Connection, hashes: Sequence[bytes]) -> list[KeyRow]:
    return await rows(connection, _SQL["keys_by_hash"], {"hashes": list(hashes)}, KeyRow)


async def tenants(connection: Connection, ids: Sequence[UUID]) -> list[TenantRow]:
    return await rows(connection, _SQL["tenants_by_id"], {"tenants": list(ids)}, TenantRow)


@dataclass(frozen=True, slots=True)
class FactRows:
    """One batch's facts. `people` are in the order asked."""

    keys: list[KeyRow]
    system: list[TenantRow]
    pauses: list[PauseRow]
    governed: list[GovernedRow]
    proposed: list[ProposedRow]
    domains: list[DomainRow]
    people: list[PersonRow]
    kept: list[KeptAnswer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch must know: by key hash, by tenant (those of the keys included), by (tenant, blind index)."""

    now: datetime
    hashes: Sequence[bytes]
    system: Sequence[UUID]
    tenants: Sequence[UUID]
    people: Sequence[tuple[UUID, bytes]]
    idempotency: Sequence[tuple[UUID, bytes]]


async def facts(connection: Connection, wanted: Wanted) -> FactRows:
    """All that a batch must know, in one round trip."""
    ids = {"tenants": list(wanted.tenants)}
    people = {
        "tenants": Uuids(t for t, _ in wanted.people),
        "indexes": Byteas(i for _, i in wanted.people),
        "now": wanted.now,
    }
    kept = {"tenants": [t for t, _ in wanted.idempotency], "keys": [k for _, k in wanted.idempotency]}
    found = await together(
        connection,
        [
            (_SQL["keys_by_hash"], {"hashes": list(wanted.hashes)}, KeyRow),
            (_SQL["tenants_by_id"], {"tenants": list(wanted.system)}, TenantRow),
            (_SQL["pauses"], ids, PauseRow),
            (_SQL["governed"], ids, GovernedRow),
            (_SQL["proposed"], ids, ProposedRow),
            (_SQL["domain_states"], ids, DomainRow),
            (_SQL["people"], people, PersonRow),
            (_SQL["idempotency_find"], {**kept, "now": wanted.now}, KeptAnswer),
        ],
    )
    return FactRows(*found)


async def pinned(connection: Connection, pins: Sequence[tuple[UUID, str, int]]) -> list[GovernedRow]:
    """The versions of templates that are named as (tenant, code, version); what is not there is left out."""
    tenants, codes, versions = zip(*pins, strict=True)
    given = {"tenants": Uuids(tenants), "codes": list(codes), "versions": list(versions)}
    return await rows(connection, _SQL["pinned"], given, GovernedRow)


async def snapshots(connection: Connection, ids: Sequence[UUID]) -> list[SnapshotRow]:
    return await rows(connection, _SQL["snapshots"], {"ids": list(ids)}, SnapshotRow)


async def take_idempotency(
    connection: Connection, now: datetime, answers: Sequence[tuple[KeptAnswer, datetime]]
) -> set[tuple[UUID, bytes]]:
    """Takes the keys that are free and returns those; the others belong to somebody who came first."""
    params = {
        "tenants": [a.tenant_id for a, _ in answers],
        "keys": [a.key_hash for a, _ in answers],
        "prints": [a.fingerprint for a, _ in answers],
        "answers": [a.answer for a, _ in answers],
        "ends": [end for _, end in answers],
        "now": now,
    }
    return {(t, k) for t, k in await tuples(connection, _SQL["idempotency_take"], params)}


async def replace_idempotency(connection: Connection, kept: KeptAnswer) -> None:
    """The answer of a key that this transaction took turned out otherwise."""
    params = {"tenant": kept.tenant_id, "key": kept.key_hash, "answer": kept.answer}
    await run(connection, _SQL["idempotency_replace"], params)


async def find_idempotency(
    connection: Connection, now: datetime, wanted: Sequence[tuple[UUID, bytes]]
) -> list[KeptAnswer]:
    params = {"tenants": [t for t, _ in wanted], "keys": [k for _, k in wanted], "now": now}
    return await rows(connection, _SQL["idempotency_find"], params, KeptAnswer)


@dataclass(frozen=True, slots=True)
class Accepted:
    """All rows of one accept transaction; flow/events.py made the events."""

    emails: Sequence[NewEmail]
    messages: Sequence[NewMessage]
    requests: Sequence[NewRequest]
    adjusted: Amounts
    dropped_keys: Sequence[tuple[UUID, bytes]]
    events: Sequence[EventRow]
    volumes: "Sequence[_Statement]" = ()  # what store/volumes.py counts and holds


async def write(connection: Connection, accepted: Accepted, *, spooled: frozenset[int]) -> None:
    """Writes what was accepted, and the request log, in one round trip; states in `spooled` get a spool row."""
    await send_all(connection, [*_marginal(accepted), *_lasting(accepted, spooled), *accepted.volumes])


type _Statement = tuple[bytes, Mapping[str, Any]]


def _marginal(accepted: Accepted) -> Iterator[_Statement]:
    if accepted.dropped_keys:
        pairs = {"tenants": [t for t, _ in accepted.dropped_keys], "keys": [k for _, k in accepted.dropped_keys]}
        yield _SQL["idempotency_drop"], pairs
    if accepted.adjusted:
        yield _SQL["rate_adjust"], counter_arrays(accepted.adjusted)
    yield _SQL["insert_requests"], packed(accepted.requests, _REQUEST)


def _lasting(accepted: Accepted, spooled: frozenset[int]) -> Iterator[_Statement]:
    if not accepted.emails:
        return
    yield _SQL["insert_emails"], packed(accepted.emails, _EMAIL)
    yield _SQL["insert_messages"], packed(accepted.messages, _MESSAGE)
    yield _SQL["insert_bodies"], packed(accepted.messages, _BODY)
    yield _SQL["insert_spool"], packed([m for m in accepted.messages if m.state in spooled], _SPOOL)
    yield insert_statement(accepted.events)
