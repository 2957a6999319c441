"""Before anything is governed: a session, which both factors open and which every governed act shows.

Its secret is 32 random bytes; the database keeps a hash of it for 30 minutes, and derives from it who acts.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.control.people.credentials import Credential, stretch

_NO_SALT = b"\0" * 16


@dataclass(frozen=True, slots=True)
class Session:
    """`expires` is the database's clock."""

    account: UUID
    secret: bytes = field(repr=False)
    expires: datetime


def open_session(connection: Connection, credential: Credential, passphrase: str) -> Session:
    """Raise Refused when account, device or passphrase is wrong; which one is not told."""
    secret = secrets.token_bytes(32)
    with refusals():
        found = connection.execute("SELECT credential_salt_v1(%s)", (credential.account,)).fetchone()
        # an unknown account costs the same work, so that time tells nothing either
        key = stretch(passphrase, (found and found[0]) or _NO_SALT)
        opened = connection.execute(
            "SELECT session_open_v1(%s, %s, %s, %s)", (credential.account, credential.device, key, secret)
        ).fetchone()
    if opened is None:
        raise Refused("The database opened no session.")
    return Session(credential.account, secret, opened[0])
