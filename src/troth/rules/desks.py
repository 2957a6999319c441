"""The house's rules for a report from outside: by when it is answered. A client's policy says it; of a report that
nobody can place yet, the strictest promise of all that it might be about.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from troth.rules.cases import Clock, clocks, patch_clock, strictest, update_clock
from troth.rules.policy import Document, Policy, PolicyError, resolve
from troth.rules.profile import load_profile


@dataclass(frozen=True, slots=True)
class Stack:
    """What rules a client, or a programme, level by level: documents as JSON, None where a level says nothing."""

    profile: str
    plan: str | None
    promise: str
    operator: str | None
    client: str | None

    def policy(self) -> Policy | None:
        """None where a level contradicts one above it."""
        plan = load_profile(self.profile).plans.get(self.plan or "")
        given: list[tuple[str, Document | None]] = [
            ("promise", json.loads(self.promise)),
            ("operator", json.loads(self.operator) if self.operator else None),
            ("plan", plan),
            ("tenant", json.loads(self.client) if self.client else None),
        ]
        try:
            return resolve([(name, document) for name, document in given if document])
        except PolicyError:
            return None


def policies(stacks: Iterable[Stack]) -> tuple[Policy, ...]:
    """Those that can be read."""
    return tuple(policy for stack in stacks if (policy := stack.policy()))


def soonest(kind: str, cause: str, found: Iterable[Policy], at: datetime) -> tuple[Clock, ...]:
    """The clocks of a case that is opened now: of each name the earliest."""
    return strictest(clocks(kind, cause, policy, at) for policy in found)


def soonest_patch(severity: str, found: Iterable[Policy], at: datetime) -> tuple[Clock, ...]:
    """The clock that judging a weakness starts."""
    return strictest(patch_clock(severity, policy, at) for policy in found)


def soonest_update(found: Iterable[Policy], at: datetime) -> tuple[Clock, ...]:
    """The clock of the next word to a reporter."""
    return strictest(update_clock(policy, at) for policy in found)
