"""Submission, who asks: the bearer key of a request, and whether the store knows it as a live one.

For a well-formed email the gate asks this itself; the door asks for reads, and before it tells anybody what is wrong
with a body.
"""

import re
from datetime import datetime

from troth.flow.gate.judge import liveness
from troth.flow.submission.body import read_json_body
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.peer import peer_of
from troth.flow.submission.problem import Problem
from troth.keys.api_keys import parse_key
from troth.store import callers
from troth.store import gate as store
from troth.store.connection import Connection

_BEARER = re.compile(r"bearer[ \t]+(?P<token>\S+)[ \t]*", re.IGNORECASE)  # RFC 6750 2.1
_SMALL = 64 * 1024  # octets
_DEAD = {
    "revoked": ("key-revoked", "The API key was revoked; use a key that is live."),
    "expired": ("key-expired", "The API key has expired; make a new key."),
    "elsewhere": ("key-elsewhere", "The API key may not be used from this network; use it from one of its own."),
}
_UNKNOWN = "The API key is not known; check it for a slip of the hand, or make a new one."


def read_key(deps: Deps, call: Call) -> bytes:
    """The hash of the request's key: no store is asked, so that noise is turned away cheaply."""
    values = call.request.headers.getlist("authorization")
    found = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        raise Problem("unauthorized", "Send your API key in one header, as Authorization: Bearer troth_...")
    parsed = parse_key(found["token"])
    if parsed is None:
        raise Problem("invalid-api-key", "The API key is incomplete or mistyped: its checksum does not fit.")
    if parsed.cell != deps.cell:
        raise Problem("invalid-api-key", f"The API key belongs to cell {parsed.cell}; this is cell {deps.cell}.")
    call.key_hash = parsed.hash
    return parsed.hash


async def identify(deps: Deps, call: Call) -> store.KeyRow:
    """The key's row and tenant; Problem when it is unknown or its time is over. Asked once a request."""
    if call.known is None:
        async with deps.lend() as connection:
            await identify_over(connection, deps, call)
    assert call.known is not None
    return call.known


async def identify_over(connection: Connection, deps: Deps, call: Call) -> store.KeyRow:
    """The same, over a connection that the caller has."""
    key_hash = call.key_hash or read_key(deps, call)
    rows = await store.keys(connection, [key_hash])
    if not rows:
        raise Problem("invalid-api-key", _UNKNOWN)
    call.known = rows[0]
    now = await store.now(connection)
    check_live(call.known, now, peer_of(call.request, deps.trusted_proxies))
    await callers.used(connection, [call.known], now)
    return call.known


async def read_content(deps: Deps, call: Call) -> bytes:
    """The JSON body; a large one, or one of unknown size, is taken and parsed for a live key only."""
    length = call.request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= _SMALL):
        await identify(deps, call)
    return await read_json_body(call.request, deps.body_limit, call.held)


def check_live(key: store.KeyRow, now: datetime, peer: str | None) -> None:
    """Raise Problem for a key that may not be used for anything, or not from there."""
    if (dead := _DEAD.get(liveness(key, now, peer))) is not None:
        raise Problem(*dead)
    if key.tenant_state != 1:
        raise Problem("tenant-inactive", "The account is not active; ask the operator to open it.")
