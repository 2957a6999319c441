"""Four eyes: what is in force around a proposal, so that no level of the policy is ever approved looser than one above.

A change of one level is tried against everything above and below it: a promise that is tightened past a category's
own document would stop that category's mail, so it is refused with the category's name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID

from troth.control.audit.refusals import Problem
from troth.control.audit.scope import Connection, within
from troth.rules.earlier import of_profile
from troth.rules.policy import Document, Policy, PolicyError, PolicyLoosened, resolve, validate
from troth.rules.profile import load_profile

type Artefact = Mapping[str, Any]
type Levels = list[tuple[str, Document]]

_IN_FORCE = """
SELECT g.kind, g.tenant_id, g.code, g.subject, s.artefact
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind IN ('policy', 'category', 'api-key', 'tenant') AND NOT g.retired
"""
_PROPOSED = "SELECT kind, code FROM troth.change WHERE state = 1 AND tenant_id = %s"
_TENANT = """
SELECT p.id, p.code, p.profile, t.plan FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
WHERE t.id = %s
"""
_PROGRAMME = "SELECT id, code, profile, NULL FROM troth.programme WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Standing:
    """One client's governed things, or the installation's (tenant None). `proposed`: (kind, code) not yet decided."""

    tenant: UUID | None = None
    programme: UUID | None = None
    programme_code: str | None = None
    profile: str | None = None
    plan: str | None = None
    promise: Document | None = None
    operator: Document | None = None
    policy: Document | None = None
    categories: Mapping[str, Artefact] = field(default_factory=dict)
    keys: Mapping[str, Artefact] = field(default_factory=dict)
    tenants: Mapping[UUID, Artefact] = field(default_factory=dict)
    proposed: frozenset[tuple[str, str]] = frozenset()

    def knows(self, kind: str, code: str) -> bool:
        """Whether a category of that code is in force or waits for its second person."""
        return code in self.categories or (kind, code) in self.proposed

    def with_category(self, code: str, artefact: Artefact) -> Self:
        return replace(self, categories={**self.categories, code: artefact})

    def with_key(self, code: str, artefact: Artefact) -> Self:
        return replace(self, keys={**self.keys, code: artefact})


def standing(connection: Connection, tenant: UUID | None, programme: UUID | None = None) -> Standing:
    """Read what is in force for a client, or for a programme as such, or for the installation."""
    with within(connection, tenant):
        rows = connection.execute(_IN_FORCE).fetchall()
        query, subject = (_TENANT, tenant) if tenant is not None else (_PROGRAMME, programme)
        home = connection.execute(query, (subject,)).fetchone() or (None, None, None, None)
        proposed = frozenset(tuple(row) for row in connection.execute(_PROPOSED, (tenant,)).fetchall())
    found = {(kind, owner, code): json.loads(text) for kind, owner, code, _, text in rows}
    promise = found.get(("policy", None, f"programme:{home[1]}"))
    return Standing(
        tenant,
        programme=home[0],
        programme_code=home[1],
        profile=home[2],
        plan=home[3],
        promise=of_profile(promise, load_profile(home[2]).document) if home[2] else promise,
        operator=found.get(("policy", None, "operator")),
        policy=found.get(("policy", tenant, "tenant")) if tenant else None,
        categories={code: a for (kind, _, code), a in found.items() if kind == "category"},
        keys={code: a for (kind, _, code), a in found.items() if kind == "api-key"},
        tenants={row[3]: json.loads(row[4]) for row in rows if row[0] == "tenant"},
        proposed=proposed,
    )


def below(connection: Connection, programme: UUID | None) -> Iterator[Standing]:
    """The standing of every client of a programme; None: of every client there is."""
    for tenant, artefact in standing(connection, None).tenants.items():
        if programme is None or artefact["programme"] == str(programme):
            yield standing(connection, tenant)


def conflicts(one: Standing) -> list[Problem]:
    """Where a level permits what one above it does not, in every combination that mail could be sent under."""
    problems: dict[str, Problem] = {}
    for label, levels in _stacks(one):
        try:
            resolve(levels)
        except PolicyLoosened as looser:
            hint = f"{label}: {looser}"
            problems.setdefault(hint, Problem(f"policy.{looser.field}", "looser", hint))
        except PolicyError as wrong:
            problems.setdefault(str(wrong), Problem("policy", "invalid", f"{label}: {wrong}"))
    return list(problems.values())


def resolved(one: Standing) -> Policy | None:
    """What rules a client, above its categories; None where no promise is in force, or a level contradicts it."""
    levels = dict(_stacks(one)).get("here")
    try:
        return resolve(levels) if levels else None
    except PolicyError:
        return None


def _stacks(one: Standing) -> Iterator[tuple[str, Levels]]:
    if one.promise is None:
        return
    plan = load_profile(one.profile).plans.get(one.plan or "") if one.profile else None
    levels = [("promise", one.promise), ("operator", one.operator), ("plan", plan), ("tenant", one.policy)]
    base: Levels = [(name, document) for name, document in levels if document]
    yield "here", base
    for code, category in one.categories.items():
        yield f"category {code}", [*base, *_level("category", category)]
    for key in one.keys.values():
        for code in key.get("categories") or one.categories:
            stack = [*base, *_level("category", one.categories.get(code, {})), *_level("key", key)]
            yield f"key {key.get('name', '')} in category {code}", stack


def _level(name: str, artefact: Artefact) -> Levels:
    return [(name, artefact["policy"])] if artefact.get("policy") else []


def document_problems(document: object, *, complete: bool = False) -> list[Problem]:
    """What is wrong with a policy document in itself."""
    problems = validate(document, complete=complete)
    if not problems and isinstance(document, Mapping) and document.get("recipients", {}).get("pathways", True) == []:
        hint = (
            "names no way of verifying an address, so nobody could be mailed: name one, or stop the sending (a pause)"
        )
        return [Problem("policy.recipients.pathways", "nonsense", hint)]
    return [Problem(f"policy.{p.field}".rstrip("."), p.code, p.hint) for p in problems]
