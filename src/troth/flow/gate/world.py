"""The gate's view of the world for one batch: rows turned into what the rules call facts, snapshots kept by id.

A snapshot never changes, so each is read and parsed once a process; which one is in force is read with every batch.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.flow.gate.volumes import Volumes
from troth.ledger.canonical import digest
from troth.rules.consent import Entry
from troth.rules.facts import Domain
from troth.rules.policy import Document, Policy, PolicyError, resolve, to_document
from troth.rules.profile import load_profile
from troth.store import gate as store
from troth.store.connection import Connection

_KEEP = 10_000
_version_re = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Version:
    """An approved version with its artefact parsed. `stopped`: it was revoked after its approval."""

    row: store.GovernedRow
    artefact: dict[str, Any]
    digest_matches: bool

    @property
    def usable(self) -> bool:
        return not self.row.revoked


@dataclass(frozen=True, slots=True)
class Resolved:
    """The policy of one category, template or key, and the digest that its messages carry."""

    policy: Policy
    digest: bytes


@dataclass(slots=True)
class Memory:
    """What a process keeps between batches: immutable snapshots, policies resolved from them, keys' tenants."""

    snapshots: OrderedDict[UUID, store.SnapshotRow] = field(default_factory=OrderedDict)
    artefacts: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    policies: OrderedDict[tuple[object, ...], Resolved | None] = field(default_factory=OrderedDict)
    tenant_of: OrderedDict[bytes, UUID] = field(default_factory=OrderedDict)

    def trim(self) -> None:
        """Forget the oldest."""
        while len(self.policies) > _KEEP:
            self.policies.popitem(last=False)
        while len(self.tenant_of) > _KEEP:
            self.tenant_of.popitem(last=False)
        while len(self.snapshots) > _KEEP:
            self.artefacts.pop(self.snapshots.popitem(last=False)[0], None)


@dataclass(frozen=True, slots=True)
class World:
    """One batch's facts, ready to be asked."""

    now: datetime
    memory: Memory
    keys: dict[bytes, store.KeyRow]
    system: dict[UUID, store.TenantRow]
    pauses: tuple[store.PauseRow, ...]
    governed: dict[tuple[UUID | None, str, str], store.GovernedRow]
    proposed: frozenset[tuple[UUID, str, str]]
    domains: dict[tuple[UUID, str], store.DomainRow]
    people: dict[tuple[UUID, bytes], store.PersonRow]
    kept: dict[tuple[UUID, bytes], store.KeptAnswer]
    consents: dict[UUID, list[Entry]] = field(default_factory=dict)  # by person, where a category is sent on consent
    volumes: Volumes = field(default_factory=Volumes)

    def version(self, tenant: UUID | None, kind: str, code: str) -> Version | None:
        """What is in force under a code, None when nothing ever was."""
        row = self.governed.get((tenant, kind, code))
        if row is None:
            return None
        snapshot = self.memory.snapshots[row.snapshot_id]
        return Version(row, self.memory.artefacts[row.snapshot_id], snapshot.digest == row.digest)

    def artefact(self, snapshot: UUID) -> dict[str, Any]:
        return self.memory.artefacts[snapshot]

    def paused(self, tenant: UUID, category: UUID | None) -> str | None:
        """'anomaly' or 'operator', None when nothing stops this category of the tenant; a person's stop weighs more."""
        here = (p for p in self.pauses if p.tenant_id in (None, tenant) and p.category_id in (None, category))
        stops = [p.started_by for p in here]
        if not stops:
            return None
        return "anomaly" if all(by == "anomaly" for by in stops) else "operator"

    def domain(self, tenant: UUID, name: str) -> tuple[UUID, Domain] | None:
        row = self.domains.get((tenant, name))
        if row is None:
            return None
        ready = row.ready_until > self.now
        problems = () if ready or row.lookup_failed else tuple(f["code"] for f in row.findings if not f["ok"])
        return row.domain_id, Domain(row.name, ready, problems, row.checked_at, row.last_good_at, row.lookup_failed)

    def policy(
        self, caller: store.TenantRow, category: Version | None, scope: UUID | None, template: Version | None = None
    ) -> Resolved | None:
        """The levels combined, each only stricter; None if the promise is missing, or a level is looser or stopped."""
        rows = [
            self.governed.get((None, "policy", f"programme:{caller.programme_code}")),
            self.governed.get((None, "policy", "operator")),
            self.governed.get((caller.tenant_id, "policy", "tenant")),
        ]
        if any(r is not None and r.revoked for r in rows):
            return None  # a stopped version loosens nothing: nobody is served until the next is approved
        aimed = targeting(template.artefact) if template else None
        which = (category and category.row.snapshot_id, template.row.snapshot_id if template and aimed else None)
        place = (*(r and r.snapshot_id for r in rows), *which, scope, caller.plan)
        if place not in self.memory.policies:
            self.memory.policies[place] = _resolve(self, caller, rows, category, scope, aimed)
        return self.memory.policies[place]


def targeting(template: dict[str, Any]) -> Document | None:
    """What a template's own targeting says, as a level of the policy."""
    pathways = (template.get("targeting") or {}).get("pathways")
    return {"recipients": {"pathways": pathways}} if pathways else None


def _resolve(
    world: World,
    caller: store.TenantRow,
    rows: list[store.GovernedRow | None],
    category: Version | None,
    scope: UUID | None,
    aimed: Document | None,
) -> Resolved | None:
    promise, operator, tenant = (None if r is None else world.artefact(r.snapshot_id) for r in rows)
    if promise is None:
        return None
    plan: Document | None = load_profile(caller.profile).plans.get(caller.plan)
    levels: list[tuple[str, Document | None]] = [
        ("promise", promise),
        ("operator", operator),
        ("plan", plan),
        ("tenant", tenant),
        ("category", category.artefact.get("policy") if category else None),
        ("template", aimed),
        ("key", world.artefact(scope).get("policy") if scope else None),
    ]
    try:
        policy = resolve([(name, document) for name, document in levels if document])
    except PolicyError:
        return None  # the chain answers a missing policy with a refusal; proposals are checked before approval
    return Resolved(policy, digest(to_document(policy)))


async def know_keys(connection: Connection, memory: Memory, hashes: Iterable[bytes]) -> None:
    """Whose keys these are, for those never seen before: a key never changes its tenant."""
    if unknown := [h for h in hashes if h not in memory.tenant_of]:
        memory.tenant_of.update({k.hash: k.tenant_id for k in await store.keys(connection, unknown)})


async def learn(
    connection: Connection, memory: Memory, wanted: store.Wanted, templates: Collection[tuple[UUID, str]] = ()
) -> World:
    """Read one batch's facts; another trip only for versions that somebody pins, and for snapshots never seen before.
    `templates`: what the requests name, by tenant.
    """
    memory.trim()
    rows = await store.facts(connection, wanted)
    scopes = [k.scope_snapshot for k in rows.keys]
    pins = sorted({(tenant, *pin) for tenant, named in templates if (pin := pin_of(named))})
    pinned = await store.pinned(connection, pins) if pins else []
    versions = (g.snapshot_id for g in (*rows.governed, *pinned))
    missing = {i for i in (*versions, *scopes) if i not in memory.snapshots}
    if missing:
        _remember(memory, await store.snapshots(connection, list(missing)))
    world = _world(memory, wanted, rows)
    world.governed.update({(g.tenant_id, g.kind, f"{g.code}@{g.version}"): g for g in pinned})
    return world


def pin_of(named: str) -> tuple[str, int] | None:
    """`rent-due@3` as its code and version; None for what names no version."""
    code, _, version = named.partition("@")
    return (code, int(version)) if _version_re.fullmatch(version) else None


def _remember(memory: Memory, found: list[store.SnapshotRow]) -> None:
    for snapshot in found:
        memory.snapshots[snapshot.id] = snapshot
        memory.artefacts[snapshot.id] = msgspec.json.decode(snapshot.artefact)


def _world(memory: Memory, wanted: store.Wanted, rows: store.FactRows) -> World:
    return World(
        wanted.now,
        memory,
        {k.hash: k for k in rows.keys},
        {t.tenant_id: t for t in rows.system},
        tuple(rows.pauses),
        {(g.tenant_id, g.kind, g.code): g for g in rows.governed},
        frozenset((p.tenant_id, p.kind, p.code) for p in rows.proposed),
        {(d.tenant_id, d.name): d for d in rows.domains},
        dict(zip(wanted.people, rows.people, strict=True)),
        {(k.tenant_id, k.key_hash): k for k in rows.kept},
    )
