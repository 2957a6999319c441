"""Four eyes, kind `route`: its warm-up, from which day on and how many messages on each day (rules/warm_up.py)."""

from datetime import date

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.rules import warm_up


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`starts`: YYYY-MM-DD, a day of UTC. `caps`: messages a day. `retired`: the schedule holds nothing any more."""

    starts: str
    caps: list[int]
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Route)
    problems = []
    if asked.code not in warm_up.ROUTES:
        problems.append(Problem("code", "unknown", f"The routes are {', '.join(warm_up.ROUTES)}."))
    if _day(given.starts) is None:
        problems.append(Problem("starts", "grammar", "Write the first day as YYYY-MM-DD, a day of UTC."))
    if wrong := warm_up.problem(given.caps):
        problems.append(Problem("caps", "schedule", wrong))
    return problems


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None
