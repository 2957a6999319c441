"""Submission, reading back: GET /emails/{id} and GET /emails, always within the key's tenant."""

from collections.abc import Sequence
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.responses import Response

from troth.flow.submission.answers import json_answer
from troth.flow.submission.auth import identify_over, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.emails import EMAIL, email_of, missing
from troth.flow.submission.presenting import Opened, listed, open_email, whole
from troth.flow.submission.problem import Problem
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.store import gate, reading
from troth.store.connection import Connection
from troth.store.gate import KeyRow

_MOST, _USUAL = 100, 20
_KNOWN = ("limit", "after", "before")


async def get(deps: Deps, call: Call) -> Response:
    """GET /emails/{id}"""
    read_key(deps, call)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        found = await _open(deps, connection, known, [email_of(call)])
    if not found:
        raise missing()
    _note(deps, call, known)
    return json_answer(whole(found[0]))


async def page(deps: Deps, call: Call) -> Response:
    """GET /emails: newest first; `after` an id come older ones, `before` it newer ones."""
    read_key(deps, call)
    limit, after, before = _asked(call.request.query_params)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        if before is not None:
            found = await reading.page_after(connection, known.tenant_id, before, limit + 1)
            shown = found[-limit:]
        else:
            found = await reading.page_before(connection, known.tenant_id, after, limit + 1)
            shown = found[:limit]
        emails = await _open(deps, connection, known, shown)
    _note(deps, call, known)
    content = [listed(email) for email in emails]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": content})


def _note(deps: Deps, call: Call, known: KeyRow) -> None:
    note = Note(known.tenant_id, known.key_id, call.request.method, call.route, 200, email_id=call.email_id)
    deps.log.tell(note)


async def _open(deps: Deps, connection: Connection, known: KeyRow, wanted: Sequence[UUID]) -> list[Opened]:
    """The emails in the order wanted; those that are not this tenant's are passed over."""
    rows = await reading.emails(connection, known.tenant_id, wanted)
    events = await reading.events(connection, known.tenant_id, [row.message_id for row in rows])
    now = await gate.now(connection)
    of_email = {i: [row for row in rows if row.id == i] for i in wanted}
    return [
        open_email(
            deps.keyring, known.tenant_id, of_email[i], events,
            await deps.shelf.of_email(connection, known.tenant_id, i), cell=deps.cell, now=now,
        )
        for i in wanted
        if of_email[i]
    ]  # fmt: skip


def _asked(query: QueryParams) -> tuple[int, UUID | None, UUID | None]:
    if unknown := next((name for name in query if name not in _KNOWN), None):
        sentence = f"`{unknown[:64]}` is not a parameter of this request; {', '.join(_KNOWN)} are."
        raise Problem("unknown-field", sentence, unknown[:64])
    after, before = _cursor(query, "after"), _cursor(query, "before")
    if after is not None and before is not None:
        raise Problem("bad-value", "Send `after` or `before`, not both.", "before")
    return _limit(query.get("limit")), after, before


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= _MOST):
        raise Problem("bad-value", f"`limit` is a whole number from 1 to {_MOST}.", "limit")
    return int(text)


def _cursor(query: QueryParams, name: str) -> UUID | None:
    text = query.get(name)
    if text is None:
        return None
    found = ids.unwire(EMAIL, text)
    if found is None:
        raise Problem("invalid-cursor", f"`{name}` is not an email's id; use one from an answer, unchanged.", name)
    return found
