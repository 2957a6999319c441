"""Evidence, acted on: one person brings a file, another accepts it, one is enough to withdraw it.

Who acts is never said by the caller: the database derives the person from the session's secret.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import TenantKeys

_SUBMIT = "SELECT troth.evidence_submit_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ACCEPT = "SELECT troth.evidence_accept_v1(%s, %s, %s)"
_WITHDRAW = "SELECT troth.evidence_withdraw_v1(%s, %s, %s)"
_DAYS = "SELECT troth.evidence_days_v1(%s, %s)"


@dataclass(frozen=True, slots=True)
class Offered:
    """What somebody brings: `filename` and `media_type` are as scanning.scan found them. `until` None: for as long as
    policy lets it be good.
    """

    programme: UUID | None
    claim: str
    kind: str
    title: str
    filename: str
    media_type: str
    performed_on: date
    public: bool
    content: bytes = field(repr=False)
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """`digest`: of all that was said, which a second person says yes to."""

    id: UUID
    digest: bytes


def days(connection: Connection, programme: UUID | None, kind: str) -> int:
    """For how many days from its own a piece is good at most."""
    row = connection.execute(_DAYS, (programme, kind)).fetchone()
    assert row is not None
    found: int = row[0]
    return found


def submit(connection: Connection, keys: TenantKeys, session: bytes, offered: Offered, now: datetime) -> Submitted:
    """`keys`: the operator's own. Raise Refused."""
    made = uuid7(now)
    with refusals(), within(connection, None):
        until = offered.until or offered.performed_on + timedelta(days(connection, offered.programme, offered.kind))
        values = (made, offered.programme, offered.claim, offered.kind, offered.title, offered.filename)
        file = (offered.media_type, len(offered.content), hashlib.sha256(offered.content).digest(),
                keys.seal(offered.content, places.evidence(made)))  # fmt: skip
        row = connection.execute(
            _SUBMIT, (*values, *file, offered.performed_on, until, offered.public, session)
        ).fetchone()
    if row is None:
        raise Refused("Nothing was kept.")
    return Submitted(made, bytes(row[0]))


def accept(connection: Connection, session: bytes, piece: UUID, digest: bytes) -> None:
    """Say yes to what was shown. Raise Refused."""
    with refusals(), within(connection, None):
        connection.execute(_ACCEPT, (piece, digest, session))


def withdraw(connection: Connection, session: bytes, piece: UUID, why: str) -> None:
    with refusals(), within(connection, None):
        connection.execute(_WITHDRAW, (piece, why, session))
