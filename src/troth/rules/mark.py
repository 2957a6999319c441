"""Delivery, its last door: the closed list of answers that the mark's statement may give for one message.

The statement in store/sql answers with these numbers; what each does to the message is said here and nowhere else.
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from troth.rules.states import Kind, State


class MarkVerdict(IntEnum):
    """The numbers are written in SQL: never renumber, never reuse."""

    OK = 0
    SUPPRESSED = 1
    PAUSED = 2
    UNAPPROVED = 3
    UNVERIFIED = 4
    ERASED = 5
    DOMAIN_UNREADY = 6
    LIFETIME_OVER = 7
    CANCELLED = 8
    STALE_TOKEN = 9
    QUIET = 10
    WARM_UP = 11
    CLOCK_BEHIND = 12
    WITHDRAWN = 13


@dataclass(frozen=True, slots=True)
class MarkOutcome:
    """What the verdict does. kind None: nothing is told, the message is another worker's, or waits as it is.
    again_in: seconds, None for never.
    """

    kind: Kind | None
    target: State | None
    again_in: int | None
    reason: str
    sentence: str


def _held(again_in: int | None, reason: str, sentence: str) -> MarkOutcome:
    return MarkOutcome(Kind.HELD, State.HELD, again_in, reason, sentence)


# A hold with a time asks again by itself, so that nobody has to remember the message when the cause is gone.
MARK_OUTCOME: MappingProxyType[MarkVerdict, MarkOutcome] = MappingProxyType(
    {
        MarkVerdict.OK: MarkOutcome(Kind.SENDING, State.SENDING, None, "ok", "Every last check passed."),
        MarkVerdict.SUPPRESSED: MarkOutcome(
            Kind.SUPPRESSED, State.SUPPRESSED, None, "suppressed", "The recipient was suppressed meanwhile."
        ),
        MarkVerdict.WITHDRAWN: MarkOutcome(
            Kind.SUPPRESSED,
            State.SUPPRESSED,
            None,
            "consent-withdrawn",
            "The recipient has taken back the consent that it was accepted on.",
        ),
        MarkVerdict.PAUSED: _held(300, "paused", "Sending is paused; asked again every 5 minutes."),
        MarkVerdict.UNAPPROVED: _held(None, "unapproved", "Its category or template is no longer approved."),
        MarkVerdict.UNVERIFIED: _held(3600, "unverified", "The address is no longer verified; asked again hourly."),
        MarkVerdict.ERASED: MarkOutcome(
            Kind.CANCELLED, State.CANCELLED, None, "erased", "The recipient was erased; there is nobody to send to."
        ),
        MarkVerdict.DOMAIN_UNREADY: _held(
            300, "domain-unready", "The sending domain is not ready; asked again every 5 minutes."
        ),
        MarkVerdict.LIFETIME_OVER: MarkOutcome(
            Kind.EXPIRED, State.EXPIRED, None, "lifetime-over", "Its lifetime ended before it could be sent."
        ),
        MarkVerdict.CANCELLED: MarkOutcome(
            Kind.CANCELLED, State.CANCELLED, None, "cancelled", "It was withdrawn before it was sent."
        ),
        MarkVerdict.QUIET: _held(None, "quiet-hours", "The recipient's quiet hours have begun; it goes when they end."),
        MarkVerdict.WARM_UP: _held(
            None, "warm-up", "Its route is being warmed up and has sent what it may today; it goes tomorrow."
        ),
        MarkVerdict.CLOCK_BEHIND: MarkOutcome(
            None, None, 5, "clock-behind", "The clock stands behind its highest mark; it waits, and nothing is told."
        ),
        MarkVerdict.STALE_TOKEN: MarkOutcome(
            None, None, None, "stale-token", "Another worker holds this message now; nothing was done."
        ),
    }
)
