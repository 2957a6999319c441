"""Designation: who is named for a client, and who could be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import row, rows
from troth.control.people.permissions import permissions
from troth.keys import places

_NAMED = """
SELECT a.id, a.role, a.name_ct, a.tenant_id, a.disabled_at, d.named_at
FROM troth.designation d JOIN troth.account a ON a.id = d.account_id WHERE d.tenant_id = %s ORDER BY d.place
"""
_ACCOUNTS = """
SELECT a.id, a.role, a.name_ct, a.tenant_id, a.disabled_at, NULL::timestamptz FROM troth.account a
WHERE (a.tenant_id = %s OR a.tenant_id IS NULL) AND a.disabled_at IS NULL AND a.role = ANY(%s)
ORDER BY a.tenant_id IS NULL, a.created_at LIMIT 300
"""
_PROFILE = "SELECT p.profile FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id WHERE t.id = %s"
_WAITING = """
SELECT id FROM troth.change WHERE kind = 'designation' AND tenant_id = %s AND state = 1 AND expires_at > troth.now_v1()
ORDER BY proposed_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Person:
    """`ours`: of the operator's staff. `since` None: not named, but could be."""

    id: UUID
    role: str
    name: str
    ours: bool
    closed: bool
    since: datetime | None

    @property
    def label(self) -> str:
        return f"{self.name}, {self.role}{' of the operator' if self.ours else ''}"


def named(tenant: UUID) -> list[Person]:
    return [_person(*each) for each in rows(_NAMED, tenant)]


def could_be(tenant: UUID, profile: str) -> list[Person]:
    """Open accounts whose role may write something that the profile keeps for the named."""
    roles = {cell.role for cell in permissions().values() if cell.named and cell.profile == profile}
    return [_person(*each) for each in rows(_ACCOUNTS, tenant, sorted(roles))]


def profile(tenant: UUID) -> str:
    found = row(_PROFILE, tenant)
    return str(found[0]) if found else ""


def waiting(tenant: UUID) -> UUID | None:
    """The open change that would name others."""
    found = row(_WAITING, tenant)
    return found[0] if found else None


def kept(profile_name: str) -> list[str]:
    """What only the named may do: actions, as permissions.toml names them."""
    return sorted({cell.action for cell in permissions().values() if cell.named and cell.profile == profile_name})


def _person(
    id_: UUID, role: str, name_ct: bytes, tenant: UUID | None, disabled: datetime | None, since: datetime | None
) -> Person:
    name = settings.TROTH_KEYS().operator.open(bytes(name_ct), places.account(id_, "name")).decode()
    return Person(id_, role, name, tenant is None, disabled is not None, since)
