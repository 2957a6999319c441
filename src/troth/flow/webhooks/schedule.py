"""Webhooks, after a failed attempt: when the next one is, or that there is none. Pure; time is handed in.

The delays and the day that they fill follow the example in Standard Webhooks 1.0 ("Deliverability and reliability").
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DELAYS: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
    timedelta(hours=10),
)
DAY = timedelta(hours=24)  # from the first attempt to the last
JITTER = 0.15  # of a delay, at most taken off
LONGEST_WAIT = timedelta(hours=6)  # of a Retry-After
_DATE = "%a, %d %b %Y %H:%M:%S GMT"


@dataclass(frozen=True, slots=True)
class Again:
    """The next attempt's time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The day is over."""


def next_try(
    *, attempts: int, first_at: datetime, now: datetime, chance: float, wait: timedelta | None = None
) -> Again | GiveUp:
    """`attempts` made so far, this failed one included; `chance` in [0, 1) is the jitter; `wait`: what it asked for.

    The last attempt is a day after the first, however long the receiver asked to wait.
    """
    ends = first_at + DAY
    if now >= ends or attempts > len(DELAYS):
        return GiveUp()
    delay = DELAYS[attempts - 1] * (1 - JITTER * chance)
    return Again(min(now + max(delay, wait or timedelta(0)), ends))


def retry_after(text: str | None, wall: datetime) -> timedelta | None:
    """Retry-After (RFC 9110 section 10.2.3) as a wait of at most LONGEST_WAIT; None: absent, past or nonsense.

    `wall` is the true time, which a date in it is compared with.
    """
    if text is None:
        return None
    text = text.strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT) if text.strip("0") else None
    try:
        until = datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return min(until - wall, LONGEST_WAIT) if until > wall else None
