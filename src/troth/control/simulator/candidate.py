"""The simulator's question: which level's policy is tried, for whom; refused where nobody could approve it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from troth.control.approvals.standing import Standing, below, conflicts, document_problems, standing
from troth.control.audit.refusals import Invalid, Problem, Refused
from troth.control.audit.scope import Connection
from troth.rules.policy import Document

LEVELS = ("promise", "operator", "tenant", "category")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One level's document in place of its own. tenant: whose, for the levels tenant and category; programme: a
    promise's; code: a category's.
    """

    level: str
    document: Document
    tenant: UUID | None = None
    programme: UUID | None = None
    code: str = ""

    @classmethod
    def of(cls, level: str, given: Mapping[str, Any], **whose: Any) -> Self:
        """A policy's document as it is, or a category's artefact with its policy in it."""
        document = given["policy"] if level == "category" and isinstance(given.get("policy"), dict) else given
        return cls(level, document, **whose)

    def meant(self, tenant: UUID, programme: UUID) -> bool:
        """Whether this client's mail would be ruled by it."""
        if self.level == "operator":
            return True
        return self.programme == programme if self.level == "promise" else self.tenant == tenant


def check(connection: Connection, candidate: Candidate) -> None:
    """Raise Invalid with every reason why nobody could approve this: wrong in itself, or looser than a level above."""
    problems = document_problems(candidate.document, complete=candidate.level == "promise")
    if problems:
        raise Invalid(problems)
    found: dict[str, Problem] = {}
    for here in _around(connection, candidate):
        before = {each.hint for each in conflicts(here)}  # what contradicts already is not this document's doing
        for each in conflicts(_with(here, candidate)):
            if each.hint not in before:  # what is below it in the same way is said once
                found.setdefault(each.field, replace(each, hint=each.hint.removeprefix("here: ")))
    if found:
        raise Invalid(list(found.values()))


def _around(connection: Connection, candidate: Candidate) -> list[Standing]:
    if candidate.tenant is not None:
        here = standing(connection, candidate.tenant)
        if here.programme is None:
            raise Refused("There is no such client.")
        if candidate.level == "category" and candidate.code not in here.categories:
            known = ", ".join(sorted(here.categories)) or "none"
            raise Refused(f"This client has no category {candidate.code!r}; it has: {known}.")
        return [here]
    if candidate.level == "promise":
        return [standing(connection, None, candidate.programme), *below(connection, candidate.programme)]
    return [standing(connection, None), *below(connection, None)]


def _with(here: Standing, candidate: Candidate) -> Standing:
    match candidate.level:
        case "promise":
            return replace(here, promise=candidate.document)
        case "operator":
            return replace(here, operator=candidate.document)
        case "tenant":
            return replace(here, policy=candidate.document)
    category = {**here.categories[candidate.code], "policy": candidate.document}
    return here.with_category(candidate.code, category)
