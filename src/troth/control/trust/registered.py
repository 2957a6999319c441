"""Claims: the newest verified recipients of a programme's clients, opened: what registration let through.

Bounded: so many a client. Erased ones have nothing left to be opened; one that does not open is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.control.trust.look import Look, Programme, Tenant
from troth.keys import places
from troth.keys.errors import Undecryptable

MOST = 200  # a client
_NEWEST = """
SELECT id, data_key, address_ct, verified_at FROM person
WHERE tenant_id = %s AND status = 2 AND pathway <> 'system' ORDER BY id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """`address` None: it does not open."""

    id: UUID
    address: str | None
    verified_at: datetime

    @property
    def domain(self) -> str:
        return (self.address or "").rpartition("@")[2]

    @property
    def local(self) -> str:
        return (self.address or "").rpartition("@")[0]


def newest(look: Look, programme: Programme) -> list[Registered]:
    """Of all of the programme's clients but Troth's own tenant."""
    found = []
    for tenant in look.of_programme(programme):
        if not tenant.system:
            found += look.once(("registered", tenant.id), lambda tenant=tenant: list(_read(look, tenant)))  # type: ignore[misc]  # bound now
    return found


def _read(look: Look, tenant: Tenant) -> Iterator[Registered]:
    keys = look.keys(tenant)
    with look.of(tenant.id) as connection:
        rows = connection.execute(_NEWEST, (tenant.id, MOST)).fetchall()
    for person, wrapped, sealed, at in rows:
        try:
            address = keys.person(wrapped, person).open(sealed, places.address(person)).decode()
        except Undecryptable:
            address = None
        yield Registered(person, address, at)
