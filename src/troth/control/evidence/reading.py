"""Evidence that people handed in, as it stands: pieces, which of them count today, and a file opened.

A piece counts while it is accepted, not withdrawn and not over; `valid_until` is its last day, by UTC: the day that it
was accepted with, or sooner where the policy in force now says so.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys

COLUMNS = """
e.id, e.programme_id, e.claim, e.kind, e.title, e.filename, e.media_type, e.size, e.sha256, e.performed_on,
least(e.valid_until, e.performed_on + troth.evidence_days_v1(e.programme_id, e.kind)), e.public, e.digest,
e.submitted_at, e.submitted_account, e.submitted_human, e.accepted_at, e.accepted_account, e.accepted_human,
e.withdrawn_at, e.withdrawn_account, e.withdrawn_why
"""
TODAY = "(troth.now_v1() AT TIME ZONE 'UTC')::date"
COUNTS = f"""e.accepted_at IS NOT NULL AND e.withdrawn_at IS NULL AND e.valid_until >= {TODAY}
AND e.performed_on + troth.evidence_days_v1(e.programme_id, e.kind) >= {TODAY}"""
# the installation's own pieces count for every programme; a programme's own for itself
_MINE = "(e.programme_id IS NULL OR e.programme_id = %s)"
_ORDER = "ORDER BY e.claim, e.kind, e.performed_on DESC, e.id DESC LIMIT 500"
_CURRENT = f"SELECT {COLUMNS} FROM troth.evidence e WHERE e.claim = %s AND {_MINE} AND {COUNTS} {_ORDER}"  # noqa: S608 - our own words
_PUBLIC = f"SELECT {COLUMNS} FROM troth.evidence e WHERE e.public AND {_MINE} AND {COUNTS} {_ORDER}"  # noqa: S608 - our own words
_EVER = f"{_MINE} AND e.accepted_at IS NOT NULL {_ORDER}"
_OF_KIND = f"SELECT {COLUMNS} FROM troth.evidence e WHERE e.kind = %s AND {_EVER}"  # noqa: S608 - our own words
_ONE = f"SELECT {COLUMNS}, e.file_ct FROM troth.evidence e WHERE e.id = %s"  # noqa: S608 - our own words
_SHOWN = f"{_ONE} AND e.public AND {COUNTS}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence. `bytes`: the file's size; `programme` None: the whole installation's."""

    id: UUID
    programme: UUID | None
    claim: str
    kind: str
    title: str
    filename: str
    media_type: str
    bytes: int
    sha256: str
    performed_on: date
    valid_until: date
    public: bool
    digest: str
    submitted_at: datetime
    submitted_account: UUID
    submitted_human: UUID
    accepted_at: datetime | None
    accepted_account: UUID | None
    accepted_human: UUID | None
    withdrawn_at: datetime | None
    withdrawn_account: UUID | None
    withdrawn_why: str | None

    def over(self, today: date) -> bool:
        return self.valid_until < today


class Damaged(Exception):  # noqa: N818 - reads as what happened
    """A file does not open, or is not the one whose hash was accepted; permanent."""

    temporary = False


def piece(found: Any) -> Piece:
    """Of a row of COLUMNS."""
    return Piece(*(_plain(value) for value in found))


def current(connection: Connection, programme: UUID | None, claim: str) -> list[Piece]:
    """What counts today for a claim of a programme (None: of the installation), by kind, the newest first."""
    return _read(connection, _CURRENT, claim, programme)


def public_pieces(connection: Connection, programme: UUID | None) -> list[Piece]:
    """What counts today and may be shown to anybody, by claim and kind."""
    return _read(connection, _PUBLIC, programme)


def of_kind(connection: Connection, programme: UUID | None, kind: str) -> list[Piece]:
    """All of a kind that was ever accepted, over and withdrawn ones among them, the newest first."""
    return _read(connection, _OF_KIND, kind, programme)


def one(connection: Connection, piece_id: UUID) -> tuple[Piece, bytes] | None:
    """A piece and its sealed file, whatever its state."""
    with refusals():
        found = connection.execute(_ONE, (piece_id,)).fetchone()
    return (piece(found[:-1]), bytes(found[-1])) if found else None


def piece_file(connection: Connection, keys: TenantKeys, piece_id: UUID) -> tuple[Piece, bytes]:
    """A piece that anybody may have, and its file. Raise Refused where there is no such one, Damaged."""
    with refusals():
        found = connection.execute(_SHOWN, (piece_id,)).fetchone()
    if found is None:
        raise Refused("There is no such evidence.")
    shown = piece(found[:-1])
    return shown, opened(keys, shown, bytes(found[-1]))


def opened(keys: TenantKeys, of: Piece, sealed: bytes) -> bytes:
    """The file, if it is the one whose hash was accepted; raise Damaged."""
    try:
        plain = keys.open(sealed, places.evidence(of.id))
    except Undecryptable as trouble:
        raise Damaged(f"the file of {of.id} does not open: {trouble}") from trouble
    if (hashlib.sha256(plain).hexdigest(), len(plain)) != (of.sha256, of.bytes):
        raise Damaged(f"the file of {of.id} is not the one that was accepted")
    return plain


def _read(connection: Connection, query: str, *values: object) -> list[Piece]:
    with refusals():
        return [piece(found) for found in connection.execute(query, values).fetchall()]


def _plain(value: Any) -> Any:
    """Digests as hex; Django's connection gives octets as a view."""
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
