"""Submission, registering a recipient: POST /recipients.

All is checked before anything is written; the confirmation then goes through the gate like all mail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from troth.flow.gate.asks import Ask, Refused
from troth.flow.gate.world import learn
from troth.flow.submission import checking, confirming, consenting, idempotency, pathways, people, strict_json, wire
from troth.flow.submission.answers import json_answer
from troth.flow.submission.auth import identify_over, read_content, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.problem import Problem, of_gate
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.mail.inspect import Inspection
from troth.rules.policy import Policy
from troth.store import gate
from troth.store.connection import Connection

RECIPIENT = "rcp"


@dataclass(frozen=True, slots=True)
class House:
    """Who asks, by which policy, when."""

    known: gate.KeyRow
    policy: Policy
    now: datetime
    key: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """One registration, found good before anything is written. `place`: where in a batch it stood."""

    found: Inspection
    pathway: pathways.Pathway
    timezone: str | None
    place: int = 0
    consent: consenting.Consent | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A recipient as it stands; `ask` is the mail that is still to be handed to the gate."""

    checked: Checked
    found: people.Found
    word: str
    ask: Ask | None


async def register(deps: Deps, call: Call) -> Response:
    """POST /recipients"""
    read_key(deps, call)
    key = idempotency.given(call.request)
    body = await read_content(deps, call)
    strict_json.read(body)
    asked = wire.recipient(body)
    asker = await house(deps, call, key)
    checked = read_one(asked, asker)
    hosts = await checking.look_up(deps.resolver, [checked.found])
    checking.reachable(checked.found, hosts)
    done = (await write(deps, asker, [checked], _raise))[0]
    if done.ask is not None and (problem := await submit(deps, done.ask)) is not None:
        raise problem
    status = 201 if done.found.new else 200
    note(deps, call, status)
    return json_answer(told(deps, done), status)


def read_one(asked: wire.Recipient, house: House, place: int = 0) -> Checked:
    found = checking.inspected(asked.email, house.policy)
    zone = pathways.time_zone(asked.timezone)
    consent = consenting.Consent(asked.consent, house.now) if asked.consent else None
    return Checked(found, pathways.chosen(asked, house.policy, house.now), zone, place, consent)


async def house(deps: Deps, call: Call, key: str | None) -> House:
    """The caller, and its tenant's policy as it stands; a stopped tenant registers nobody."""
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        now = await gate.now(connection)
        wanted = gate.Wanted(now, [known.hash], [], [known.tenant_id], [], [])
        world = await learn(connection, deps.memory, wanted)
    if world.paused(known.tenant_id, None) == "operator":
        raise Problem("tenant-paused", "Sending is paused; wait for the release by two people, or ask the operator.")
    resolved = world.policy(known, None, known.scope_snapshot)
    if resolved is None:
        raise Problem("store-unavailable", "The account's policy cannot be read just now; send the request again.")
    return House(known, resolved.policy, now, key)


async def write(
    deps: Deps, house: House, all_checked: Sequence[Checked], refuse: Callable[[int, Problem], None]
) -> list[Registered]:
    """In one transaction, so that a batch is written whole or not at all; `refuse` may raise."""
    done = []
    async with deps.lend() as connection, connection.transaction():
        for checked in sorted(all_checked, key=_normal):  # in one order, two batches wait for each other and go on
            try:
                done.append(await _one(deps, connection, house, checked))
            except Problem as problem:
                refuse(checked.place, problem)
    return sorted(done, key=lambda each: each.checked.place)


def _normal(checked: Checked) -> str:
    assert checked.found.sendable is not None
    return checked.found.sendable.normal


def _raise(_place: int, problem: Problem) -> None:
    raise problem


async def _one(deps: Deps, connection: Connection, house: House, checked: Checked) -> Registered:
    known, address = house.known, checked.found.sendable
    assert address is not None
    index = deps.secrets.blind_index().index(address.normal)
    found = await people.ensure(
        connection, deps.keyring, known.tenant_id, known.keyset, address, index, house.now, checked.timezone
    )
    person = found.person
    word = people.status_word(person.status, person.expires_at, house.now)
    if word == "erased":
        raise Problem("recipient-erased", "This recipient was erased; nothing can be sent to them.", "email")
    if checked.consent is not None and person.data_key is not None:
        key = deps.keyring.tenant(known.tenant_id, known.keyset).person(person.data_key, person.id)
        by = f"key:{known.key_id}"
        await consenting.record(connection, known.tenant_id, person.id, key, checked.consent, by, house.now)
    if not people.to_be_asked(person, house.policy, house.now):
        return Registered(checked, found, word, None)
    by, once = f"key:{known.key_id}", house.key and f"{house.key}\0{checked.place}"
    letter = confirming.Letter(person, address, index, checked.pathway, by, house.now, once)
    firm = confirming.Firm(known.tenant_id, known.tenant_name, known.keyset, known.timezone)
    means = confirming.Means(deps.keyring, deps.secrets, deps.public_url)
    return Registered(checked, found, word, await confirming.prepare(connection, means, firm, letter))


async def submit(deps: Deps, ask: Ask) -> Problem | None:
    answer = await deps.gate.submit(ask)
    if not isinstance(answer, Refused):
        return None
    problem = of_gate(answer.refusal)
    # Its log row is the system tenant's; this caller's own is still to be written, and names this caller's field.
    problem.logged, problem.verdicts = False, ()
    problem.field = "email" if problem.field else None
    return problem


def told(deps: Deps, done: Registered) -> dict[str, object]:
    told: dict[str, object] = {
        "object": "recipient",
        "id": ids.wire(RECIPIENT, deps.cell, done.found.person.id),
        "status": done.word,
    }
    if done.checked.found.suggestion is not None:
        told["suggestion"] = done.checked.found.suggestion
    return told


def note(deps: Deps, call: Call, status: int) -> None:
    """One line of the caller's request log."""
    assert call.known is not None
    deps.log.tell(Note(call.known.tenant_id, call.known.key_id, call.request.method, call.route, status))
