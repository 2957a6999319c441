"""The whole river: every state of a message, every event that may move it, as one table.

The SQL constraints, the documentation's diagram and the timeline page are generated from here; nothing else in the
house decides whether one state may follow another. IllegalTransition is a bug of ours, never a user's fault.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class State(IntEnum):
    """Where a message is. The numbers are stored: never renumber, never reuse."""

    ACCEPTED = 1
    QUEUED = 2
    CLAIMED = 3
    SENDING = 4
    SENT = 5
    DELIVERED = 6
    DEFERRED = 7
    BOUNCED = 8
    UNCERTAIN = 9
    HELD = 10
    SUPPRESSED = 11
    CANCELLED = 12
    EXPIRED = 13
    FAILED = 14

    @property
    def meaning(self) -> str:
        return STATES[self].meaning

    @property
    def in_spool(self) -> bool:
        """Whether the message has a spool row, so work of ours is still to come."""
        return STATES[self].in_spool

    @property
    def final(self) -> bool:
        """Whether the message's story is told; only late facts from outside may still change it."""
        return STATES[self].final


class Kind(IntEnum):
    """What happened to a message. The numbers are stored: never renumber, never reuse."""

    ACCEPTED = 1
    QUEUED = 2
    HELD = 3
    RELEASED = 4
    SUPPRESSED = 5
    CANCELLED = 6
    EXPIRED = 7
    SENT = 8
    DEFERRED = 9
    DELIVERED = 10
    BOUNCED = 11
    UNCERTAIN = 12
    FAILED = 13
    COMPLAINED = 14
    UNSUBSCRIBED = 15
    RESCHEDULED = 16
    CLAIMED = 17
    SENDING = 18
    RETURNED = 19


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a state means, whether it has a spool row, whether it is the end of the story."""

    meaning: str
    in_spool: bool
    final: bool


STATES: MappingProxyType[State, StateFacts] = MappingProxyType(
    {
        State.ACCEPTED: StateFacts("The gate took it; its first place is being decided.", False, False),
        State.QUEUED: StateFacts("In the spool, to be claimed when its time comes.", True, False),
        State.CLAIMED: StateFacts("A worker holds a lease on it; nothing is on the wire.", True, False),
        State.SENDING: StateFacts("Marked after the last checks; it may be on the wire.", True, False),
        State.SENT: StateFacts("The next hop took it; its delivery may yet be reported.", False, False),
        State.DELIVERED: StateFacts("The recipient's mail exchanger took it.", False, True),
        State.DEFERRED: StateFacts("Refused for now; it waits for its next attempt.", True, False),
        State.BOUNCED: StateFacts("Refused for good, by the next hop or in a later report.", False, True),
        State.UNCERTAIN: StateFacts("The worker was lost mid-send: it may have been taken.", True, False),
        State.HELD: StateFacts("Kept back until a time, or for two people to review.", True, False),
        State.SUPPRESSED: StateFacts("Its recipient may not be mailed; nothing was sent.", False, True),
        State.CANCELLED: StateFacts("Withdrawn before it was sent.", False, True),
        State.EXPIRED: StateFacts("Its lifetime ended while it waited.", False, True),
        State.FAILED: StateFacts("Could not be sent, through no fault of the address.", False, True),
    }
)


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted step; source None is before acceptance. `late`: a fact that outran or trailed our own record.

    `back`: the next hop gave the message back, and it goes into the spool again.
    """

    source: State | None
    kind: Kind
    target: State
    meaning: str
    late: bool = False
    back: bool = False


def _steps(kind: Kind, target: State, meaning: str, *sources: State) -> tuple[Transition, ...]:
    return tuple(Transition(source, kind, target, meaning) for source in sources)


def _late(kind: Kind, target: State, meaning: str, *sources: State) -> tuple[Transition, ...]:
    return tuple(Transition(source, kind, target, meaning, late=True) for source in sources)


def _kept(kind: Kind, meaning: str, *states: State) -> tuple[Transition, ...]:
    """Late or repeated facts that are recorded and leave the state as it is."""
    return tuple(Transition(state, kind, state, meaning, late=True) for state in states)


_S = State
_GIVEN_UP = (_S.SUPPRESSED, _S.CANCELLED, _S.EXPIRED, _S.FAILED)
_WAITING = (_S.QUEUED, _S.CLAIMED, _S.DEFERRED, _S.HELD)
_AFTER = (_S.SENT, _S.DELIVERED, _S.BOUNCED)

TRANSITIONS: tuple[Transition, ...] = (
    # The gate.
    Transition(None, Kind.ACCEPTED, _S.ACCEPTED, "the gate took it"),
    *_steps(Kind.QUEUED, _S.QUEUED, "free to go", _S.ACCEPTED),
    *_steps(Kind.HELD, _S.HELD, "the gate keeps it back", _S.ACCEPTED),
    *_steps(Kind.SUPPRESSED, _S.SUPPRESSED, "the recipient is suppressed", _S.ACCEPTED),
    *_steps(Kind.CANCELLED, _S.CANCELLED, "asked for with a test key: nothing is sent", _S.ACCEPTED),
    # Waiting.
    *_steps(Kind.CLAIMED, _S.CLAIMED, "a worker took a lease", _S.QUEUED),
    *_steps(Kind.CLAIMED, _S.CLAIMED, "its retry is due: queued and claimed at once", _S.DEFERRED),
    *_steps(Kind.RESCHEDULED, _S.QUEUED, "its time was changed", _S.QUEUED),
    *_steps(Kind.RESCHEDULED, _S.HELD, "its time was changed", _S.HELD),
    *_steps(Kind.QUEUED, _S.QUEUED, "its time came", _S.DEFERRED, _S.HELD),
    *_steps(Kind.RELEASED, _S.QUEUED, "two people let it go", _S.HELD),
    # Checked again, at the claim (queued, deferred) and at the mark (claimed).
    *_steps(Kind.HELD, _S.HELD, "a check keeps it back", _S.QUEUED, _S.CLAIMED, _S.DEFERRED),
    *_steps(Kind.HELD, _S.HELD, "held on, for another reason or until another time", _S.HELD),
    *_steps(Kind.SUPPRESSED, _S.SUPPRESSED, "the recipient was suppressed meanwhile", *_WAITING),
    *_steps(Kind.CANCELLED, _S.CANCELLED, "withdrawn", *_WAITING),
    *_steps(Kind.EXPIRED, _S.EXPIRED, "its lifetime ended", *_WAITING),
    # A worker.
    *_steps(Kind.RETURNED, _S.QUEUED, "the lease ran out before sending", _S.CLAIMED),
    *_steps(Kind.SENDING, _S.SENDING, "marked: every last check passed", _S.CLAIMED),
    *_steps(Kind.RETURNED, _S.QUEUED, "the mark was not started; nothing was on the wire", _S.SENDING),
    *_steps(Kind.SENT, _S.SENT, "the next hop took it", _S.SENDING),
    *_steps(Kind.DEFERRED, _S.DEFERRED, "a temporary failure", _S.SENDING),
    *_steps(Kind.DEFERRED, _S.DEFERRED, "no connection could be made for it", _S.CLAIMED),
    *_steps(Kind.BOUNCED, _S.BOUNCED, "refused for good, or its retries are spent", _S.SENDING),
    *_steps(Kind.UNCERTAIN, _S.UNCERTAIN, "the worker was lost after the mark", _S.SENDING),
    *_steps(
        Kind.FAILED,
        _S.FAILED,
        "cannot be rendered, poisons workers, or its lifetime is over",
        *(_S.ACCEPTED, *_WAITING, _S.SENDING, _S.UNCERTAIN),
    ),
    # Uncertain, until somebody knows.
    *_steps(Kind.QUEUED, _S.QUEUED, "the policy says: redeliver", _S.UNCERTAIN),
    *_steps(Kind.HELD, _S.HELD, "the policy says: hold", _S.UNCERTAIN),
    *_late(Kind.SENT, _S.SENT, "the answer came late: it was taken", _S.UNCERTAIN),
    *_late(Kind.DELIVERED, _S.DELIVERED, "a report shows that it arrived", _S.UNCERTAIN),
    *_late(Kind.BOUNCED, _S.BOUNCED, "a report shows that it was refused", _S.UNCERTAIN),
    # What the outside tells of a message that was taken.
    *_steps(Kind.DELIVERED, _S.DELIVERED, "the recipient's exchanger took it", _S.SENT),
    *_steps(Kind.BOUNCED, _S.BOUNCED, "a delivery status notification or webhook refused it", _S.SENT),
    *_late(Kind.BOUNCED, _S.BOUNCED, "a notification refused it after all", _S.DELIVERED),
    Transition(_S.SENT, Kind.DEFERRED, _S.DEFERRED, "given back for now: it is tried again, as planned", back=True),
    *_steps(Kind.FAILED, _S.FAILED, "given back for now, and it cannot be tried again", _S.SENT),
    # Late facts of an earlier, uncertain attempt, or ones that outran our record: what happened, happened.
    *_late(Kind.SENT, _S.SENT, "an earlier attempt was taken after all", *_WAITING, *_GIVEN_UP),
    *_late(Kind.DELIVERED, _S.DELIVERED, "it had arrived", *_WAITING, _S.SENDING, *_GIVEN_UP),
    *_late(Kind.BOUNCED, _S.BOUNCED, "an earlier attempt was refused for good", *_WAITING, *_GIVEN_UP),
    # Repeated or overtaken facts: recorded, the state stays.
    *_kept(Kind.SENT, "taken once more, or recorded late", *_AFTER),
    *_kept(Kind.DEFERRED, "the relay tries again by itself", *_AFTER),
    *_kept(Kind.DEFERRED, "a report of an earlier attempt", *(s for s in _WAITING if s != _S.CLAIMED), *_GIVEN_UP),
    *_kept(Kind.UNCERTAIN, "the answer was known before the lease ran out", *_AFTER),
    *_kept(Kind.DELIVERED, "reported again, or before its bounce", _S.DELIVERED, _S.BOUNCED),
    *_kept(Kind.BOUNCED, "reported again", _S.BOUNCED),
    *_kept(Kind.COMPLAINED, "the recipient complained: an event, not a state", *(s for s in State if s != _S.ACCEPTED)),
    *_kept(
        Kind.UNSUBSCRIBED, "the recipient opted out: an event, not a state", *(s for s in State if s != _S.ACCEPTED)
    ),
)

_BY_STEP: MappingProxyType[tuple[State | None, Kind, bool], State] = MappingProxyType(
    {(step.source, step.kind, step.back): step.target for step in TRANSITIONS}
)


class IllegalTransition(ValueError):  # noqa: N818 - the name says what happened; every caller reads it so
    """An event that the table does not permit in this state: a bug of ours, so nothing is changed."""

    def __init__(self, state: State | None, kind: Kind) -> None:
        where = "before acceptance" if state is None else f"in state {state.name.lower()}"
        super().__init__(f"The event {kind.name.lower()} cannot happen {where}.")
        self.state = state
        self.kind = kind


def apply(state: State | None, kind: Kind, *, back: bool = False) -> State:
    """Give the state after the event, or raise IllegalTransition. `back`: it was given back, to be tried again."""
    target = _BY_STEP.get((state, kind, back))
    if target is None:
        raise IllegalTransition(state, kind)
    return target


# An email of several messages shows its worst one's state: refusals first, then what is least far along.
WORST_FIRST: tuple[State, ...] = (
    _S.BOUNCED,
    _S.FAILED,
    _S.SUPPRESSED,
    _S.EXPIRED,
    _S.CANCELLED,
    _S.UNCERTAIN,
    _S.HELD,
    _S.DEFERRED,
    _S.ACCEPTED,
    _S.QUEUED,
    _S.CLAIMED,
    _S.SENDING,
    _S.SENT,
    _S.DELIVERED,
)
_RANK: MappingProxyType[State, int] = MappingProxyType({state: at for at, state in enumerate(WORST_FIRST)})

RESEND_NAME: MappingProxyType[State, str] = MappingProxyType(
    {
        _S.ACCEPTED: "queued",
        _S.QUEUED: "queued",
        _S.CLAIMED: "queued",
        _S.SENDING: "queued",
        _S.SENT: "sent",
        _S.DELIVERED: "delivered",
        _S.DEFERRED: "delivery_delayed",
        _S.BOUNCED: "bounced",
        _S.UNCERTAIN: "delivery_delayed",
        _S.HELD: "queued",
        _S.SUPPRESSED: "suppressed",
        _S.CANCELLED: "canceled",
        _S.EXPIRED: "failed",
        _S.FAILED: "failed",
    }
)


def worst(states: Iterable[State]) -> State:
    """Give the state that an email of these messages shows; ValueError when there is none."""
    return min(states, key=_RANK.__getitem__)


def resend_event(state: State, *, scheduled: bool = False, complained: bool = False) -> str:
    """Give Resend's `last_event` word. `scheduled`: its time lies ahead; `complained`: such an event exists."""
    if complained:
        return "complained"
    if scheduled and RESEND_NAME[state] == "queued":
        return "scheduled"
    return RESEND_NAME[state]


def sql_state_check(column: str = "state", *, spool: bool = False) -> str:
    """Give the text of a SQL CHECK for a state column; `spool`: only states that have a spool row."""
    return _sql_in(column, (s for s in State if s.in_spool or not spool))


def sql_kind_check(column: str = "kind") -> str:
    """Give the text of a SQL CHECK for an event kind column."""
    return _sql_in(column, Kind)


def sql_transitions() -> str:
    """Give the table as SQL VALUES rows (source or NULL, kind, target), for a trigger or a test in the database."""
    return ",\n".join(
        f"({'NULL' if step.source is None else int(step.source)}, {int(step.kind)}, {int(step.target)})"
        for step in TRANSITIONS
    )


def _sql_in(column: str, members: Iterable[IntEnum]) -> str:
    return f"{column} IN ({', '.join(str(int(member)) for member in members)})"


def mermaid(*, late: bool = False) -> str:
    """Give the documentation's diagram (mermaid, stateDiagram-v2); `late` adds the late and repeated facts."""
    steps = [step for step in TRANSITIONS if late or not step.late]
    return "\n".join(["stateDiagram-v2", *(f"    {_edge(step)}" for step in steps), *map(_exit, _finals())]) + "\n"


def _edge(step: Transition) -> str:
    source = "[*]" if step.source is None else step.source.name.lower()
    return f"{source} --> {step.target.name.lower()}: {step.kind.name.lower()}"


def _finals() -> list[State]:
    return [state for state in State if state.final]


def _exit(state: State) -> str:
    return f"    {state.name.lower()} --> [*]"


def states_markdown() -> str:
    """Give the documentation's tables of states and of transitions (Markdown)."""
    rows = [f"| {s.name.lower()} | {int(s)} | {s.meaning} | {RESEND_NAME[s]} |" for s in State]
    steps = [
        f"| {'(new)' if t.source is None else t.source.name.lower()} | {t.kind.name.lower()} "
        f"| {t.target.name.lower()} | {t.meaning}{' (late)' if t.late else ''} |"
        for t in TRANSITIONS
    ]
    head = ["| state | number | meaning | Resend's word |", "|---|---|---|---|"]
    head2 = ["", "| from | event | to | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, *head2, *steps]) + "\n"
