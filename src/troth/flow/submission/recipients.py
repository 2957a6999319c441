"""Submission, registering a recipient: POST /recipients.

All is checked before anything is written. What is written, the gate's acceptance of the mail that asks, and the answer
for the same Idempotency-Key again are one transaction: all of it is on disk, or nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from starlette.responses import Response

from troth.flow.gate.asks import Refused
from troth.flow.gate.world import learn
from troth.flow.submission import checking, confirming, consenting, idempotency, pathways, people, strict_json, wire
from troth.flow.submission.answers import json_answer
from troth.flow.submission.auth import identify_over, read_content, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.idempotency import Given, Once
from troth.flow.submission.problem import Problem, of_gate
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.mail.inspect import Inspection
from troth.rules.policy import Policy
from troth.rules.rates import slowed
from troth.store import gate
from troth.store import people as store
from troth.store.connection import Connection

RECIPIENT = "rcp"
type Senders = dict[UUID, confirming.Sender]


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a request the same: its key, if it has one, and what it asks of which route."""

    key: str | None
    content: object
    route: str


@dataclass(frozen=True, slots=True)
class House:
    """Who asks, by which policy, when. slow: an anomaly slows the client; once: for a request with a key."""

    known: gate.KeyRow
    policy: Policy
    now: datetime
    slow: bool
    once: Once | None


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
    """A recipient as it stands; `mail` asks them, where they are to be asked."""

    checked: Checked
    found: people.Found
    word: str
    mail: confirming.Prepared | None


async def register(deps: Deps, call: Call) -> Response:
    """POST /recipients"""
    read_key(deps, call)
    key = idempotency.given(call.request)
    body = await read_content(deps, call)
    request = Request(key, strict_json.read(body), call.request.method + " " + call.route)
    asked = wire.recipient(body)
    asker = await house(deps, call, request)
    if isinstance(asker, Given):
        return answered(deps, call, asker, replayed=True)
    checked = read_one(asked, asker)
    hosts = await checking.look_up(deps.resolver, [checked.found])
    checking.reachable(checked.found, hosts)

    def tell(done: Sequence[Registered]) -> Given:
        return Given(201 if done[0].found.new else 200, told(deps, done[0]))

    return answered(deps, call, *await write(deps, asker, [checked], Writing(_raise, tell)))


def read_one(asked: wire.Recipient, house: House, place: int = 0) -> Checked:
    found = checking.inspected(asked.email, house.policy)
    zone = pathways.time_zone(asked.timezone)
    consent = consenting.Consent(asked.consent, house.now) if asked.consent else None
    return Checked(found, pathways.chosen(asked, house.policy, house.now), zone, place, consent)


async def house(deps: Deps, call: Call, request: Request) -> House | Given:
    """The caller, and its tenant's policy as it stands; a stopped tenant registers nobody. For a request that was
    answered, its answer.
    """
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        now = await gate.now(connection)
        once = None
        if request.key is not None:
            hashes = idempotency.hashes(deps.secrets, request.key, request.route, request.content, call.route)
            once = Once(deps.keyring, known, hashes, now)
            if (given := await once.found(connection)) is not None:
                return given
        wanted = gate.Wanted(now, [known.hash], [], [known.tenant_id], [], [])
        world = await learn(connection, deps.memory, wanted)
    paused = world.paused(known.tenant_id, None)
    if paused == "operator":
        raise Problem("tenant-paused", "Sending is paused; wait for the release by two people, or ask the operator.")
    resolved = world.policy(known, None, known.scope_snapshot)
    if resolved is None:
        raise Problem("store-unavailable", "The account's policy cannot be read just now; send the request again.")
    return House(known, resolved.policy, now, slowed(paused, resolved.policy), once)


@dataclass(frozen=True, slots=True)
class Writing:
    """refuse: takes note of what is wrong with the one at a place, or raises, and then nothing is written; tell: the
    answer, by place.
    """

    refuse: Callable[[int, Problem], None]
    tell: Callable[[Sequence[Registered]], Given]


async def write(deps: Deps, house: House, all_checked: Sequence[Checked], writing: Writing) -> tuple[Given, bool]:
    """In one transaction with the mails that ask; the answer, and whether it is that of the same request before."""
    async with deps.lend() as connection, connection.transaction():
        if house.once is not None and (given := await house.once.take(connection)) is not None:
            return given, True
        done: list[Registered] = []
        senders: Senders = {}
        for index, checked in sorted(((_index(deps, c), c) for c in all_checked), key=itemgetter(0)):
            try:
                done.append(await _one(deps, connection, house, senders, checked, index))
            except Problem as problem:
                writing.refuse(checked.place, problem)
        done.sort(key=lambda each: each.checked.place)
        await _ask(deps, connection, done, writing.refuse)
        given = writing.tell(done)
        if house.once is not None:
            await house.once.keep(connection, given)
    return given, False


def _index(deps: Deps, checked: Checked) -> bytes:
    """What they are sorted by, as an import's are: in one order, two batches wait for each other and go on."""
    assert checked.found.sendable is not None
    return deps.secrets.blind_index().index(checked.found.sendable.normal)


def _raise(_place: int, problem: Problem) -> None:
    raise problem


async def _one(
    deps: Deps, connection: Connection, house: House, senders: Senders, checked: Checked, index: bytes
) -> Registered:
    known, address = house.known, checked.found.sendable
    assert address is not None
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
    letter = confirming.Letter(person, address, index, checked.pathway, f"key:{known.key_id}", house.now)
    firm = confirming.Firm(
        known.tenant_id, known.tenant_name, known.keyset, known.timezone, known.key_id, house.policy, house.slow
    )
    means = confirming.Means(deps.keyring, deps.secrets, deps.public_url)
    sender = await confirming.sender(connection, known.tenant_id, senders)
    return Registered(checked, found, word, await confirming.prepare(connection, means, firm, letter, sender))


async def _ask(
    deps: Deps, connection: Connection, done: Sequence[Registered], refuse: Callable[[int, Problem], None]
) -> None:
    """Hand the mails to the gate; a link that stands in none is not kept."""
    mails = [(one.checked.place, one.mail) for one in done if one.mail is not None]
    if not mails:
        return
    answers = await deps.gate.within(connection, [mail.ask for _, mail in mails])
    for (place, mail), answer in zip(mails, answers, strict=True):
        if isinstance(answer, Refused):
            refuse(place, _refused(answer))
        elif not answer.replayed:
            await store.add_confirmation(connection, mail.row)


def _refused(answer: Refused) -> Problem:
    """The gate's word, as it concerns this caller: what was decided of the mail is the system tenant's."""
    problem = of_gate(answer.refusal, answer.rates, answer.at)
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


def answered(deps: Deps, call: Call, given: Given, replayed: bool) -> Response:  # noqa: FBT001 - of `write`
    note(deps, call, given.status)
    return json_answer(given.content, given.status, {"idempotent-replayed": "true"} if replayed else None)


def note(deps: Deps, call: Call, status: int) -> None:
    """One line of the caller's request log."""
    assert call.known is not None
    deps.log.tell(Note(call.known.tenant_id, call.known.key_id, call.request.method, call.route, status))
