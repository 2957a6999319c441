"""Submission, registering: POST /recipients sends the confirmation through the gate like all mail, from the programme's
system tenant; GET /recipients/{id} says how far it is.

The link's secret is in that one mail only: the store keeps its SHA-256.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.flow.gate.world import learn
from troth.flow.submission import idempotency, people, strict_json, wire
from troth.flow.submission.answers import json_answer
from troth.flow.submission.auth import identify_over, read_content, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.presenting import moment
from troth.flow.submission.problem import Problem, of_gate
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.keys.installation import Purpose
from troth.mail.address import Address, AddressError, parse_address
from troth.store import callers, gate
from troth.store import people as store
from troth.store.connection import Connection

RECIPIENT = "rcp"
TEMPLATE, CATEGORY = "confirm-address", "confirmation"
_LINK_LIVES = timedelta(hours=72)
_ONE_MAIL = timedelta(minutes=10)  # asked again within it, no second mail goes out
_PATHWAYS = ("confirmation-link", "multi-step")  # what a followed link can prove, the plainer one first


@dataclass(frozen=True, slots=True)
class _Asked:
    """A registration, read and tied to its tenant."""

    address: Address
    index: bytes
    known: gate.KeyRow
    now: datetime
    key: str | None


async def register(deps: Deps, call: Call) -> Response:
    """POST /recipients"""
    read_key(deps, call)
    key = idempotency.given(call.request)
    body = await read_content(deps, call)
    strict_json.read(body)
    address = _address(wire.recipient(body).email)
    index = deps.secrets.blind_index().index(address.normal)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        asked = _Asked(address, index, known, await gate.now(connection), key)
        pathway = await _pathway(deps, connection, asked)
        found = await people.ensure(connection, deps.keyring, known.tenant_id, known.keyset, address, index, asked.now)
        word = people.status_word(found.person.status, found.person.expires_at, asked.now)
        if word == "erased":
            raise Problem("recipient-erased", "This recipient was erased; nothing can be sent to them.", "email")
        if word != "verified":
            ask = await _confirmation(deps, connection, asked, found.person.id, pathway)
    if word != "verified":
        await _submit(deps, ask)
    return _registered(deps, call, found, word)


def _registered(deps: Deps, call: Call, found: people.Found, word: str) -> Response:
    assert call.known is not None
    status = 201 if found.new else 200
    deps.log.tell(Note(call.known.tenant_id, call.known.key_id, "POST", call.route, status))
    content = {"object": "recipient", "id": ids.wire(RECIPIENT, deps.cell, found.person.id), "status": word}
    return json_answer(content, status)


async def read(deps: Deps, call: Call) -> Response:
    """GET /recipients/{id}"""
    read_key(deps, call)
    person_id = ids.unwire(RECIPIENT, call.request.path_params["id"])
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        found = await store.status(connection, known.tenant_id, person_id) if person_id else None
        now = await gate.now(connection)
    if found is None:
        raise Problem("not-found", "There is no such recipient; check the id and the account that the key is for.")
    deps.log.tell(Note(known.tenant_id, known.key_id, call.request.method, call.route, 200))
    return json_answer(
        {
            "object": "recipient",
            "id": ids.wire(RECIPIENT, deps.cell, found.id),
            "status": people.status_word(found.status, found.expires_at, now),
            "pathway": found.pathway,
            "created_at": moment(found.created_at),
            "verified_at": moment(found.verified_at),
            "expires_at": moment(found.expires_at),
        }
    )


def _address(text: str) -> Address:
    try:
        return parse_address(text.strip())
    except AddressError as error:
        slug = "smtputf8-unsupported" if error.code == "smtputf8" else "address-invalid"
        raise Problem(slug, error.hint, "email") from None


async def _pathway(deps: Deps, connection: Connection, asked: _Asked) -> str:
    """The pathway that a followed link will have shown, as the tenant's policy permits; a stopped tenant has none."""
    tenant = asked.known.tenant_id
    wanted = gate.Wanted(asked.now, [asked.known.hash], [], [tenant], [], [])
    world = await learn(connection, deps.memory, wanted)
    if world.paused(tenant, None) == "operator":
        raise Problem("tenant-paused", "Sending is paused; wait for the release by two people, or ask the operator.")
    resolved = world.policy(asked.known, None, asked.known.scope_snapshot)
    if resolved is None:
        raise Problem("store-unavailable", "The account's policy cannot be read just now; send the request again.")
    allowed = resolved.policy.recipients.pathways
    found = next((pathway for pathway in _PATHWAYS if pathway in allowed), None)
    if found is None:
        sentence = "This account's recipients are not verified by a link; register them on its own pathway."
        raise Problem("pathway-not-accepted", sentence)
    return found


async def _confirmation(deps: Deps, connection: Connection, asked: _Asked, person: UUID, pathway: str) -> Ask:
    """Keep the secret's hash, and make the mail that holds the secret."""
    tenant = asked.known.tenant_id
    system = await callers.system_tenant(connection, tenant)
    if system is None:
        raise RuntimeError("the programme has no system tenant")
    row = (await gate.tenants(connection, [system]))[0]
    await people.ensure(connection, deps.keyring, system, row.keyset, asked.address, asked.index, asked.now)
    secret, ends = secrets.token_bytes(32), asked.now + _LINK_LIVES
    await store.add_confirmation(
        connection, tenant=tenant, person=person, pathway=pathway, secret_hash=sha256(secret).digest(),
        now=asked.now, ends=ends,
    )  # fmt: skip
    variables = {
        "link": f"{deps.public_url}/confirm/{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}",
        "client": asked.known.tenant_name[:120],
        "purpose": "so that you can get its email",
        "expires": _told(ends, asked.known.timezone),
    }
    email = EmailAsked((asked.address.addr_spec,), tags={"category": CATEGORY}, template=TEMPLATE, variables=variables)
    hashes = _once(deps, asked, person)
    return Ask(Caller(system_tenant=system), (email,), "POST", "/recipients", idempotency=hashes)


async def _submit(deps: Deps, ask: Ask) -> None:
    answer = await deps.gate.submit(ask)
    if isinstance(answer, Refused):
        problem = of_gate(answer.refusal)
        # Its log row is the system tenant's; this caller's own is still to be written, and names this caller's field.
        problem.logged, problem.verdicts = False, ()
        problem.field = "email" if problem.field else None
        raise problem


def _once(deps: Deps, asked: _Asked, person: UUID) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps a repeated registration to one mail: by the caller's key, or by the clock."""
    secret = deps.secrets.token_keys(Purpose.FINGERPRINT)[0]
    when = asked.key or str(int(asked.now.timestamp() // _ONE_MAIL.total_seconds()))
    key = hmac.digest(secret, b"recipient\0" + person.bytes + when.encode(), "sha256")
    return key, hmac.digest(secret, b"recipient\0" + person.bytes, "sha256")


def _told(ends: datetime, zone: str) -> str:
    return f"{ends.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
