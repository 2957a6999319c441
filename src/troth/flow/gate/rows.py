"""The gate's writing: an accepted email as rows, its letters sealed under each recipient's own key."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from troth.flow import events
from troth.flow.gate.asks import Ask
from troth.flow.gate.judge import Bound, lifetime_ends, on_consent
from troth.flow.gate.limits import day_of
from troth.flow.gate.parse import CC, TO, Addressed
from troth.flow.gate.world import World
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import Keyring, PersonKey
from troth.ledger.decided import NAME, Decided, digest_of
from troth.mail.letter import HeaderMailbox, Letter, encode
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.rules.decision import Decision, Outcome
from troth.rules.states import Kind, State
from troth.store import gate as store
from troth.store.events import EventRow

_STATE = {Outcome.ACCEPT: State.QUEUED, Outcome.HOLD: State.HELD, Outcome.SUPPRESS: State.SUPPRESSED}
_AFTER = {State.HELD: Kind.HELD, State.SUPPRESSED: Kind.SUPPRESSED, State.CANCELLED: Kind.CANCELLED}
_CANONICAL = msgspec.json.Encoder(order="deterministic")  # one text for one decision: a receipt shows it opened
_TEST = "test-key"  # why a message of a test key goes no further
SPOOLED = frozenset(int(s) for s in _STATE.values() if s.in_spool)


class Person(Struct, frozen=True):
    """A recipient whose key is open."""

    id: UUID
    key: PersonKey
    addressed: Addressed


class EmailRows(Struct, frozen=True):
    email: store.NewEmail
    messages: tuple[store.NewMessage, ...]
    events: tuple[EventRow, ...]


def email_rows(
    bound: Bound, world: World, keyring: Keyring, email_id: UUID, decisions: Sequence[Decision]
) -> EmailRows:
    """Everything that one accepted email writes; every recipient is a person with a key by now."""
    people = _people(bound, world, keyring)
    header = {field: _header(people, field, email_id) for field in (TO, CC)}
    messages: list[store.NewMessage] = []
    told: list[EventRow] = []
    for person, decision in zip(people, decisions, strict=True):
        decided = _CANONICAL.encode(decision.to_document())
        message = _message(bound, world.now, email_id, person, decision, header, decided)
        messages.append(message)
        told.extend(_events(message, person, decision, _bound_together(bound, message, person, decided)))
    return EmailRows(_email(bound, world.now, email_id, len(people)), tuple(messages), tuple(told))


def _people(bound: Bound, world: World, keyring: Keyring) -> list[Person]:
    tenant = keyring.tenant(bound.caller.tenant_id, bound.caller.keyset)
    found = []
    for one in bound.parsed.recipients:
        assert one.index is not None
        row = world.people[bound.caller.tenant_id, one.index]
        assert row.person_id is not None
        assert row.data_key is not None
        found.append(Person(row.person_id, tenant.person(row.data_key, row.person_id), one))
    return found


def _header(people: Sequence[Person], field: int, email_id: UUID) -> tuple[HeaderMailbox, ...]:
    place = places.mailbox(email_id)
    return tuple(
        HeaderMailbox(p.id, p.key.seal(str(p.addressed.mailbox).encode(), place))
        for p in people
        if p.addressed.field == field
    )


def _email(bound: Bound, now: datetime, email_id: UUID, recipients: int) -> store.NewEmail:
    assert bound.category is not None
    assert bound.resolved is not None
    return store.NewEmail(
        email_id,
        bound.caller.tenant_id,
        bound.key.key_id if bound.key else None,
        bound.category.row.subject,
        bound.category.row.snapshot_id,
        bound.template.row.snapshot_id if bound.template else None,
        bound.resolved.digest,
        now,
        bound.parsed.asked.scheduled_at,
        recipients,
    )


def _message(
    bound: Bound,
    now: datetime,
    email_id: UUID,
    person: Person,
    decision: Decision,
    header: dict[int, tuple[HeaderMailbox, ...]],
    decided: bytes,
) -> store.NewMessage:
    assert bound.category is not None
    assert bound.domain is not None
    assert person.addressed.index is not None
    message_id = uuid7(now)
    state = _state(bound, decision)
    ends = lifetime_ends(bound, decision)
    goes = decision.until or bound.due
    letter = encode(_letter(bound, person, header))
    return store.NewMessage(
        message_id,
        email_id,
        bound.caller.tenant_id,
        person.id,
        person.addressed.index,
        bound.category.row.subject,
        bound.category.row.snapshot_id,
        bound.template.row.snapshot_id if bound.template else None,
        bound.domain[0],
        person.addressed.field,
        now,
        person.key.seal(decided, places.decision(message_id)),
        person.key.seal(decision.facts, places.facts(message_id)),
        person.key.seal(letter, places.body(message_id)),
        int(state),
        _looked_at(state, decision, bound, ends),
        ends,
        goes,
        day_of(goes, bound.behalf.zone if bound.behalf else bound.caller.timezone)[0],
        on_consent(bound.category),
    )


def _looked_at(state: State, decision: Decision, bound: Bound, ends: datetime) -> datetime:
    """When a worker looks at it: a hold's own end, and for one that waits for people the end of its life."""
    if state is not State.HELD:
        return bound.due
    return min(decision.until or ends, ends)


def _state(bound: Bound, decision: Decision) -> State:
    """A test key's message is judged as any other and has no place in the spool."""
    state = _STATE[decision.outcome]
    return State.CANCELLED if state.in_spool and bound.key is not None and bound.key.test else state


def _letter(bound: Bound, person: Person, header: dict[int, tuple[HeaderMailbox, ...]]) -> Letter:
    asked, sender = bound.parsed.asked, bound.sender
    assert person.addressed.mailbox is not None
    address = parse_mailbox(sender["address"]).address
    # a blind copy's own header names the others only; alone, it names nobody
    return Letter(
        sender=str(Mailbox(sender["name"], address)),
        forward_path=person.addressed.mailbox.address.addr_spec,
        to=header[TO],
        cc=header[CC],
        reply_to=asked.reply_to or bound.reply_to,
        subject=asked.subject,
        html=asked.html,
        text=asked.text,
        variables=(asked.variables or {}) if bound.template else None,
        headers=asked.headers,
        attachments=asked.attachments,
        tags=asked.tags,
    )


def _bound_together(bound: Bound, message: store.NewMessage, person: Person, decided: bytes) -> str:
    """What the ledger is told of the decision, through its event's detail: it is what a receipt's is compared with."""
    assert bound.resolved is not None
    assert person.addressed.mailbox is not None
    template = "" if message.template_snapshot is None else str(message.template_snapshot)
    return digest_of(
        Decided(
            str(message.email_id), str(message.id), person.addressed.mailbox.address.normal,
            str(message.category_snapshot), template, bound.resolved.digest.hex(), decided,
        )
    )  # fmt: skip


def _events(message: store.NewMessage, person: Person, decision: Decision, bound_together: str) -> list[EventRow]:
    def told(kind: Kind, detail: dict[str, str] | None = None) -> EventRow:
        happening = events.Happening(message.id, message.tenant_id, kind, "gate", person.key, detail)
        return events.row(happening, message.created_at)

    after = _AFTER.get(State(message.state))
    first = [told(Kind.ACCEPTED, {NAME: bound_together})]
    reason = _TEST if after is Kind.CANCELLED else decision.deciding.code
    return first if after is None else [*first, told(after, {"reason": reason})]


def request_row(ask: Ask, now: datetime, caller: store.TenantRow | None, key: store.KeyRow | None, *,
                status: int, problem: str | None, email_id: UUID | None, decision: bytes | None,
                facts: bytes | None, request_id: UUID) -> store.NewRequest:  # fmt: skip
    """One row of the API request log."""
    return store.NewRequest(
        request_id, caller.tenant_id if caller else None, key.key_id if key else None, now, ask.method, ask.route,
        status, problem, email_id, decision, facts,
    )  # fmt: skip
