"""What the inbound server writes, typed: that it lives, and letters that a person has to read."""

from uuid import UUID

from troth.store.connection import Connection, run, tuples
from troth.store.queries import load

_SQL = load("inbound")


async def beat(connection: Connection, domain: str) -> None:
    """Mail to this domain is taken, at this moment."""
    await run(connection, _SQL["inbound_beat"], {"domain": domain})


async def unread(connection: Connection) -> int:
    found: int = (await tuples(connection, _SQL["inbound_unread"], {}))[0][0]
    return found


async def keep(connection: Connection, letter: UUID, desk: str, size: int, sealed: bytes) -> None:
    """`sealed` to keys/places.letter of its id, under the operator's keyset; size: octets as it came."""
    params = {"id": letter, "desk": desk, "size": size, "letter": sealed}
    await run(connection, _SQL["inbound_keep"], params)
