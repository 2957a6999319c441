"""Evidence in one file, made: the rows that an email left become its receipt, with proofs to the newest checkpoint.

Pure: whoever gathers the rows (the door, a page, a command) first asks `places` which nodes of the tree it wants, then
hands them in with what the keyring opened. How much of that is shown is the taker's right (`Rights`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from troth.ledger import receipt as form
from troth.ledger.leaf import HASH_BYTES, EventFields, commit, event_leaf_fields, leaf_hash, microseconds
from troth.ledger.proofs import assemble, inclusion_ranges, plan
from troth.ledger.receipt import words
from troth.ledger.tree import Tree, split
from troth.rules.states import Kind, State

RETRY_SECONDS = 5  # a batch is sealed within that
_FIELDS = {1: "to", 2: "cc", 3: "bcc"}
_JSON = msgspec.json.Encoder(order="deterministic")

type Place = tuple[int, int]  # level and number of a node of the tree


class NotSealed(Exception):  # noqa: N818 - the name says what is so, as a sentence would
    """Temporary: the newest of its events waits for its seal, which takes a few seconds."""

    temporary = True


class Altered(Exception):  # noqa: N818 - the name says what was found, as a sentence would
    """A row is not what was told when it happened: no receipt could prove it. For a person to look at."""

    temporary = False


@dataclass(frozen=True, slots=True)
class MessageRow:
    """receipt_messages_v1."""

    email_id: UUID
    created_at: datetime
    recipients: int
    category_snapshot: UUID
    template_snapshot: UUID | None
    api_key_id: UUID | None
    policy_digest: bytes
    keyset: bytes
    message_id: UUID
    person_id: UUID
    field: int
    state: int
    decision_ct: bytes
    data_key: bytes | None
    address_ct: bytes | None
    erased: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """receipt_events_v1. `octet`: where its hash begins in the batch, from 1."""

    message_id: UUID
    kind: int
    source_key: str
    at: datetime
    leaf_hash: bytes
    detail_ct: bytes | None
    batch: int | None
    octet: int | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """receipt_batches_v1."""

    index: int
    leaf: str
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """receipt_head_v1: the newest checkpoint, the ledger's key, the database's clock."""

    size: int
    note: str
    vkey: str
    now: datetime


@dataclass(frozen=True, slots=True)
class VersionRow:
    """receipt_versions_v1. `tenant_id` None: the house's own."""

    role: str
    snapshot_id: UUID
    tenant_id: UUID | None
    kind: str
    subject: UUID
    code: str
    version: int
    digest: bytes
    change_id: UUID
    proposer: UUID
    approved_at: datetime
    humans: Sequence[UUID] | None
    ats: Sequence[datetime] | None
    digests: Sequence[bytes] | None
    index: int | None
    leaf: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What the keyring opened of one message; `details` by the event's kind and source, each {"salt", "detail"}."""

    recipient: str | None
    decision: bytes | None
    details: Mapping[tuple[int, str], bytes]


@dataclass(frozen=True, slots=True)
class Rights:
    """What the taker may see: `content`, to whom and what was said; `house`, why the house approved its versions."""

    content: bool
    house: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows of one receipt; `head` was read after `events`, so that it covers what they say of their seals."""

    tenant: UUID
    messages: Sequence[MessageRow]
    events: Sequence[EventRow]
    versions: Sequence[VersionRow]
    head: Head | None
    batches: Sequence[BatchRow] = field(default=())

    def sealed_in(self) -> list[int]:
        """The batches that hold its events; raise NotSealed while one of them waits."""
        size = self.head.size if self.head else 0
        if any(event.batch is None or event.batch >= size for event in self.events):
            raise NotSealed
        if any(version.index is None or version.index >= size for version in self.versions):
            raise NotSealed
        return sorted({event.batch for event in self.events if event.batch is not None})


def places(gathered: Gathered) -> list[Place]:
    """The nodes of the tree that its proofs are folded from."""
    return sorted({place for index in _entries(gathered) for group in _plan(gathered, index) for place in group})


def make(
    gathered: Gathered, nodes: Mapping[Place, bytes], opened: Mapping[UUID, Opened], rights: Rights
) -> form.Receipt:
    """The receipt, not yet signed; raise NotSealed, Altered."""
    head, first = gathered.head, gathered.messages[0]
    if head is None:
        raise NotSealed
    proofs = {index: _hex(assemble(_plan(gathered, index), nodes)) for index in _entries(gathered)}
    batches = {batch.index: _Tree(batch) for batch in gathered.batches}
    return form.Receipt(
        type=form.TYPE,
        made_at=microseconds(head.now),
        checkpoint=head.note,
        vkey=head.vkey,
        email=_email(gathered.tenant, first),
        versions=[_version(version, proofs, rights) for version in gathered.versions],
        batches=[form.Batch(batch.index, batch.leaf, proofs[batch.index]) for batch in gathered.batches],
        messages=[
            _message(gathered, message, batches, opened[message.message_id], rights) for message in gathered.messages
        ],
    )


class _Tree:
    """A batch's hashes as a tree of their own."""

    def __init__(self, batch: BatchRow) -> None:
        hashes = split(bytes(batch.hashes))
        tree = Tree()
        made = [node for hashed in hashes for node in tree.append(hashed)]
        self.size = len(hashes)
        self.nodes = {(0, number): hashed for number, hashed in enumerate(hashes)}
        self.nodes |= {(level, number): hashed for level, number, hashed in made}

    def proof(self, position: int) -> list[str]:
        return _hex(assemble(plan(inclusion_ranges(position, 0, self.size)), self.nodes))


def _entries(gathered: Gathered) -> list[int]:
    versions = {version.index for version in gathered.versions if version.index is not None}
    return sorted({*gathered.sealed_in(), *versions})


def _plan(gathered: Gathered, index: int) -> list[list[Place]]:
    return plan(inclusion_ranges(index, 0, gathered.head.size if gathered.head else 0))


def _email(tenant: UUID, row: MessageRow) -> form.Email:
    return form.Email(
        id=str(row.email_id),
        tenant=str(tenant),
        created_at=microseconds(row.created_at),
        recipients=row.recipients,
        category=str(row.category_snapshot),
        policy=bytes(row.policy_digest).hex(),
        template=_text(row.template_snapshot),
        key=_text(row.api_key_id),
    )


def _version(row: VersionRow, proofs: Mapping[int, list[str]], rights: Rights) -> form.Version:
    if row.index is None or row.leaf is None:
        raise NotSealed
    shown = rights.house or row.tenant_id is not None
    told = zip(row.humans or (), row.ats or (), row.digests or (), strict=True)
    return form.Version(
        role=row.role,
        kind=row.kind,
        code=row.code,
        version=row.version,
        snapshot=str(row.snapshot_id),
        subject=str(row.subject),
        change=str(row.change_id),
        digest=bytes(row.digest).hex(),
        proposer=str(row.proposer),
        approved_at=microseconds(row.approved_at),
        approvals=[form.Approval(str(human), microseconds(at), bytes(digest).hex()) for human, at, digest in told],
        entry=form.Entry(row.index, leaf_hash(row.leaf.encode()).hex(), proofs[row.index], row.leaf if shown else None),
    )


def _message(
    gathered: Gathered, row: MessageRow, batches: Mapping[int, _Tree], opened: Opened, rights: Rights
) -> form.Message:
    shown = "erased" if row.erased else "all" if rights.content else "withheld"
    decision = opened.decision if shown == "all" else None
    return form.Message(
        id=str(row.message_id),
        field=_FIELDS[row.field],
        state=State(row.state).name.lower(),
        shown=shown,
        events=[
            _event(gathered.tenant, event, batches, opened, detail=shown == "all")
            for event in gathered.events
            if event.message_id == row.message_id
        ],
        recipient=opened.recipient if shown == "all" else None,
        decision=None if decision is None else words(decision),
    )


def _event(tenant: UUID, row: EventRow, batches: Mapping[int, _Tree], opened: Opened, *, detail: bool) -> form.Event:
    if row.batch is None or row.octet is None:
        raise NotSealed
    position = (row.octet - 1) // HASH_BYTES
    told = form.Event(
        kind=Kind(row.kind).name.lower(),
        at=microseconds(row.at),
        leaf_hash=bytes(row.leaf_hash).hex(),
        batch=row.batch,
        position=position,
        proof=batches[row.batch].proof(position),
    )
    sealed = opened.details.get((row.kind, row.source_key))
    return told if sealed is None else _opened_event(tenant, row, told, sealed, detail=detail)


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: str
    detail: dict[str, object]


def _opened_event(tenant: UUID, row: EventRow, told: form.Event, sealed: bytes, *, detail: bool) -> form.Event:
    """The event with its leaf, made anew, and with what the leaf commits to where that is shown."""
    try:
        read = msgspec.json.decode(sealed, type=_Sealed)
        salt, text = bytes.fromhex(read.salt), _JSON.encode(read.detail)
        fields = EventFields(str(row.message_id), str(tenant), told.kind, row.at, commit(salt, text.decode()))
        leaf = event_leaf_fields(salt, fields)
    except (msgspec.DecodeError, ValueError) as wrong:
        raise Altered(f"The event {told.kind} of the message {row.message_id} does not make a leaf: {wrong}.") from None
    if leaf_hash(_JSON.encode(leaf)).hex() != told.leaf_hash:
        raise Altered(f"The event {told.kind} of the message {row.message_id} is not what was told when it happened.")
    shown = {"salt": read.salt, "detail": words(text)} if detail else {}
    return msgspec.structs.replace(told, leaf=leaf, **shown)


def _hex(hashes: Iterable[bytes]) -> list[str]:
    return [each.hex() for each in hashes]


def _text(found: UUID | None) -> str | None:
    return None if found is None else str(found)
