"""The gate's volumes: each client's last 24 hours as a batch finds them, locked, and what the batch adds to them.

So the first message past the threshold is judged as that, whoever else accepts at the same time: what comes too late is
held, refused or slowed by the same transaction that starts the pause (rules/checks/volume_usual.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from troth.rules.anomaly import judge
from troth.rules.decision import Decision, Outcome
from troth.rules.facts import UNWATCHED, Volume
from troth.rules.states import State
from troth.store import volumes as store
from troth.store.connection import Connection

if TYPE_CHECKING:
    from datetime import datetime

    from troth.flow.gate.judge import Bound
    from troth.store.gate import NewMessage

_CHECK = "volume_usual"
_REVIEW, _STOP = "anomaly-review", "anomaly-stop"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a batch had come before an ask."""

    taken: dict[UUID, int]
    passed: dict[UUID, int]
    held: int
    found: frozenset[UUID]


@dataclass(slots=True)
class Volumes:
    """`gauges`: as locked. What an ask adds is kept apart until it is whole: `mark` and `back` bound it.

    `passed` is what was `taken` and not held for a review: two people decide about that apart.
    """

    gauges: dict[UUID, store.GaugeRow] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=dict)
    passed: dict[UUID, int] = field(default_factory=dict)
    found: dict[UUID, store.Finding] = field(default_factory=dict)
    held: list[store.HeldRow] = field(default_factory=list)

    def fact(self, bound: "Bound") -> Volume | None:
        """None when the client's gauge is not there, which refuses."""
        if not counted(bound):
            return UNWATCHED
        tenant = bound.caller.tenant_id
        gauge = self.gauges.get(tenant)
        if gauge is None:
            return None
        before = gauge.recent + self.passed.get(tenant, 0)
        return Volume(before, tuple(gauge.previous), gauge.reviewed, len(bound.parsed.recipients))

    def notice(self, bound: "Bound", decisions: Sequence[Decision]) -> None:
        """An email was judged: whether it is the one that goes past the threshold."""
        tenant = bound.caller.tenant_id
        past = any(v.check == _CHECK and v.saw.get("raised") for d in decisions for v in d.verdicts)
        past = past and all(d.outcome is not Outcome.REFUSE or d.deciding.check == _CHECK for d in decisions)
        volume = self.fact(bound)
        if not past or volume is None or tenant in self.found or bound.resolved is None:
            return
        policy = bound.resolved.policy
        found = judge(volume.recent + volume.asking, volume.previous, policy, volume.reviewed)
        if found.action is not None and found.review_minutes is not None:
            self.found[tenant] = store.Finding(
                tenant, "volume", found.action, found.review_minutes, found.recent, sum(volume.previous),
                policy.anomaly.percent, found.floor, found.sentence,
            )  # fmt: skip

    def take(self, bound: "Bound", decisions: Sequence[Decision], messages: Sequence["NewMessage"]) -> None:
        """The email was accepted, some of its messages perhaps to be held."""
        if not counted(bound):
            return
        tenant = bound.caller.tenant_id
        what = bound.template.row.subject if bound.template else None
        held = [
            store.HeldRow(m.id, tenant, m.category_id, what, m.lifetime_ends)
            for m, d in zip(messages, decisions, strict=True)
            if m.state == State.HELD and d.deciding.code == _REVIEW
        ]
        self.held += held
        self.taken[tenant] = self.taken.get(tenant, 0) + len(messages)
        self.passed[tenant] = self.passed.get(tenant, 0) + len(messages) - len(held)

    def mark(self) -> "Mark":
        return Mark(dict(self.taken), dict(self.passed), len(self.held), frozenset(self.found))

    def back(self, mark: "Mark", code: str) -> None:
        """Nothing of what came since the mark was accepted, for the reason of this code. What was refused for its
        volume stays found.
        """
        self.taken, self.passed = dict(mark.taken), dict(mark.passed)
        del self.held[mark.held :]
        if code != _STOP:
            self.found = {tenant: found for tenant, found in self.found.items() if tenant in mark.found}

    def statements(self, now: "datetime") -> "list[tuple[bytes, Mapping[str, object]]]":
        """What the batch adds, to be written with its rows."""
        return [*store.counting(self.taken, self.passed, now), *store.holding(self.held, now)]

    async def raise_all(self, connection: Connection) -> None:
        for tenant in sorted(self.found):
            await store.raise_anomaly(connection, self.found[tenant])


def counted(bound: "Bound") -> bool:
    """Client firms' mail; not Troth's own, nor a test key's, which goes nowhere."""
    return bound.caller.tenant_kind == 1 and not (bound.key is not None and bound.key.test)


async def learn(connection: Connection, volumes: Volumes, bounds: Iterable["Bound"], now: "datetime") -> None:
    """Lock the gauges of everybody who asks, in the order in which all lock them."""
    if tenants := sorted({b.caller.tenant_id for b in bounds if counted(b)}):
        volumes.gauges.update({g.tenant_id: g for g in await store.lock(connection, tenants, now)})
