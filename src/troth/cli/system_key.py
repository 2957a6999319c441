"""The composition root's letter opener: the API key with which the pages send Troth's own mail for a system tenant.

It is derived from the installation's secrets, so that no file holds it; it works once two people have approved it as
that tenant's key, and is rotated as any other (`troth key system`): each generation is a key of its own. A new root of
the installation means a new key.
"""

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.audit.scope import Connection, within
from troth.keys.api_keys import ApiKey, key_of
from troth.keys.installation import InstallationSecrets, Purpose

NAME = "pages"
_MOST = 10_000  # generations: rotated every day, 27 years
_IN_FORCE = """
SELECT k.prefix FROM api_key k JOIN governed g ON g.subject = k.id WHERE k.tenant_id = %s AND g.code = %s
"""
CATEGORY = "security-notice"  # the only one that it may send; see control/people/mailing.py


def system_key(secrets: InstallationSecrets, cell: str, tenant: UUID, generation: int = 0) -> ApiKey:
    root = secrets.token_keys(Purpose.API_KEY)[0]
    told = tenant.bytes + (generation.to_bytes(4) if generation else b"")
    return key_of(cell, hmac.digest(root, b"system-key\0" + told, "sha256"))


def generation_of(secrets: InstallationSecrets, cell: str, tenant: UUID, prefix: str) -> int | None:
    """Which generation's prefix this is; None for a key of another root."""
    every = (n for n in range(_MOST) if system_key(secrets, cell, tenant, n).prefix == prefix)
    return next(every, None)


def in_force(connection: Connection, secrets: InstallationSecrets, cell: str, tenant: UUID) -> int | None:
    """The generation that was approved last; None before the first."""
    with within(connection, tenant):
        row = connection.execute(_IN_FORCE, (tenant, NAME)).fetchone()
    return generation_of(secrets, cell, tenant, row[0]) if row else None


def artefact(key: ApiKey, ends: datetime, *, tests: bool = False) -> dict[str, Any]:
    """What is proposed, and approved, as that tenant's key; for tests of templates, in every category."""
    return {
        "name": NAME,
        "prefix": key.prefix,
        "hash": key.hash.hex(),
        "categories": None if tests else [CATEGORY],
        "expires_at": ends.replace(microsecond=0).isoformat(),
        "policy": {},
    }
