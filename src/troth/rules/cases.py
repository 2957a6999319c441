"""The house of cases: what comes back and needs a person, as one table of states and steps, and the clocks of policy.

    open -> acknowledged -> (assessed ->) resolved -> closed        reopened: acknowledged again

The database holds the same table (control/incidents/sql, case_next); a test compares them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from troth.rules.business_time import Calendar, due, parse_hours, parse_span
from troth.rules.policy import Policy
from troth.rules.strictness import NONE

INCIDENT, ABUSE, DISCLOSURE = KINDS = ("incident", "abuse", "disclosure")
STATES = ("open", "acknowledged", "assessed", "resolved", "closed")
SEVERITIES = ("low", "medium", "high", "critical")
OUTCOMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        INCIDENT: ("justified", "unfounded", "fixed", "duplicate"),
        ABUSE: ("confirmed", "unfounded", "duplicate", "no-report"),
        DISCLOSURE: ("fixed", "accepted", "invalid", "duplicate"),
    }
)
# Clocks that a case of a kind may have, in the order in which they are shown.
CLOCKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        INCIDENT: ("told", "review"),
        ABUSE: ("acknowledge", "resolve", "update"),
        DISCLOSURE: ("acknowledge", "assess", "patch", "update"),
    }
)
COMPLAINTS = frozenset({"complaint", "complaint-pattern"})  # causes of which client success is told
_UNDECIDED = ("open", "acknowledged", "assessed", "resolved")
_TOLD = ("acknowledge", "update")  # met when a person says how a reporter was told, or when our mail to them was taken
_AT_START = MappingProxyType({"told": "complaint_told", "review": "complaint_review"})
_FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        INCIDENT: _AT_START,
        ABUSE: MappingProxyType({"acknowledge": "abuse_acknowledged", "resolve": "abuse_resolved"}),
        DISCLOSURE: MappingProxyType({"acknowledge": "disclosure_acknowledged", "assess": "disclosure_assessed",
                                      "update": "disclosure_updated"}),
    }
)  # fmt: skip
_PATCHES = MappingProxyType({"critical": "patch_critical", "high": "patch_high"})


@dataclass(frozen=True, slots=True)
class Step:
    """What a person does. `states`: from which; `goes`: the state after it, "" for the same; `meets`: these clocks."""

    name: str
    kinds: tuple[str, ...]
    states: tuple[str, ...]
    goes: str = ""
    meets: tuple[str, ...] = ()


STEPS = (
    Step("acknowledge", KINDS, ("open",), "acknowledged"),  # somebody has it; its reporter hears of that by mail
    Step("assess", (DISCLOSURE,), ("acknowledged",), "assessed", ("assess",)),
    Step("tell", (INCIDENT,), ("open", "acknowledged"), meets=("told",)),
    Step("update", (ABUSE, DISCLOSURE), ("open",), "acknowledged", _TOLD),
    Step("update", (ABUSE, DISCLOSURE), ("acknowledged", "assessed", "resolved"), meets=_TOLD),
    Step("assign", KINDS, _UNDECIDED),
    Step("severity", KINDS, _UNDECIDED),
    Step("note", KINDS, _UNDECIDED),
    Step("seen", KINDS, STATES),
    Step("resolve", (INCIDENT,), ("open", "acknowledged"), "resolved", ("review",)),
    Step("resolve", (ABUSE, DISCLOSURE), ("acknowledged", "assessed"), "resolved", ("resolve", "assess")),
    Step("close", KINDS, ("resolved",), "closed"),
    Step("reopen", KINDS, ("resolved", "closed"), "acknowledged"),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Something to be done by a time: `name` is one of CLOCKS."""

    name: str
    due_at: datetime


def next_state(kind: str, state: str, step: str) -> str | None:
    """Where a step leads; None: it is none of this kind in this state."""
    for each in STEPS:
        if each.name == step and kind in each.kinds and state in each.states:
            return each.goes or state
    return None


def steps(kind: str, state: str) -> tuple[str, ...]:
    """What may be done with a case now."""
    return tuple(each.name for each in STEPS if kind in each.kinds and state in each.states)


def meets(step: str) -> frozenset[str]:
    """The clocks that a step meets, whatever comes of it; that of a patch only "resolve" as fixed does."""
    return frozenset(name for each in STEPS if each.name == step for name in each.meets)


def calendar(policy: Policy) -> Calendar:
    """The business time of a programme."""
    opens, closes = parse_hours(policy.cases.hours)
    return Calendar(policy.cases.zone, policy.cases.country, opens, closes)


def clocks(kind: str, cause: str, policy: Policy, opened_at: datetime) -> tuple[Clock, ...]:
    """The clocks that start when a case is opened: those that the policy promises. ValueError for a naive time."""
    return tuple(_clocks(kind, cause, policy, opened_at))


def _clocks(kind: str, cause: str, policy: Policy, at: datetime) -> Iterator[Clock]:
    for name, field in _FIELDS[kind].items():
        if (name != "told" or cause in COMPLAINTS) and (found := _due(field, policy, at)):
            yield Clock(name, found)


def _due(field: str, policy: Policy, at: datetime) -> datetime | None:
    span: str = getattr(policy.cases, field)
    return None if span == NONE else due(at, parse_span(span), calendar(policy))


def promised(kind: str, clock: str, policy: Policy, severity: str = "") -> str:
    """What a policy says of a clock, as its document has it; "" where it has none of that name."""
    field = _PATCHES.get(severity, "") if clock == "patch" else _FIELDS[kind].get(clock, "")
    return str(getattr(policy.cases, field)) if field else ""


def patch_clock(severity: str, policy: Policy, assessed_at: datetime) -> tuple[Clock, ...]:
    """The clock that a vulnerability's severity starts when it is assessed: none for a lesser one."""
    found = _due(_PATCHES[severity], policy, assessed_at) if severity in _PATCHES else None
    return (Clock("patch", found),) if found else ()


def update_clock(policy: Policy, told_at: datetime) -> tuple[Clock, ...]:
    """The clock of the next word to a reporter, once one was given."""
    found = _due("disclosure_updated", policy, told_at)
    return (Clock("update", found),) if found else ()


def reopened(kind: str, cause: str, policy: Policy, at: datetime) -> tuple[Clock, ...]:
    """The clocks that start anew: nobody is acknowledged or told a second time."""
    return tuple(each for each in clocks(kind, cause, policy, at) if each.name not in ("acknowledge", "told"))


def strictest(found: Iterable[Iterable[Clock]]) -> tuple[Clock, ...]:
    """Of the clocks of several programmes, each the earliest: what counts for the whole installation's cases."""
    first: dict[str, datetime] = {}
    for clock in (each for group in found for each in group):
        first[clock.name] = min(clock.due_at, first.get(clock.name, clock.due_at))
    return tuple(Clock(name, at) for name, at in first.items())
