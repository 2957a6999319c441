"""Submission, many recipients in one request: all are checked before any is written, then all are written at once.

All or nothing, and the mails that ask are part of it; with `X-Batch-Validation: permissive` those that pass are
registered and the others told by their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from starlette.responses import Response

from troth.flow.submission import checking, idempotency, recipients, strict_json, wire
from troth.flow.submission.auth import read_content, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.idempotency import Given
from troth.flow.submission.problem import Problem
from troth.flow.submission.recipients import Checked, House, Registered, Writing

_MODE = "x-batch-validation"


@dataclass(slots=True)
class _Batch:
    """`refused`: by place in the request; in the strict mode the first one ends the request."""

    permissive: bool
    good: list[Checked] = field(default_factory=list)
    refused: dict[int, Problem] = field(default_factory=dict)

    def refuse(self, place: int, problem: Problem) -> None:
        problem.index = place
        if not self.permissive:
            raise problem.inside(f"[{place}]")
        self.refused[place] = problem


async def register_batch(deps: Deps, call: Call) -> Response:
    """POST /recipients/batch"""
    read_key(deps, call)
    key, batch = idempotency.given(call.request), _Batch(_permissive(call))
    body = await read_content(deps, call)
    content = strict_json.read(body)
    parts = wire.batch(body)
    if not parts:
        raise Problem("empty-batch", "The batch holds no recipient; send at least one.")
    if len(parts) > deps.batch_limit:
        raise Problem("batch-too-large", f"The batch holds {len(parts)} recipients; {deps.batch_limit} is the most.")
    route = f"POST {call.route} {'permissive' if batch.permissive else 'strict'}"
    house = await recipients.house(deps, call, recipients.Request(key, content, route))
    if isinstance(house, Given):
        return recipients.answered(deps, call, house, replayed=True)
    _read(batch, parts, house)
    await _reach(deps, batch)
    writing = Writing(batch.refuse, lambda done: Given(200, _told(deps, batch, done)))
    return recipients.answered(deps, call, *await recipients.write(deps, house, batch.good, writing))


def _permissive(call: Call) -> bool:
    mode = call.request.headers.get(_MODE, "strict")
    if mode not in ("strict", "permissive"):
        raise Problem("bad-value", f"The header {_MODE} is strict or permissive.", _MODE)
    return mode == "permissive"


def _read(batch: _Batch, parts: Sequence[msgspec.Raw], house: House) -> None:
    """An address that stands there twice is a mistake: which of the two was meant nobody can say."""
    seen: dict[str, int] = {}
    for place, part in enumerate(parts):
        try:
            checked = recipients.read_one(wire.recipient(part), house, place)
            _once(seen, checked)
        except Problem as problem:
            batch.refuse(place, problem)
        else:
            batch.good.append(checked)


def _once(seen: dict[str, int], checked: Checked) -> None:
    assert checked.found.sendable is not None
    first = seen.setdefault(checked.found.sendable.normal, checked.place)
    if first != checked.place:
        raise Problem("bad-value", f"This address stands at [{first}], too; send it once.", "email")


async def _reach(deps: Deps, batch: _Batch) -> None:
    hosts = await checking.look_up(deps.resolver, [checked.found for checked in batch.good])
    for checked in list(batch.good):
        try:
            checking.reachable(checked.found, hosts)
        except Problem as problem:
            batch.refuse(checked.place, problem)
            batch.good.remove(checked)


def _told(deps: Deps, batch: _Batch, done: Sequence[Registered]) -> dict[str, object]:
    """A mail that the gate did not take leaves its recipient pending and named; asked for again, they get it."""
    taken = [one for one in done if one.checked.place not in batch.refused]
    content: dict[str, object] = {"data": [recipients.told(deps, one) for one in taken]}
    if batch.refused:
        content["errors"] = [_error(place, batch.refused[place]) for place in sorted(batch.refused)]
    return content


def _error(place: int, problem: Problem) -> dict[str, object]:
    told: dict[str, object] = {"index": place, "message": problem.sentence, "code": problem.slug}
    more = {"field": problem.field, "suggestion": problem.suggestion}
    return told | {name: value for name, value in more.items() if value is not None}
