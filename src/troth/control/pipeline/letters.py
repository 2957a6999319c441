"""Letters to postmaster that the inbound server kept: which there are, and one of them for whoever may read it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys import places
from troth.keys.keyring import TenantKeys

MOST = 200  # of each kind
_UNREAD = "SELECT id, desk, at, size, read_at FROM inbound_letter WHERE read_at IS NULL ORDER BY at, id LIMIT %s"
_READ_ALREADY = (
    "SELECT id, desk, at, size, read_at FROM inbound_letter WHERE read_at IS NOT NULL ORDER BY at DESC LIMIT %s"
)
_READ = "SELECT troth.inbound_read_v1(%s, %s)"


@dataclass(frozen=True, slots=True)
class Letter:
    """size: octets as it came; `read_at` None: nobody has read it."""

    id: UUID
    desk: str
    at: datetime
    size: int
    read_at: datetime | None


def waiting_first(connection: Connection) -> list[Letter]:
    """Those that nobody has read, the oldest first; then those that were read, the newest first."""
    with within(connection, None), connection.cursor(row_factory=class_row(Letter)) as cursor:
        return [each for query in (_UNREAD, _READ_ALREADY) for each in cursor.execute(query, (MOST,)).fetchall()]


def read(connection: Connection, session: bytes, keys: TenantKeys, letter: UUID) -> bytes:
    """Its octets, in an entry of the ledger; `keys`: the operator's own. Raise Refused for no right, or no such one."""
    with refusals(), within(connection, None):
        row = connection.execute(_READ, (letter, session)).fetchone()
    if row is None:
        raise Refused("There is no such letter.")
    return keys.open(bytes(row[0]), places.letter(letter))
