"""Asking: whom to write to about a programme, as two people approved it; where nobody did, the installation's desks."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from troth.control.audit.scope import Connection

DESKS = {
    "security": "Security and weaknesses",
    "privacy": "Privacy and personal data",
    "abuse": "Mail that should not have been sent",
}
_OTHERS = {"postal": "By post", "telephone": "By telephone"}
_APPROVED = """
SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'programme' AND g.tenant_id IS NULL AND g.subject = %s
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """`kind`: security, privacy, abuse, postal or telephone. `value`: an address or a number; `href`: "" by post."""

    kind: str
    label: str
    value: str
    href: str = ""


def contacts(connection: Connection, programme: UUID) -> list[Contact]:
    """Those that there are, in the order of the list above."""
    given = approved(connection, programme).get("contacts") or {}
    mails = [
        Contact(kind, label, mail, f"mailto:{mail}") for kind, label in DESKS.items() if (mail := _mail(given, kind))
    ]
    others = [Contact(kind, label, given[kind], _href(kind, given[kind])) for kind, label in _OTHERS.items()
              if given.get(kind)]  # fmt: skip
    return mails + others


def approved(connection: Connection, programme: UUID) -> dict[str, Any]:
    """The programme's artefact in force; empty where it is not governed."""
    found = connection.execute(_APPROVED, (programme,)).fetchone()
    return dict(json.loads(found[0])) if found else {}


def _mail(given: dict[str, Any], kind: str) -> str:
    domain = settings.TROTH_MAIL_DOMAIN
    return str(given.get(kind) or (f"{kind}@{domain}" if domain else ""))


def _href(kind: str, value: str) -> str:
    return f"tel:{value.replace(' ', '')}" if kind == "telephone" else ""
