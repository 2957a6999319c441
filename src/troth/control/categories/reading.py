"""Categories, read: the list, one with its versions, what uses it, and what waits for a second person."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.keys import places

MOST = 500
_STATE = "CASE WHEN r.snapshot_id IS NOT NULL THEN 'stopped' WHEN g.retired THEN 'retired' ELSE 'in force' END"
_ONE = f"""
SELECT g.subject, g.code, {_STATE}, s.version, s.artefact, s.id, s.digest, s.approved_at
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s
"""  # noqa: S608 - our own words
_LIST = _ONE + f" AND position(lower(%s) IN g.code) > 0 ORDER BY g.code LIMIT {MOST}"
_THIS = _ONE + " AND g.subject = %s"
_VERSIONS = """
SELECT s.version, s.artefact, s.digest, s.approved_at, s.proposer_human, s.approver_human, c.reason
FROM troth.snapshot s LEFT JOIN troth.change c ON c.id = s.change_id
WHERE s.kind = 'category' AND s.tenant_id = %s AND s.subject = %s ORDER BY s.version DESC LIMIT 50
"""
_WAITING = """
SELECT c.id, c.code, c.reason, c.proposed_at FROM troth.change c
WHERE c.kind = 'category' AND c.state = 1 AND c.expires_at > troth.now_v1() AND c.tenant_id = %s
  AND (%s::uuid IS NULL OR c.subject = %s) ORDER BY c.proposed_at LIMIT 20
"""
_TEMPLATES = f"""
SELECT g.subject, g.code FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'template' AND g.tenant_id = %s AND NOT g.retired AND s.artefact::jsonb ->> 'category' = %s
ORDER BY g.code LIMIT {MOST}
"""  # noqa: S608 - our own number
_DRAFTS = """
SELECT id, subject, code, updated_at, change_id FROM troth.draft
WHERE kind = 'category' AND tenant_id = %s AND (%s::uuid IS NULL OR subject = %s) ORDER BY updated_at DESC LIMIT 50
"""
_NAMES = (
    "SELECT DISTINCT ON (human_id) human_id, id, name_ct FROM troth.account WHERE human_id = ANY(%s) ORDER BY human_id"
)


@dataclass(frozen=True, slots=True)
class Category:
    """As its version in force has it."""

    subject: UUID
    code: str
    state: str
    version: int
    artefact: dict[str, Any]
    snapshot: UUID
    digest: bytes
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    artefact: dict[str, Any]
    digest: bytes
    approved_at: datetime
    proposer: str
    approver: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    id: UUID
    code: str
    reason: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft without its words."""

    id: UUID
    subject: UUID | None
    code: str
    updated_at: datetime
    change_id: UUID | None


def categories(tenant: UUID, part: str = "") -> list[Category]:
    return [_category(each) for each in rows(_LIST, tenant, part)]


def access_category(actor: Actor, subject: UUID) -> Category:
    """Raise Http404 for what is not there, and for what is another client's."""
    found = in_force(actor, subject)
    if found is None:
        raise Http404
    return found


def in_force(actor: Actor, subject: UUID | None) -> Category | None:
    found = row(_THIS, actor.scope, subject) if actor.scope and subject else None
    return _category(found) if found else None


def _category(each: tuple[Any, ...]) -> Category:
    subject, code, state, version, artefact, snapshot, digest, approved = each
    return Category(subject, code, state, version, json.loads(artefact), snapshot, bytes(digest), approved)


def versions(actor: Actor, subject: UUID) -> list[Version]:
    found = rows(_VERSIONS, actor.scope, subject)
    who = _names({human for each in found for human in each[4:6]})
    return [
        Version(number, json.loads(artefact), bytes(digest), at, who.get(by, ""), who.get(second, ""), reason or "")
        for number, artefact, digest, at, by, second, reason in found
    ]


def waiting(tenant: UUID | None, subject: UUID | None = None) -> list[Waiting]:
    return [Waiting(*each) for each in rows(_WAITING, tenant, subject, subject)]


def drafts(tenant: UUID | None, subject: UUID | None = None) -> list[Drafted]:
    return [Drafted(*each) for each in rows(_DRAFTS, tenant, subject, subject)]


def templates(tenant: UUID | None, code: str) -> list[tuple[UUID, str]]:
    """Subject and code of those that send in this category."""
    return [(subject, named) for subject, named in rows(_TEMPLATES, tenant, code)]


def _names(humans: set[UUID]) -> dict[UUID, str]:
    operator = settings.TROTH_KEYS().operator
    return {
        human: operator.open(bytes(name_ct), places.account(account, "name")).decode()
        for human, account, name_ct in rows(_NAMES, list(humans))
    }
