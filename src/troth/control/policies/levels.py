"""Policies, read: the levels that rule a client, each with its document, and what is in force of them all together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.approvals.standing import Standing, standing
from troth.control.audit.asking import rows
from troth.control.people.actor import raw, scoped
from troth.control.tenants.clients import clients, programmes
from troth.rules import policy_words as words
from troth.rules.policy import FIELDS, Document, Field, Policy, PolicyError, resolve, value_of
from troth.rules.profile import PROFILES, load_profile
from troth.rules.strictness import Figure, LockedNumber, Named

_VERSIONS = """
SELECT g.code, g.tenant_id IS NULL, g.subject, s.version, s.approved_at, r.snapshot_id IS NOT NULL
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = g.snapshot_id
WHERE g.kind = 'policy' AND (g.tenant_id = %s OR (g.tenant_id IS NULL AND g.code = ANY(%s)))
"""
_WAITING = """
SELECT c.id, c.code, c.proposed_at FROM troth.change c
WHERE c.kind = 'policy' AND c.state = 1 AND c.expires_at > troth.now_v1() AND c.tenant_id IS NOT DISTINCT FROM %s
ORDER BY c.proposed_at DESC LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Level:
    """`name` as in rules.policy.LEVELS; `code` of its policy, "" for a plan; `stopped`: revoked, so nothing is sent."""

    name: str
    title: str
    code: str
    document: Document | None
    version: int | None = None
    approved_at: datetime | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One rule in force: its sentence, whose level set it, what the levels above it said, and who tightens it below."""

    path: str
    sentence: str
    setter: str
    above: tuple[tuple[str, str], ...]
    below: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    lines: tuple[Line, ...]


def levels(here: Standing) -> list[Level]:
    """The four of a client, the promise first; a plan where its profile has plans."""
    codes = [f"programme:{here.programme_code}", "operator"]
    found = {(code, shared): row for code, shared, *row in rows(_VERSIONS, here.tenant, codes)}
    plans = load_profile(here.profile).plans if here.profile else {}
    made = [
        _level("promise", "Promise", here.promise, codes[0], found.get((codes[0], True))),
        _level("operator", "Operator", here.operator, "operator", found.get(("operator", True))),
    ]
    if plans:
        made.append(Level("plan", f"Plan {here.plan}", "", plans.get(here.plan or "")))
    return [*made, _level("tenant", "Client", here.policy, "tenant", found.get(("tenant", False)))]


def _level(name: str, title: str, document: Document | None, code: str, row: Sequence[Any] | None) -> Level:
    if row is None:
        return Level(name, title, code, document)
    _, version, approved_at, stopped = row
    return Level(name, title, code, document, version, approved_at, stopped)


def here_of(tenant: UUID | None, programme: UUID | None = None) -> Standing:
    """What is in force, read over the request's own connection, which then sees what it saw before."""
    found = standing(raw(), tenant, programme)
    scoped(tenant)
    return found


def combined(found: Sequence[Level]) -> Policy | None:
    """What these levels come to; None where no promise is in force, or one contradicts another."""
    given = [(each.name, each.document) for each in found if each.document]
    try:
        return resolve(given)
    except PolicyError:
        return None


def groups(here: Standing, found: Sequence[Level]) -> list[Group]:
    """Every rule in force, by what it is about."""
    policy = combined(found)
    if policy is None:
        return []
    lines: dict[str, list[Line]] = {}
    for field in FIELDS:
        lines.setdefault(field.section, []).append(_line(field, policy, here, found))
    return [Group(words.GROUPS[section], tuple(each)) for section, each in lines.items()]


def _line(field: Field, policy: Policy, here: Standing, found: Sequence[Level]) -> Line:
    said = [(each.title, value) for each in found if (value := said_of(each.document, field)) is not None]
    value = value_of(policy, field.path)
    setter = next((title for title, given in reversed(said) if same(given, value)), "Promise")
    above = [(title, words.sentence(field.path, given)) for title, given in said if title != setter]
    return Line(
        field.path,
        words.sentence(field.path, value, policy.anomaly.action),
        setter,
        tuple(above),
        tuple(_below(field, here)),
        words.CLAIMS.get(field.path, ()),
    )


def same(given: Any, value: Any) -> bool:
    """Whether a document's value is this frozen one."""
    return bool((tuple(given) if isinstance(given, list) else given) == value)


def said_of(document: Document | None, field: Field) -> Any:
    """What a level itself says of a field, None where it says nothing."""
    return (document or {}).get(field.section, {}).get(field.name)


def _below(field: Field, here: Standing) -> Iterator[str]:
    """Categories and keys that are stricter still."""
    for kind, things in (("category", here.categories), ("API key", here.keys)):
        for code, artefact in things.items():
            given = said_of(artefact.get("policy"), field)
            if given is not None:
                yield f"{kind} {artefact.get('name') or code}: {_lower(words.sentence(field.path, given))}"


def _lower(sentence: str) -> str:
    return sentence if sentence[:2].isupper() else f"{sentence[:1].lower()}{sentence[1:]}"


def waiting(tenant: UUID | None) -> list[dict[str, Any]]:
    """Proposed policies that nobody decided yet."""
    return [{"id": change, "code": code, "at": at} for change, code, at in rows(_WAITING, tenant)]


@dataclass(frozen=True, slots=True)
class Plan:
    """A client's plan, and those that its profile has, each as a sentence."""

    id: UUID
    code: str
    name: str
    plan: str
    tiers: tuple[tuple[str, str], ...]
    artefact: Mapping[str, Any]


def plan_of(tenant: UUID) -> Plan:
    """Http404 for a client that is not there, or whose profile has no plans."""
    profiles = {each.id: each.profile for each in programmes(raw())}
    found = next((each for each in clients(raw()) if each.id == tenant), None)
    scoped(None)
    named = tiers(profiles.get(UUID(found.artefact["programme"]), "")) if found else {}
    if found is None or not named:
        raise Http404
    return Plan(found.id, found.code, found.name, found.artefact["plan"], tuple(named.items()), found.artefact)


def tiers(profile: str) -> dict[str, str]:
    """Each plan of a profile as a sentence; empty where it has none."""
    if profile not in PROFILES:
        return {}
    return {
        name: "; ".join(after for _, _, after, _ in words.changes(None, document))
        for name, document in load_profile(profile).plans.items()
    }


def strictest_promise(promises: Mapping[str, Policy]) -> Policy | None:
    """What the operator's own level may not exceed: of each number the strictest promise. None without a programme."""
    return reduce(_meet, promises.values()) if promises else None


def _meet(one: Policy, other: Policy) -> Policy:
    document: dict[str, dict[str, Any]] = {}
    for field in FIELDS:
        values = value_of(one, field.path), value_of(other, field.path)
        met = values[0] if locked(field) else field.strictness.meet(*values)
        document.setdefault(field.section, {})[field.name] = list(met) if isinstance(met, tuple) else met
    return resolve([("promise", document)])


def locked(field: Field) -> bool:
    """Whether the promise alone may say it."""
    return isinstance(field.strictness, Figure | LockedNumber | Named)
