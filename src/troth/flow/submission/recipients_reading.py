"""Submission, recipients read back: one, a page, one by its address; and erasing. Always within the key's tenant.

What an erased person's key sealed is null: it cannot be opened by anybody.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.responses import Response

from troth.flow.submission import people
from troth.flow.submission.answers import json_answer
from troth.flow.submission.auth import identify_over, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.presenting import moment
from troth.flow.submission.problem import Problem
from troth.flow.submission.recipients import RECIPIENT, note
from troth.keys import ids, places
from troth.keys.errors import Undecryptable
from troth.mail.address import AddressError, parse_address
from troth.store import gate
from troth.store import people as store
from troth.store.connection import Connection
from troth.store.gate import KeyRow
from troth.store.people import Status

_MOST, _USUAL = 100, 20
_KNOWN = ("limit", "after", "before", "email")
_LAST = UUID(int=2**128 - 1)


async def read(deps: Deps, call: Call) -> Response:
    """GET /recipients/{id}"""
    read_key(deps, call)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        found = await store.status(connection, known.tenant_id, _id(call))
        now = await gate.now(connection)
    if found is None:
        raise _missing()
    note(deps, call, 200)
    return json_answer(_shown(deps, known, found, now))


async def page(deps: Deps, call: Call) -> Response:
    """GET /recipients: newest first; `after` an id come older ones, `before` it newer ones; or the one of `email`."""
    read_key(deps, call)
    asked = call.request.query_params
    limit = _limit(asked)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        found, more = await _found(deps, connection, known, asked, limit)
        now = await gate.now(connection)
    note(deps, call, 200)
    shown = [_shown(deps, known, one, now) for one in found]
    return json_answer({"object": "list", "has_more": more, "data": shown})


async def erase(deps: Deps, call: Call) -> Response:
    """DELETE /recipients/{id}: for good; asked again, the answer is the same."""
    read_key(deps, call)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        if known.test:
            raise Problem("forbidden", "A test key erases nobody; use a live key.")
        found = await store.status(connection, known.tenant_id, _id(call))
        if found is None:
            raise _missing()
        await store.erase(connection, known.tenant_id, found.id)
    note(deps, call, 200)
    return json_answer(
        {"object": "recipient", "id": ids.wire(RECIPIENT, deps.cell, found.id), "status": "erased", "deleted": True}
    )


async def _found(
    deps: Deps, connection: Connection, known: KeyRow, asked: QueryParams, limit: int
) -> tuple[Sequence[Status], bool]:
    if "email" in asked:
        one = await store.by_index(connection, known.tenant_id, _index(deps, asked["email"]))
        return ([one] if one else []), False
    if "before" in asked:
        newer = await store.page_after(connection, known.tenant_id, _cursor(asked["before"]), limit + 1)
        return newer[-limit:], len(newer) > limit
    after = _cursor(asked["after"]) if "after" in asked else _LAST
    older = await store.page_before(connection, known.tenant_id, after, limit + 1)
    return older[:limit], len(older) > limit


def _shown(deps: Deps, known: KeyRow, found: Status, now: datetime) -> dict[str, object]:
    return {
        "object": "recipient",
        "id": ids.wire(RECIPIENT, deps.cell, found.id),
        "email": _address(deps, known, found),
        "status": people.status_word(found.status, found.expires_at, now),
        "pathway": found.pathway,
        "timezone": found.timezone,
        "agreement_sha256": found.agreement.hex() if found.agreement else None,
        "created_at": moment(found.created_at),
        "verified_at": moment(found.verified_at),
        "expires_at": moment(found.expires_at),
        "erased_at": moment(found.erased_at),
    }


def _address(deps: Deps, known: KeyRow, found: Status) -> str | None:
    if found.data_key is None or found.address_ct is None:
        return None
    try:
        key = deps.keyring.tenant(known.tenant_id, known.keyset).person(found.data_key, found.id)
        return key.open(found.address_ct, places.address(found.id)).decode()
    except Undecryptable:
        return None


def _index(deps: Deps, text: str) -> bytes:
    try:
        return deps.secrets.blind_index().index(parse_address(text).normal)
    except AddressError as error:
        raise Problem("address-invalid", error.hint, "email") from None


def _limit(asked: QueryParams) -> int:
    unknown = [name for name in asked if name not in _KNOWN]
    if unknown:
        shown = ascii(unknown[0][:64])[1:-1]
        raise Problem("unknown-field", f"`{shown}` is not a parameter here; {', '.join(_KNOWN)} are.", shown)
    if sum(name in asked for name in ("after", "before", "email")) > 1:
        raise Problem("bad-value", "Send one of `after`, `before` and `email`.", "before")
    text = asked.get("limit", str(_USUAL))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= _MOST):
        raise Problem("bad-value", f"`limit` is a whole number from 1 to {_MOST}.", "limit")
    return int(text)


def _cursor(text: str) -> UUID:
    found = ids.unwire(RECIPIENT, text)
    if found is None:
        raise Problem("invalid-cursor", "`after` and `before` are ids of recipients, as in rcp_a_..., unchanged.")
    return found


def _id(call: Call) -> UUID:
    found = ids.unwire(RECIPIENT, call.request.path_params["id"])
    if found is None:
        raise _missing()
    return found


def _missing() -> Problem:
    return Problem("not-found", "There is no such recipient; check the id and the account that the key is for.")
