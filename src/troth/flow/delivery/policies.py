"""Delivery's rule book: the live policy of a tenant's category, as approved a few seconds ago at most."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec

from troth.rules.policy import Document, Policy, PolicyError, resolve
from troth.rules.profile import load_profile
from troth.store import spool
from troth.store.connection import Connection

FRESH = 3.0  # seconds

type Pair = tuple[UUID, UUID]  # tenant, category


@dataclass(slots=True)
class Policies:
    """Read anew when older than `FRESH` seconds (of the loop's clock) or when a pair is not known yet."""

    _known: dict[Pair, Policy] = field(default_factory=dict)
    _read_at: float = float("-inf")

    async def freshen(self, connection: Connection, pairs: set[Pair], clock: float) -> None:
        stale = clock - self._read_at > FRESH
        if not stale and pairs <= self._known.keys():
            return
        wanted = pairs if stale else pairs | self._known.keys()
        if not wanted:
            return
        self._known = await _read(connection, wanted)
        self._read_at = clock

    def of(self, tenant: UUID, category: UUID) -> Policy:
        """KeyError for a pair that no `freshen` has named."""
        return self._known[tenant, category]


async def _read(connection: Connection, pairs: set[Pair]) -> dict[Pair, Policy]:
    ids = list({tenant for tenant, _ in pairs})
    tenants = {t.tenant_id: t for t in await spool.live_tenants(connection, ids)}
    rows = await spool.live_policies(connection, ids, list({category for _, category in pairs}))
    documents: dict[tuple[UUID | None, str] | UUID, dict[str, Any]] = {}
    for row in rows:
        artefact = msgspec.json.decode(row.artefact)
        if row.kind == "policy":
            documents[row.tenant_id, row.code] = artefact
        else:
            documents[row.subject] = artefact.get("policy") or {}
    return {(t, c): _combine(tenants[t], t, c, documents) for t, c in pairs}


def _combine(
    tenant: spool.LiveTenant,
    tenant_id: UUID,
    category: UUID,
    documents: dict[tuple[UUID | None, str] | UUID, dict[str, Any]],
) -> Policy:
    profile = load_profile(tenant.profile)
    levels: list[tuple[str, Document | None]] = [
        ("promise", documents.get((None, f"programme:{tenant.programme}"))),
        ("operator", documents.get((None, "operator"))),
        ("plan", profile.plans.get(tenant.plan)),
        ("tenant", documents.get((tenant_id, "tenant"))),
        ("category", documents.get(category)),
    ]
    try:
        return resolve([(name, document) for name, document in levels if document])
    except PolicyError:
        return _strict(profile.policy)


def _strict(policy: Policy) -> Policy:
    """When the documents contradict each other: the profile's own numbers, and nothing is sent twice."""
    return replace(policy, delivery=replace(policy.delivery, uncertain="hold"))
