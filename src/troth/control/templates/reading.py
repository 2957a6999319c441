"""Templates, read: each list by key pages, each thing only for the client whose rows are looked at."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.keys import places

PAGE = 50
_STATE = "CASE WHEN r.snapshot_id IS NOT NULL THEN 'stopped' WHEN g.retired THEN 'retired' ELSE 'in force' END"
_LIST = f"""
SELECT g.subject, g.code, s.version, s.approved_at, {_STATE}, s.artefact
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id
WHERE g.kind = 'template' AND g.tenant_id = %s AND position(lower(%s) IN g.code) > 0
"""  # noqa: S608 - our own words
_LATER = _LIST + " AND g.code > %s ORDER BY g.code LIMIT %s"
_EARLIER = _LIST + " AND g.code < %s ORDER BY g.code DESC LIMIT %s"
_ONE = f"""
SELECT g.subject, g.code, {_STATE}, s.version FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id
WHERE g.kind = 'template' AND g.tenant_id = %s AND g.subject = %s
"""  # noqa: S608 - our own words
_VERSION = """
SELECT s.id, s.version, s.artefact, s.digest, s.approved_at, s.proposer_human, s.approver_human, c.reason,
       c.proposed_at, r.revoked_at, r.reason
FROM troth.snapshot s LEFT JOIN troth.change c ON c.id = s.change_id
LEFT JOIN troth.revocation r ON r.snapshot_id = s.id
WHERE s.kind = 'template' AND s.tenant_id = %s AND s.subject = %s
"""
_THIS = _VERSION + " AND s.version = %s"
_VERSIONS = _VERSION + " AND s.version < %s ORDER BY s.version DESC LIMIT %s"
_WAITING = """
SELECT c.id, c.code, c.reason, c.proposer_human, c.proposed_at, c.expires_at, count(*) OVER () FROM troth.change c
WHERE c.kind = 'template' AND c.state = 1 AND c.expires_at > troth.now_v1() AND c.tenant_id = %s
  AND (%s::uuid IS NULL OR c.subject = %s) ORDER BY c.proposed_at LIMIT %s
"""
_NAMES = (
    "SELECT DISTINCT ON (human_id) human_id, id, name_ct FROM troth.account WHERE human_id = ANY(%s) ORDER BY human_id"
)
_SENDER = """
SELECT s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s AND g.code = %s
"""
_CATEGORIES = """
SELECT g.code, s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s AND NOT g.retired
UNION ALL
SELECT c.code, c.artefact FROM troth.change c
WHERE c.kind = 'category' AND c.tenant_id = %s AND c.state = 1 AND c.expires_at > troth.now_v1()
  AND NOT EXISTS (SELECT FROM troth.governed g WHERE g.subject = c.subject)
ORDER BY 1 LIMIT 500
"""
_LAYOUT = """
SELECT s.artefact::jsonb #>> '{source,layout,body}', g.code, s.version
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'template' AND g.tenant_id = %s AND NOT g.retired
  AND s.artefact::jsonb #>> '{source,layout,body}' IS NOT NULL
ORDER BY s.approved_at DESC LIMIT 1
"""
_DRAFTS = """
SELECT id, subject, code, revision, updated_at, change_id FROM troth.draft
WHERE kind = 'template' AND tenant_id = %s AND (%s::uuid IS NULL OR subject = %s) ORDER BY updated_at DESC LIMIT %s
"""
_MOST_WAITING = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """A template in the list, as its version in force has it."""

    subject: UUID
    code: str
    version: int
    approved_at: datetime
    state: str
    category: str
    line: str


@dataclass(frozen=True, slots=True)
class Page:
    """`before` and `after` are the keys of the pages around this one; empty: there is none."""

    found: list[Listed]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Template:
    """`version`: the one in force."""

    subject: UUID
    code: str
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class Version:
    """What two people approved, and what became of it. `artefact` as proposed; `reason` is the proposer's."""

    id: UUID
    number: int
    artefact: dict[str, Any]
    digest: bytes
    approved_at: datetime
    proposer: str
    approver: str
    reason: str
    proposed_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that nobody approved yet; `all_of_them` counts those that are not shown, too."""

    id: UUID
    code: str
    reason: str
    proposer: str
    proposed_at: datetime
    expires_at: datetime
    all_of_them: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft without its words."""

    id: UUID
    subject: UUID | None
    code: str
    revision: int
    updated_at: datetime
    change_id: UUID | None


def page(tenant: UUID, part: str, after: str, before: str) -> Page:
    """Of the templates whose code holds `part`, those behind a code, or before one."""
    backwards = bool(before)
    query, key = (_EARLIER, before) if backwards else (_LATER, after)
    got = rows(query, tenant, part, key, PAGE + 1)
    more, got = len(got) > PAGE, got[:PAGE]
    found = [_listed(each) for each in (reversed(got) if backwards else got)]
    if not found:
        return Page([], "", "")
    return Page(
        found,
        found[0].code if (more if backwards else after) else "",
        found[-1].code if (backwards or more) else "",
    )


def _listed(each: tuple[Any, ...]) -> Listed:
    subject, code, version, approved, state, artefact = each
    document = json.loads(artefact)
    return Listed(subject, code, version, approved, state, document["category"], document["subject"])


def access_template(actor: Actor, subject: UUID) -> Template:
    """Raise Http404 for what is not there, and for what is another client's."""
    found = row(_ONE, actor.scope, subject) if actor.scope else None
    if found is None:
        raise Http404
    return Template(*found)


def access_version(actor: Actor, subject: UUID, number: int) -> Version:
    """The same for one version."""
    found = row(_THIS, actor.scope, subject, number) if actor.scope else None
    if found is None:
        raise Http404
    return _versions([found])[0]


def versions(actor: Actor, subject: UUID, before: int) -> list[Version]:
    """The newest PAGE of those before a number, one more if there are more."""
    return _versions(rows(_VERSIONS, actor.scope, subject, before, PAGE + 1))


def _versions(found: list[tuple[Any, ...]]) -> list[Version]:
    who = names({human for each in found for human in each[5:7]})
    return [
        Version(
            one,
            number,
            json.loads(artefact),
            bytes(digest),
            approved,
            proposer=who.get(by, ""),
            approver=who.get(second, ""),
            reason=reason or "",
            proposed_at=proposed,
            stopped_at=stopped,
            stopped_why=why or "",
        )
        for one, number, artefact, digest, approved, by, second, reason, proposed, stopped, why in found
    ]


def waiting(tenant: UUID, subject: UUID | None = None) -> list[Waiting]:
    """Proposed and not decided, the oldest first."""
    found = rows(_WAITING, tenant, subject, subject, _MOST_WAITING)
    who = names({each[3] for each in found})
    return [Waiting(one, code, reason, who.get(by, ""), at, ends, n) for one, code, reason, by, at, ends, n in found]


def names(humans: Iterable[UUID]) -> dict[UUID, str]:
    """The names of people whom this transaction may see: the client's own, and the operator's staff."""
    operator = settings.TROTH_KEYS().operator
    return {
        human: operator.open(bytes(name_ct), places.account(account, "name")).decode()
        for human, account, name_ct in rows(_NAMES, list(humans))
    }


def drafts(tenant: UUID, subject: UUID | None = None) -> list[Drafted]:
    """The newest, of one template or of all."""
    return [Drafted(*each) for each in rows(_DRAFTS, tenant, subject, subject, PAGE)]


def layout(tenant: UUID) -> tuple[str, str, int] | None:
    """The client's layout: that of the version approved last which has one, with the template's code and version."""
    found = row(_LAYOUT, tenant)
    return (str(found[0]), str(found[1]), int(found[2])) if found else None


def exists(actor: Actor, subject: UUID) -> bool:
    """Whether any version of it was ever approved."""
    return bool(actor.scope and row(_ONE, actor.scope, subject))


def categories(actor: Actor) -> list[tuple[str, str]]:
    """Code and name of each category in force, and of those that wait for a second person."""
    found = rows(_CATEGORIES, actor.scope, actor.scope)
    return [(code, f"{json.loads(artefact)['name']} ({code})") for code, artefact in found]


def sender(actor: Actor, category: str) -> str:
    """`Name <address>` of the category, as it is in force; empty when it is not there any more."""
    found = row(_SENDER, actor.scope, category)
    given = json.loads(found[0])["sender"] if found else None
    return f"{given['name']} <{given['address']}>" if given else ""
