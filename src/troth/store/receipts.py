"""What the door makes receipts of, typed: a few round trips, whatever the email."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from troth.rules.receipts import BatchRow, EventRow, Gathered, Head, MessageRow, Place, VersionRow
from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("receipts")


async def gather(connection: Connection, tenant: UUID, email: UUID) -> Gathered | None:
    """All rows of an email's receipt; None for an email that is not this tenant's. Raises NotSealed."""
    messages = await rows(connection, _SQL["receipt_messages"], {"tenant": tenant, "email": email}, MessageRow)
    if not messages:
        return None
    events = await _events(connection, tenant, [row.message_id for row in messages])
    versions = await rows(connection, _SQL["receipt_versions"], {"tenant": tenant, "email": email}, VersionRow)
    head = await rows(connection, _SQL["receipt_head"], {}, Head)  # after the events: it covers their seals
    gathered = Gathered(tenant, messages, events, versions, head[0] if head else None)
    batches = await rows(connection, _SQL["receipt_batches"], {"indexes": gathered.sealed_in()}, BatchRow)
    return replace(gathered, batches=batches)


async def nodes(connection: Connection, places: Sequence[Place]) -> dict[Place, bytes]:
    """The hashes at these places of the tree."""
    asked = {"levels": [level for level, _ in places], "numbers": [number for _, number in places]}
    found = await tuples(connection, _SQL["receipt_nodes"], asked)
    return {(level, number): bytes(hashed) for level, number, hashed in found}


async def _events(connection: Connection, tenant: UUID, messages: Sequence[UUID]) -> list[EventRow]:
    return await rows(connection, _SQL["receipt_events"], {"tenant": tenant, "messages": list(messages)}, EventRow)
