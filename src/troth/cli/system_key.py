"""The composition root's letter opener: the API key with which the pages send Troth's own mail for a system tenant.

It is derived from the installation's secrets, so that no file holds it; it works once two people have approved it as
that tenant's key, as any other (`troth key system`). A new root of the installation means a new key.
"""

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.flow.submission.keys import ApiKey, key_of
from troth.keys.installation import InstallationSecrets, Purpose

NAME = "pages"
CATEGORY = "security-notice"  # the only one that it may send; see control/people/mailing.py


def system_key(secrets: InstallationSecrets, cell: str, tenant: UUID) -> ApiKey:
    root = secrets.token_keys(Purpose.API_KEY)[0]
    return key_of(cell, hmac.digest(root, b"system-key\0" + tenant.bytes, "sha256"))


def artefact(key: ApiKey, ends: datetime) -> dict[str, Any]:
    """What is proposed, and approved, as that tenant's key."""
    return {
        "name": NAME,
        "prefix": key.prefix,
        "hash": key.hash.hex(),
        "categories": [CATEGORY],
        "expires_at": ends.replace(microsecond=0).isoformat(),
        "policy": {},
    }
