"""Letters that were kept for a person: which there are, one of them for whoever may read it, being done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys import places
from troth.keys.keyring import TenantKeys

MOST = 200  # of each kind
_UNREAD = """
SELECT id, desk, reason, at, size, read_at, done_at FROM inbound_letter
WHERE read_at IS NULL AND done_at IS NULL ORDER BY at, id LIMIT %s
"""
_OTHERS = """
SELECT id, desk, reason, at, size, read_at, done_at FROM inbound_letter
WHERE read_at IS NOT NULL OR done_at IS NOT NULL ORDER BY at DESC, id DESC LIMIT %s
"""
_READ = "SELECT troth.inbound_read_v1(%s, %s)"
_DONE = "SELECT troth.letters_done_v1(%s, %s)"
_ALL_DONE = "SELECT troth.letters_all_done_v1(%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Letter:
    """reason: why it is here (words.py); size: octets as it came; `read_at` None: nobody has read it."""

    id: UUID
    desk: str
    reason: str
    at: datetime
    size: int
    read_at: datetime | None
    done_at: datetime | None


def waiting_first(connection: Connection) -> list[Letter]:
    """Those that nobody has read, the oldest first; then the others, the newest first."""
    with within(connection, None), connection.cursor(row_factory=class_row(Letter)) as cursor:
        return [each for query in (_UNREAD, _OTHERS) for each in cursor.execute(query, (MOST,)).fetchall()]


def read(connection: Connection, session: bytes, keys: TenantKeys, letter: UUID) -> bytes:
    """Its octets, in an entry of the ledger; `keys`: the operator's own. Raise Refused for no right, or no such one."""
    with refusals(), within(connection, None):
        row = connection.execute(_READ, (letter, session)).fetchone()
    if row is None:
        raise Refused("There is no such letter.")
    return keys.open(bytes(row[0]), places.letter(letter))


def done(connection: Connection, session: bytes, letters: Sequence[UUID]) -> int:
    """Nothing more is to be done about them, in an entry of the ledger; how many that was true of only now."""
    with refusals(), within(connection, None):
        row = connection.execute(_DONE, (list(letters), session)).fetchone()
    return int(row[0]) if row else 0


def all_done(connection: Connection, session: bytes, desk: str, reason: str, until: datetime) -> int:
    """A flood at once: all of a desk and reason that came until then."""
    with refusals(), within(connection, None):
        row = connection.execute(_ALL_DONE, (desk, reason, until, session)).fetchone()
    return int(row[0]) if row else 0
