"""Submission, the emails of Resend's API: send one or many, read one or a page, move its time, call it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused, Taken
from troth.flow.gate.recall import Recall
from troth.flow.submission import idempotency, strict_json, when, wire
from troth.flow.submission.answers import json_answer, rate_headers
from troth.flow.submission.asking import asked
from troth.flow.submission.auth import identify, read_content, read_key
from troth.flow.submission.body import read_body
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.peer import peer_of
from troth.flow.submission.problem import Problem, of_gate
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.rules.states import State
from troth.store import gate as store
from troth.store import reading

EMAIL = "em"
_MODE = "x-batch-validation"


async def send(deps: Deps, call: Call) -> Response:
    """POST /emails"""
    key_hash = read_key(deps, call)
    given = idempotency.given(call.request)
    body = await read_content(deps, call)
    content = strict_json.read(body)
    email = wire.email(body)
    clock = await _clock(deps, call, [email])
    ask = Ask(
        Caller(key_hash=key_hash, peer=peer_of(call.request, deps.trusted_proxies)),
        (asked(email, clock.read),),
        "POST",
        call.route,
        idempotency=idempotency.hashes(deps.secrets, given, f"POST {call.route}", content) if given else None,
    )
    taken = await _submit(deps, ask)
    assert taken.ids[0] is not None
    return json_answer({"id": ids.wire(EMAIL, deps.cell, taken.ids[0])}, headers=_headers(taken))


async def send_batch(deps: Deps, call: Call) -> Response:
    """POST /emails/batch: all or nothing, or, permissive, as many as pass."""
    key_hash = read_key(deps, call)
    given, permissive = idempotency.given(call.request), _permissive(call)
    body = await read_content(deps, call)
    content = strict_json.read(body)
    parts = wire.batch(body)
    _check_count(len(parts), deps.batch_limit)
    batch = await _read_batch(deps, call, parts, permissive=permissive)
    if not batch.emails:
        await identify(deps, call)
        _note(deps, call)
        return _batch_answer(deps, batch, Taken(()))
    route = f"POST {call.route} {'permissive' if permissive else 'strict'}"
    hashes = idempotency.hashes(deps.secrets, given, route, content) if given else None
    caller = Caller(key_hash=key_hash, peer=peer_of(call.request, deps.trusted_proxies))
    ask = Ask(caller, tuple(batch.emails), "POST", call.route, permissive, hashes)
    return _batch_answer(deps, batch, await _submit(deps, ask, batch.places))


async def reschedule(deps: Deps, call: Call) -> Response:
    """PATCH /emails/{id}"""
    read_key(deps, call)
    body = await read_content(deps, call)
    strict_json.read(body)
    text = wire.reschedule(body).scheduled_at
    known, now = await _known_now(deps, call)
    due = _read_when(text, now, known.timezone)
    if due <= now:
        raise Problem("schedule-in-past", "`scheduled_at` lies in the past; give a time ahead.", "scheduled_at")
    email_id = email_of(call)
    word = await deps.gate.reschedule(known.tenant_id, email_id, due)
    if isinstance(word, Refused):
        problem = of_gate(word.refusal, word.rates, word.at)
        problem.logged = False  # the gate logs what is asked anew, not what is changed
        raise problem
    way_out = "Only scheduled mail, still waiting, gets another time."
    return await _changed(deps, call, word, "not-reschedulable", way_out)


async def cancel(deps: Deps, call: Call) -> Response:
    """POST /emails/{id}/cancel"""
    read_key(deps, call)
    await read_body(call.request, deps.body_limit, call.held)
    known = await identify(deps, call)
    word = await deps.gate.cancel(known.tenant_id, email_of(call))
    return await _changed(deps, call, word, "not-cancellable", "It can no longer be cancelled.")


def email_of(call: Call) -> UUID:
    """The email that the path names; an id that is none of ours is as missing as another client's."""
    found = ids.unwire(EMAIL, call.request.path_params["id"])
    if found is None:
        raise missing()
    call.email_id = found
    return found


def missing() -> Problem:
    return Problem("not-found", "There is no such email; check the id and the account that the key is for.")


async def _changed(deps: Deps, call: Call, word: Recall, slug: str, sentence: str) -> Response:
    if word is Recall.MISSING:
        raise missing()
    if word is Recall.TOO_LATE:
        if await _cancelled(deps, call):
            raise Problem(slug, "It is cancelled already.")
        raise Problem(slug, f"The email was sent, is being sent, or has ended. {sentence}")
    _note(deps, call)
    assert call.email_id is not None
    return json_answer({"object": "email", "id": ids.wire(EMAIL, deps.cell, call.email_id)})


async def _cancelled(deps: Deps, call: Call) -> bool:
    """Whether all of the email is."""
    assert call.known is not None
    assert call.email_id is not None
    async with deps.lend() as connection:
        rows = await reading.emails(connection, call.known.tenant_id, [call.email_id])
    return all(row.state == State.CANCELLED for row in rows)


def _note(deps: Deps, call: Call) -> None:
    assert call.known is not None
    deps.log.tell(
        Note(call.known.tenant_id, call.known.key_id, call.request.method, call.route, 200, email_id=call.email_id)
    )


async def _submit(deps: Deps, ask: Ask, places: Sequence[int] = ()) -> Taken:
    """`places`: where in the request each email of a batch stood."""
    answer = await deps.gate.submit(ask)
    if isinstance(answer, Taken):
        return answer
    problem = of_gate(answer.refusal, answer.rates, answer.at)
    if places:
        problem.index = places[answer.refusal.index]
        problem.inside(f"[{problem.index}]")
    raise problem


def _headers(taken: Taken) -> dict[str, str]:
    headers = rate_headers(taken.rates, taken.at)
    return headers | {"idempotent-replayed": "true"} if taken.replayed else headers


# ---- time ----


@dataclass(frozen=True, slots=True)
class _Clock:
    """The database's now and the client firm's zone, when a sentence needs them."""

    now: datetime | None = None
    zone: str = "UTC"

    def read(self, text: str) -> datetime:
        return _read_when(text, self.now, self.zone)


def _read_when(text: str, now: datetime | None, zone: str) -> datetime:
    if now is None or not when.needs_now(text):
        return when.parse_iso(text)
    return when.parse_english(text, now, ZoneInfo(zone))


async def _clock(deps: Deps, call: Call, emails: Sequence[wire.Email]) -> _Clock:
    if not any(e.scheduled_at is not None and when.needs_now(e.scheduled_at) for e in emails):
        return _Clock()
    known, now = await _known_now(deps, call)
    return _Clock(now, known.timezone)


async def _known_now(deps: Deps, call: Call) -> tuple[store.KeyRow, datetime]:
    known = await identify(deps, call)
    async with deps.lend() as connection:
        return known, await store.now(connection)


# ---- batches ----


@dataclass(frozen=True, slots=True)
class _Batch:
    """What goes to the gate, the place of each in the request, and what was refused before."""

    emails: list[EmailAsked]
    places: list[int]
    refused: dict[int, Problem]


def _permissive(call: Call) -> bool:
    mode = call.request.headers.get(_MODE, "strict")
    if mode not in ("strict", "permissive"):
        raise Problem("bad-value", f"The header {_MODE} is strict or permissive.", _MODE)
    return mode == "permissive"


def _check_count(count: int, limit: int) -> None:
    if not count:
        raise Problem("empty-batch", "The batch holds no email; send at least one.")
    if count > limit:
        raise Problem("batch-too-large", f"The batch holds {count} emails; {limit} is the most.")


async def _read_batch(deps: Deps, call: Call, parts: Sequence[msgspec.Raw], *, permissive: bool) -> _Batch:
    batch = _Batch([], [], {})
    shaped: list[tuple[int, wire.Email]] = []
    for place, part in enumerate(parts):
        try:
            shaped.append((place, wire.email(part)))
        except Problem as problem:
            _refuse(batch, place, problem, permissive=permissive)
    clock = await _clock(deps, call, [email for _, email in shaped])
    for place, email in shaped:
        try:
            batch.emails.append(asked(email, clock.read))
            batch.places.append(place)
        except Problem as problem:
            _refuse(batch, place, problem, permissive=permissive)
    return batch


def _refuse(batch: _Batch, place: int, problem: Problem, *, permissive: bool) -> None:
    problem.index = place
    if not permissive:
        raise problem.inside(f"[{place}]")
    batch.refused[place] = problem


def _batch_answer(deps: Deps, batch: _Batch, taken: Taken) -> Response:
    """Resend's shape: those taken in `data`, and in permissive mode `errors` by place in the request."""
    content: dict[str, object] = {
        "data": [{"id": ids.wire(EMAIL, deps.cell, i)} for i in taken.ids if i is not None],
    }
    refused = batch.refused | {batch.places[r.index]: of_gate(r) for r in taken.refused}
    if refused:
        content["errors"] = [_error(place, refused[place]) for place in sorted(refused)]
    return json_answer(content, headers=_headers(taken))


def _error(place: int, problem: Problem) -> dict[str, object]:
    told: dict[str, object] = {"index": place, "message": problem.sentence, "code": problem.slug}
    return told if problem.field is None else {**told, "field": problem.field}
