"""Cases: the policies whose clocks count for one: its client's, its programme's, or, of the house's own, of all."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from troth.control.approvals.standing import resolved, standing
from troth.control.people.actor import raw, scoped
from troth.control.tenants.clients import programmes
from troth.rules import cases
from troth.rules.cases import Clock
from troth.rules.policy import Policy
from troth.rules.profile import PROFILES, load_profile

type Reckoning = Callable[[Policy], Sequence[Clock]]


def policies(tenant: UUID | None, programme: UUID | None, scope: UUID | None) -> list[Policy]:
    """Of the client; else of the programme; else of every programme. Without a promise in force, the profiles'.

    `scope`: the client that is looked at, which the transaction goes on seeing.
    """
    try:
        if tenant is not None:
            found = [resolved(standing(raw(), tenant))]
        else:
            wanted = [programme] if programme is not None else [each.id for each in programmes(raw())]
            found = [resolved(standing(raw(), None, each)) for each in wanted]
    finally:
        scoped(scope)
    return [each for each in found if each is not None] or [load_profile(name).policy for name in PROFILES]


def reckon(found: Sequence[Policy], way: Reckoning) -> tuple[Clock, ...]:
    """Clocks by each policy; of each name the earliest."""
    return cases.strictest(way(policy) for policy in found)


def at_opening(kind: str, cause: str, found: Sequence[Policy], at: datetime) -> tuple[Clock, ...]:
    """What rules/cases.clocks gives under all of these policies."""
    return reckon(found, lambda policy: cases.clocks(kind, cause, policy, at))
