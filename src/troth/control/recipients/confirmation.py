"""Recipients: what a confirmation link stands for, and confirming; the link's secret is the right to both."""

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

_SECRET_BYTES = 32
_TEXT_LENGTH = 43  # of 32 bytes in base64url without "="


@dataclass(frozen=True, slots=True)
class Link:
    """`expired` is by the database's clock, or by wrong codes; a used link has done its work. needs_code: a press alone
    does not verify.
    """

    client: str
    expires_at: datetime
    used_at: datetime | None
    expired: bool
    needs_code: bool
    tries_left: int
    postal_address: str


def secret_of(text: str) -> bytes | None:
    """The secret in a link's last part; None for what cannot be one."""
    if len(text) != _TEXT_LENGTH:
        return None
    try:
        secret = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None
    return secret if len(secret) == _SECRET_BYTES else None


def look(secret: bytes) -> Link | None:
    """Changes nothing. None: no such link."""
    with connection.cursor() as cursor:
        seen = "tenant_name, expires_at, used_at, expired, needs_code, tries_left, postal_address"
        cursor.execute(f"SELECT {seen} FROM troth.confirmation_view_v1(%s)", [secret])  # noqa: S608 - our own words
        row = cursor.fetchone()
    return Link(*row) if row else None


def turn(secret: bytes) -> bool:
    """Holds the link for this transaction; False where somebody has used it by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT troth.confirmation_turn_v1(%s)", [secret])
        row = cursor.fetchone()
    return bool(row and row[0])


def confirm(secret: bytes, code: str | None = None) -> UUID | None:
    """The person is verified from now on; None when the link no longer serves, the code is wrong, or the person was
    erased.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT troth.verify_person_v1(%s, %s)", [secret, code])
        row = cursor.fetchone()
    return row[0] if row else None
