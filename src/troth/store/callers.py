"""Who asks, beside the gate: which API keys were just seen, and the tenant that sends a programme's own mail."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from troth.store.connection import Connection, run, tuples
from troth.store.gate import KeyRow
from troth.store.queries import load

_SQL = load("gate")
_NOTED = timedelta(minutes=5)  # how old a key's last use may be


async def used(connection: Connection, known: Iterable[KeyRow], at: datetime) -> None:
    """Note the use of these keys; for a key that was noted within a few minutes, nothing is asked of the store."""
    stale = [k.hash for k in known if k.last_used_at is None or at - k.last_used_at > _NOTED]
    if stale:
        await run(connection, _SQL["keys_used"], {"hashes": stale})


async def system_tenant(connection: Connection, tenant: UUID) -> UUID | None:
    """The tenant that sends Troth's own mail for this tenant's programme."""
    found = await tuples(connection, _SQL["system_tenant"], {"tenant": tenant})
    return found[0][0] if found else None
