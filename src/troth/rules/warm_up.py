"""Warm-up, for delivery and its pages: how much a route may send on a day of its schedule.

Pure. Days are those of UTC. The mark asks the same of `route_cap_v1` (control/pipeline/sql/0002_routes.sql); a test
shows both the same schedules.
"""

from collections.abc import Sequence
from datetime import date

ROUTES = ("relay",)  # the next hops there are: a schedule of any other would hold nothing back
DAYS, MOST = 90, 10_000_000


def cap(starts: date, caps: Sequence[int], day: date) -> int | None:
    """Give the messages of a day; 0 before the schedule begins, None when it is over."""
    n = (day - starts).days
    if n < 0:
        return 0
    return caps[n] if n < len(caps) else None


def problem(caps: Sequence[int]) -> str | None:
    """Say in words what is wrong with a schedule's daily caps, or None."""
    if not 1 <= len(caps) <= DAYS:
        return f"A schedule has 1 to {DAYS} days: give the messages of each day, the first day first."
    if not all(1 <= each <= MOST for each in caps):
        return f"Each day has from 1 to {MOST:,} messages."
    if list(caps) != sorted(caps):
        return "A warm-up never falls: give each day at least as many messages as the day before."
    return None


def grown(first: int, percent: int, last: int) -> list[int]:
    """Give the daily caps that grow by a share each day, rounded up, to the last; DAYS + 1 stand for too many."""
    caps = [first]
    while caps[-1] < last and len(caps) <= DAYS:
        caps.append(min(last, -(-caps[-1] * (100 + percent) // 100)))
    return caps
