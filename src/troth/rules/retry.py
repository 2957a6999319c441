"""Delivery, after a failed attempt: what comes next for the message, as a decision object.

    the address is bad, for good       -> Bounced, suppressed at once
    the mailbox refuses for now        -> the policy's three retries in its window, then Spent: bounced and suppressed
    anything else, for good            -> Bounced, nobody is suppressed
    anything else, for now             -> its own exponential schedule to the end of the lifetime, then Failed

A mailbox failure is on the soft schedule even where the reply was 5yz (552 5.2.2, mailbox full): the class says that
it may pass. Nothing but an address's own failures ever condemns it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import ClassVar

from troth.rules.facts import check_aware
from troth.rules.policy import Policy
from troth.rules.states import Kind


class FailureKind(StrEnum):
    """What a failed attempt failed at."""

    ADDRESS = "address"
    MAILBOX = "mailbox"
    CONNECTION = "connection"
    TLS = "tls"
    AUTHENTICATION = "authentication"
    RATE = "rate"
    POLICY = "policy"
    REPUTATION = "reputation"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at this time."""

    at: datetime
    kind: ClassVar[Kind] = Kind.DEFERRED


@dataclass(frozen=True, slots=True)
class Spent:
    """The soft retries are used up: treated as a hard bounce, as the promise says."""

    reason: str = "soft_spent"
    suppress: bool = True
    kind: ClassVar[Kind] = Kind.BOUNCED


@dataclass(frozen=True, slots=True)
class Bounced:
    """Refused for good; suppress: because the address itself is bad."""

    suppress: bool
    reason: str
    kind: ClassVar[Kind] = Kind.BOUNCED


@dataclass(frozen=True, slots=True)
class Failed:
    """Given up without a word against the address."""

    reason: str
    kind: ClassVar[Kind] = Kind.FAILED


Step = Retry | Spent | Bounced | Failed


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds: the first wait, the factor of each further one, the longest."""

    first: int
    factor: int
    longest: int


_USUAL = Schedule(300, 2, 14_400)
SCHEDULES: MappingProxyType[str, Schedule] = MappingProxyType(
    {
        FailureKind.CONNECTION: Schedule(60, 2, 3_600),
        FailureKind.TLS: _USUAL,
        FailureKind.AUTHENTICATION: _USUAL,
        FailureKind.RATE: Schedule(120, 2, 3_600),
        FailureKind.POLICY: Schedule(900, 2, 14_400),
        FailureKind.REPUTATION: Schedule(1_800, 2, 14_400),
        FailureKind.CONTENT: Schedule(1_800, 2, 14_400),
    }
)


@dataclass(frozen=True, slots=True)
class Tries:
    """The failure schedule that a message is on (None: none), how many of its attempts failed, when the first did."""

    schedule: str | None = None
    attempts: int = 0
    first: datetime | None = None


def counted(before: Tries, failure_kind: str, *, address_bad: bool, now: datetime) -> Tries:
    """The schedule of an attempt that has just failed, this failure counted."""
    soft = failure_kind == FailureKind.MAILBOX or address_bad
    name = FailureKind.MAILBOX.value if soft else str(failure_kind)
    if before.schedule == name and before.first is not None:
        return Tries(name, before.attempts + 1, before.first)
    return Tries(name, 1, now)


def remembered(before: Tries, after: Tries) -> Tries:
    """What the spool keeps: an address's own tries and window go on being counted through other trouble."""
    return before if before.schedule == FailureKind.MAILBOX != after.schedule else after


def next_step(
    failure_kind: str,
    *,
    permanent: bool,
    address_bad: bool,
    policy: Policy,
    attempts_of_this_schedule: int,
    first_attempt_at: datetime,
    now: datetime,
    lifetime_ends_at: datetime,
    message_id: str,
) -> Step:
    """Decide after an attempt that has just failed.

    attempts_of_this_schedule counts it, so it is at least 1; first_attempt_at is the same schedule's first attempt.
    message_id spreads retries of many messages, the same way each time. An unknown kind is on the usual schedule.
    """
    for moment in (first_attempt_at, now, lifetime_ends_at):
        check_aware(moment, "Every time of a retry")
    if attempts_of_this_schedule < 1:
        raise ValueError("The attempt that failed counts, so there is at least one.")
    if permanent and address_bad:
        return Bounced(suppress=policy.bounce.hard_suppresses, reason="hard")
    if failure_kind == FailureKind.MAILBOX or address_bad:
        return _soft(policy, attempts_of_this_schedule, first_attempt_at, now, lifetime_ends_at)
    if permanent:
        return Bounced(suppress=False, reason=failure_kind)
    wait = _wait(SCHEDULES.get(failure_kind, _USUAL), attempts_of_this_schedule, message_id)
    return _within(now + wait, lifetime_ends_at)


def _soft(policy: Policy, attempts: int, first: datetime, now: datetime, lifetime_ends_at: datetime) -> Step:
    waits = policy.bounce.soft_retry_minutes
    window_ends_at = first + timedelta(minutes=policy.bounce.soft_window_minutes)
    if attempts > len(waits) or now >= window_ends_at:
        return Spent()
    # A late worker must not push the last retry out of the window that was promised.
    return _within(min(now + timedelta(minutes=waits[attempts - 1]), window_ends_at), lifetime_ends_at)


def _within(at: datetime, lifetime_ends_at: datetime) -> Step:
    return Retry(at) if at < lifetime_ends_at else Failed("lifetime_over")


def _wait(schedule: Schedule, attempts: int, message_id: str) -> timedelta:
    """Grow by the factor to the longest, then spread by up to a tenth either way."""
    steps = min(attempts - 1, 30)  # beyond this every schedule is at its longest
    seconds = min(schedule.first * schedule.factor**steps, schedule.longest)
    spread = int.from_bytes(sha256(f"{message_id}|{attempts}".encode()).digest()[:4]) % 201 - 100
    return timedelta(milliseconds=seconds * (1000 + spread))
