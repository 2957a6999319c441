"""Access: a client's sign-on as its page shows it: what is in force, whose domains are proved, what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from troth.control.approvals import drafts
from troth.control.approvals.drafts import Draft
from troth.control.audit.asking import row, rows
from troth.control.people.actor import raw, scoped
from troth.control.people.sign_on import domains, words
from troth.control.people.sign_on.connection import CODE, SignOn
from troth.control.people.sign_on.domains import Record
from troth.keys import places
from troth.keys.keyring import TenantKeys

KIND = "sign-on"
_IN_FORCE = """
SELECT s.artefact, s.approved_at, s.version, r.snapshot_id IS NOT NULL
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id LEFT JOIN troth.revocation r ON r.snapshot_id = s.id
WHERE g.kind = 'sign-on' AND g.tenant_id = %s AND g.code = %s
"""
_WAITING = """
SELECT id, proposed_at FROM troth.change
WHERE kind = 'sign-on' AND tenant_id = %s AND state = 1 AND expires_at > troth.now_v1()
ORDER BY proposed_at DESC LIMIT 5
"""
_PROOFS = "SELECT domain, seen_at FROM troth.sign_on_proof WHERE tenant_id = %s ORDER BY domain LIMIT 100"
_DOMAINS = "SELECT domain, proved, taken FROM troth.sign_on_domains_v1(%s, %s)"
_ADMINS = """
SELECT id, name_ct FROM troth.account
WHERE tenant_id = %s AND role = 'admin' AND disabled_at IS NULL ORDER BY id LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Domain:
    """`bound`: in the connection in force; `proved`: it may be; `seen_at`: when its record was seen last."""

    name: str
    record: Record
    bound: bool
    proved: bool
    taken: bool
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class InForce:
    terms: SignOn
    approved_at: datetime
    version: int
    stopped: bool

    @property
    def works(self) -> bool:
        return not self.stopped and not self.terms.retired


def in_force(tenant: UUID) -> InForce | None:
    found = row(_IN_FORCE, tenant, CODE)
    if found is None:
        return None
    artefact, approved, version, stopped = found
    return InForce(msgspec.json.decode(artefact, type=SignOn), approved, version, stopped)


def waiting(tenant: UUID) -> list[tuple[Any, ...]]:
    """(change, when it was proposed), the newest first."""
    return rows(_WAITING, tenant)


def draft(tenant: UUID) -> Draft | None:
    """A client has one, which everybody who may propose works on."""
    found = drafts.listed(raw(), tenant, KIND)
    scoped(tenant)
    return next(iter(found), None)


def of_domains(tenant: UUID, now: InForce | None, more: list[str]) -> list[Domain]:
    """Those that are bound, proved, or asked about, by name."""
    seen = dict(rows(_PROOFS, tenant))
    bound = set(now.terms.domains) if now is not None and now.works else set()
    names = sorted({*seen, *bound, *more})
    return [
        Domain(name, domains.record(tenant, name), name in bound, proved, taken, seen.get(name))
        for name, proved, taken in rows(_DOMAINS, tenant, names)
    ]


def admins(tenant: UUID) -> list[tuple[UUID, str]]:
    """(account, name) of the client's administrators."""
    operator = settings.TROTH_KEYS().operator
    return [
        (one, operator.open(bytes(name), places.account(one, "name")).decode()) for one, name in rows(_ADMINS, tenant)
    ]


def in_words(now: InForce, people: list[tuple[UUID, str]]) -> list[words.Line]:
    spare = next((name for one, name in people if one == now.terms.spare), "")
    return words.lines(now.terms, spare)


def keys(tenant: UUID) -> TenantKeys:
    found = row("SELECT keyset FROM troth.tenant WHERE id = %s", tenant)
    assert found is not None
    opened: TenantKeys = settings.TROTH_KEYS().keyring.tenant(tenant, bytes(found[0]))
    return opened
