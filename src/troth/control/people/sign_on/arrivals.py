"""Signing on: people whom their firm's provider vouched for and who have no access: they wait for an administrator.

The page of people shows them; what makes access of one is a grant, like every other (four eyes).
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import row, rows
from troth.control.people.sign_on.connection import Connection
from troth.control.people.sign_on.identity import Identity
from troth.keys import places
from troth.keys.ids import uuid7

_LISTED = """
SELECT a.id, a.name_ct, a.address_ct, a.first_at, a.last_at, t.keyset
FROM troth.arrival a JOIN troth.tenant t ON t.id = a.tenant_id
WHERE a.tenant_id = %s ORDER BY a.last_at DESC, a.id LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody without access, and when they tried first and last."""

    id: UUID
    name: str = field(repr=False)
    address: str = field(repr=False)
    first_at: datetime
    last_at: datetime


def note(connection: Connection, person: Identity, index: bytes, now: datetime) -> None:
    """`index`: of the address, in its current layer."""
    one = uuid7(now)
    keys = settings.TROTH_KEYS().keyring.tenant(connection.tenant, connection.keyset)
    name = keys.seal(person.name.encode(), places.arrival(one, "name"))
    address = keys.seal(person.address.addr_spec.encode(), places.arrival(one, "address"))
    row("SELECT troth.arrival_v1(%s, %s, %s, %s, %s)", one, connection.tenant, index, name, address)


def listed(tenant: UUID) -> list[Arrival]:
    """Those of a client whose rows this transaction sees, the last one first."""
    return [_opened(tenant, *each) for each in rows(_LISTED, tenant)]


def _opened(
    tenant: UUID, one: UUID, name_ct: bytes, address_ct: bytes, first: datetime, last: datetime, keyset: bytes
) -> Arrival:
    keys = settings.TROTH_KEYS().keyring.tenant(tenant, bytes(keyset))
    name: bytes = keys.open(bytes(name_ct), places.arrival(one, "name"))
    address: bytes = keys.open(bytes(address_ct), places.arrival(one, "address"))
    return Arrival(one, name.decode(), address.decode(), first, last)


def forget(secret: bytes, tenant: UUID, arrival: UUID) -> None:
    """Somebody who may propose grants takes them off the list; raise what the database refuses."""
    row("SELECT troth.arrival_forget_v1(%s, %s, %s)", secret, tenant, arrival)
