"""Four eyes, kind `route`: its warm-up, from which day on and how many messages on each day (rules/warm_up.py)."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within
from troth.rules import warm_up

_AHEAD = timedelta(days=365)
_SENT = "SELECT used FROM troth.route_day WHERE route = %s AND day = %s"


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`starts`: YYYY-MM-DD, a day of UTC. `caps`: messages a day. `retired`: the schedule holds nothing any more."""

    starts: str
    caps: list[int]
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Route)
    problems, starts = [], _day(given.starts)
    if asked.code not in warm_up.ROUTES:
        problems.append(Problem("code", "unknown", f"The routes are {', '.join(warm_up.ROUTES)}."))
    if starts is None:
        problems.append(Problem("starts", "grammar", "Write the first day as YYYY-MM-DD, a day of UTC."))
    if wrong := warm_up.problem(given.caps):
        problems.append(Problem("caps", "schedule", wrong))
    elif starts is not None and not given.retired:
        problems.extend(_nonsense(asked, starts, given.caps))
    return problems


def _nonsense(asked: Asked, starts: date, caps: list[int]) -> Iterator[Problem]:
    """A schedule that holds nothing back, or all mail for long, or less than went today already."""
    today = asked.now.astimezone(UTC).date()
    if (today - starts).days >= len(caps):
        hint = f"This schedule is over already: it holds nothing back. Begin it today, {today}, or later."
        yield Problem("starts", "over", hint)
    if starts - today > _AHEAD:
        hint = "Nothing goes over a route before its first day: give a day within a year, or pause the sending."
        yield Problem("starts", "far", hint)
        return
    cap = warm_up.cap(starts, caps, today)
    with within(asked.connection, None):
        row = asked.connection.execute(_SENT, (asked.code, today)).fetchone()
    if cap is not None and row is not None and cap < row[0]:
        hint = (
            f"{cap:,} for today lies below what went today already: {row[0]:,}. Give today as many or more, or pause "
            "the sending."
        )
        yield Problem("starts" if cap == 0 else "caps", "spent", hint)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None
