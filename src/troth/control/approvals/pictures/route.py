"""Four eyes, the picture of a route's warm-up: how many messages may go on each day, and what becomes of the rest."""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor
from troth.rules import warm_up


def picture(_: Actor, seen: Seen) -> Picture:
    after, before = seen.artefact, seen.before
    if after.get("retired"):
        says, then = f"The warm-up of the route “{seen.code}” ends.", "From then on no daily number holds mail back."
        rows = (("Messages on a day", _whole(before), "as many as there are", ""),)
        return Picture(says, then, rows)
    starts, caps = _schedule(after)
    says = (
        f"From {starts} on the route “{seen.code}” sends at most {caps[0]:,} messages a day, rising to {caps[-1]:,} on "
        f"day {len(caps)}."
    )
    if starts > seen.now.astimezone(UTC).date():
        says += f" Until {starts} nothing goes over it: all mail is held."
    then = "What is more than a day’s number is held until the next day; after the last day nothing is held back."
    return Picture(says, then, tuple(_rows(before, starts, caps)))


def _schedule(artefact: Mapping[str, Any]) -> tuple[date, list[int]]:
    return date.fromisoformat(artefact["starts"]), [int(each) for each in artefact["caps"]]


def _whole(before: Mapping[str, Any] | None) -> str:
    if before is None or before.get("retired"):
        return "as many as there are" if before else ""
    starts, caps = _schedule(before)
    return f"from {starts} on {caps[0]:,}, rising to {caps[-1]:,} on day {len(caps)}"


def _rows(before: Mapping[str, Any] | None, starts: date, caps: list[int]) -> list[Row]:
    """Each day of the new schedule with what the one before has for it, and how long that one would have gone on."""
    days = [starts + timedelta(days=n) for n in range(len(caps))]
    rows = [
        (f"{day}", _said(before, day), f"at most {cap:,}", f"day {n}")
        for n, (day, cap) in enumerate(zip(days, caps, strict=True), 1)
    ]
    if before and not before.get("retired") and (ends := _end(before)) > days[-1]:
        rows.append((f"{days[-1] + timedelta(days=1)} to {ends}", "the schedule goes on", "as many as there are", ""))
    return rows


def _end(artefact: Mapping[str, Any]) -> date:
    starts, caps = _schedule(artefact)
    return starts + timedelta(days=len(caps) - 1)


def _said(before: Mapping[str, Any] | None, day: date) -> str:
    """What the schedule before says of a day; empty where there is none."""
    if before is None:
        return ""
    cap = None if before.get("retired") else warm_up.cap(*_schedule(before), day)
    if cap is None:
        return "as many as there are"
    return f"at most {cap:,}" if cap else "nothing"
