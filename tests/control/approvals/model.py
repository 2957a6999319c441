"""What the change engine's sequences believe of the database: drafts, proposals, who said yes to which words."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from tests.control.approvals.cast import Somebody


@dataclass
class Tally:
    """Of all sequences together."""

    sequences: int = 0
    steps: int = 0
    live: int = 0
    alone: int = 0
    done: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"sequences: {self.sequences}, steps: {self.steps}, live versions: {self.live}, "
            f"without approval by another person bound to their digest: {self.alone}"
        )


@dataclass
class Draft:
    id: UUID
    kind: str
    tenant: UUID | None
    subject: UUID
    code: str
    revision: int = 0
    authors: set[UUID] = field(default_factory=set)
    gone: bool = False


@dataclass
class Proposed:
    """`yes`: who approved, by human, each with the digest that was shown; `wanted`: when it became a version."""

    id: UUID
    kind: str
    tenant: UUID | None
    subject: UUID
    code: str
    artefact: dict
    digest: bytes
    proposer: UUID
    expires: timedelta
    draft: Draft | None
    state: int = 1
    yes: dict[UUID, tuple[Somebody, bytes]] = field(default_factory=dict)
    wanted: int = 0
    version: UUID | None = None

    def wrote(self, human: UUID) -> bool:
        return human == self.proposer or (self.draft is not None and human in self.draft.authors)
