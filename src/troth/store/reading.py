"""What the API reads back of emails, typed; always by tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("reading")


@dataclass(frozen=True, slots=True)
class EmailRow:
    """One message of an email; an email has as many rows as recipients. `field`: 1 to, 2 cc, 3 bcc."""

    id: UUID
    created_at: datetime
    scheduled_at: datetime | None
    recipients: int
    message_id: UUID
    person_id: UUID
    field: int
    state: int
    state_at: datetime
    body_ct: bytes
    data_key: bytes | None
    address_ct: bytes | None
    keyset: bytes


@dataclass(frozen=True, slots=True)
class EventOf:
    message_id: UUID
    kind: int
    source_key: str
    at: datetime
    detail_ct: bytes | None
    leaf_hash: bytes


async def emails(connection: Connection, tenant: UUID, ids: Sequence[UUID]) -> list[EmailRow]:
    return await rows(connection, _SQL["email"], {"tenant": tenant, "ids": list(ids)}, EmailRow)


async def page_before(connection: Connection, tenant: UUID, cursor: UUID | None, limit: int) -> list[UUID]:
    """Ids newest first, older than the cursor."""
    params = {"tenant": tenant, "cursor": cursor, "limit": limit}
    return [row[0] for row in await tuples(connection, _SQL["emails_before"], params)]


async def page_after(connection: Connection, tenant: UUID, cursor: UUID, limit: int) -> list[UUID]:
    """Ids newest first, newer than the cursor."""
    params = {"tenant": tenant, "cursor": cursor, "limit": limit}
    return [row[0] for row in await tuples(connection, _SQL["emails_after"], params)][::-1]


async def events(connection: Connection, tenant: UUID, messages: Sequence[UUID]) -> list[EventOf]:
    return await rows(connection, _SQL["events_of"], {"tenant": tenant, "ids": list(messages)}, EventOf)
