"""People: a link with which somebody sets their password: a secret of 32 bytes in its last part, kept as its hash.

Role troth_signin alone makes one, and role troth_control alone sets a password with it: neither by itself can take an
account over.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from django.db import connection as pages_connection
from django.db import connections

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection

_SIGNIN = "signin"  # the connection of that role (people/page_sessions.py, which commands do not load)
_BYTES = 32
_LENGTH = 43  # of 32 bytes in base64url without "="
_MAKE = "SELECT troth.password_link_v1(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Link:
    """`path` is shown or mailed once."""

    path: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """Whose link it is; `ended`: it was used, or its time is over."""

    account: UUID
    address_ct: bytes
    ended: bool


def maker() -> Connection:
    """The pages' own connection that makes links; it sees what is committed."""
    connections[_SIGNIN].ensure_connection()
    found = connections[_SIGNIN].connection
    assert isinstance(found, psycopg.Connection)
    return found


def make(connection: Connection, account: UUID, why: str) -> Link:
    """Over a connection of role troth_signin. `why`: invitation (24 hours) or reset (30 minutes). Raise Refused when
    there is no such open account.
    """
    secret = secrets.token_bytes(_BYTES)
    with refusals():
        row = connection.execute(_MAKE, (account, hashlib.sha256(secret).digest(), why)).fetchone()
    if row is None or row[0] is None:
        raise Refused("There is no such account, or it is closed.")
    return Link(f"/password/{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}", row[0])


def secret_of(text: str) -> bytes | None:
    """The secret in a link's last part; None for what cannot be one."""
    if len(text) != _LENGTH or not text.isascii():
        return None
    try:
        return base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None


def look(secret: bytes) -> Found | None:
    """Changes nothing. None: no such link."""
    with pages_connection.cursor() as cursor:
        cursor.execute("SELECT account_id, address_ct, ended FROM troth.password_view_v1(%s)", [secret])
        row = cursor.fetchone()
    return Found(row[0], bytes(row[1]), row[2]) if row else None


def use(secret: bytes, hashed: str) -> UUID | None:
    """The account has this password from now on, and none of its links serves any more; None: this one did not."""
    with pages_connection.cursor() as cursor:
        cursor.execute("SELECT troth.password_set_v1(%s, %s)", [secret, hashed])
        row = cursor.fetchone()
    return row[0] if row else None
