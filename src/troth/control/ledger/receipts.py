"""Evidence to hand out: a message's or an email's receipt, gathered for a page or a command (troth.rules makes it).

`connection` is psycopg's, or a cursor of Django's: whoever's rows it sees, their receipts it makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from troth.control.ledger.rows import Cursor, fetched
from troth.keys.keyring import Keyring
from troth.keys.receipts import open_messages
from troth.ledger.receipt import encode
from troth.rules.receipts import (
    BatchRow,
    EventRow,
    Gathered,
    Head,
    MessageRow,
    NotSealed,
    Place,
    Rights,
    VersionRow,
    make,
    places,
)

_MESSAGES = "SELECT * FROM troth.receipt_messages_v1(%s, %s, %s)"
_EVENTS = "SELECT * FROM troth.receipt_events_v1(%s, %s::uuid[])"
_VERSIONS = "SELECT * FROM troth.receipt_versions_v1(%s, %s)"
_HEAD = "SELECT * FROM troth.receipt_head_v1()"
_BATCHES = "SELECT * FROM troth.receipt_batches_v1(%s::bigint[])"
_NODES = "SELECT level, index, hash FROM troth.ledger_hashes_v1(%s::smallint[], %s::bigint[])"


class NoReceipt(Exception):  # noqa: N818 - the name says what happened, as a sentence would
    """There is nothing to prove, or not yet; in a sentence."""

    def __init__(self, sentence: str, *, temporary: bool) -> None:
        super().__init__(sentence)
        self.temporary = temporary


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose receipt: of one message, or of a whole email."""

    tenant: UUID
    email: UUID | None = None
    message: UUID | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What opens a client's people, and the ledger's seed, which signs."""

    keyring: Keyring
    seed: bytes


def file(connection: Cursor, wanted: Wanted, means: Means, rights: Rights) -> bytes:
    """The receipt as a file; raise NoReceipt, Altered, WrongKey."""
    try:
        gathered = _gather(connection, wanted)
        nodes = _nodes(connection, places(gathered))
    except NotSealed:
        said = "Not all of its events are sealed yet: that takes up to five seconds while a sequencer runs."
        raise NoReceipt(said, temporary=True) from None
    keys = means.keyring.tenant(wanted.tenant, bytes(gathered.messages[0].keyset))
    opened = open_messages(keys, gathered.messages, gathered.events)
    return encode(make(gathered, nodes, opened, rights), means.seed)


def of_page(connection: Cursor, asked: Any) -> bytes:
    """The same for a page, which hands in its own words (messages/evidence.py: Asked)."""
    wanted = Wanted(asked.tenant, asked.email, asked.message)
    means = Means(asked.keys.keyring, asked.keys.secrets.ledger_seed)
    return file(connection, wanted, means, Rights(content=asked.content, house=asked.house))


def _gather(connection: Cursor, wanted: Wanted) -> Gathered:
    messages = _rows(connection, MessageRow, _MESSAGES, wanted.tenant, wanted.email, wanted.message)
    if not messages:
        raise NoReceipt(f"There is no message {wanted.message or wanted.email} with its email.", temporary=False)
    email, ids = messages[0].email_id, [row.message_id for row in messages]
    events = _rows(connection, EventRow, _EVENTS, wanted.tenant, ids)
    versions = _rows(connection, VersionRow, _VERSIONS, wanted.tenant, email)
    head = _rows(connection, Head, _HEAD)  # after the events: it covers their seals
    gathered = Gathered(wanted.tenant, messages, events, versions, head[0] if head else None)
    return replace(gathered, batches=_rows(connection, BatchRow, _BATCHES, gathered.sealed_in()))


def _nodes(connection: Cursor, wanted: Sequence[Place]) -> dict[Place, bytes]:
    found = fetched(connection, _NODES, ([level for level, _ in wanted], [number for _, number in wanted]))
    return {(level, number): bytes(hashed) for level, number, hashed in found}


def _rows[Row](connection: Cursor, shape: type[Row], query: str, *params: Any) -> list[Row]:
    return [shape(*each) for each in fetched(connection, query, params)]
