"""Asks the mark, without a worker: what it would say now of the messages whose time has come. Nothing of it stays."""

from datetime import timedelta
from uuid import UUID

from tests.support.postgres import Database

from troth.flow.delivery.claiming import THE_BEGINNING
from troth.rules.mark import MarkVerdict
from troth.store import gate, spool

_LEASE = timedelta(minutes=1)


async def asked_to_mark(database: Database) -> dict[UUID, MarkVerdict]:
    """The mark's verdict on each message that is due by the database's clock; those that are not due are left out."""
    async with await database.connect("asked to mark") as connection, connection.transaction(force_rollback=True):
        now = await gate.now(connection)
        claims = await spool.claim(connection, now=now, floor=THE_BEGINNING, limit=100, lease=_LEASE)
        found = await spool.mark(
            connection, claims=[(c.message_id, c.token) for c in claims], lease=_LEASE, route="relay"
        )
    return {message: MarkVerdict(verdict) for message, verdict in found.items()}
