"""Signing on: people whom their firm's provider vouched for and who have no access: they wait for an administrator.

The page of people (control/access) shows them; what makes access of one is a grant, like every other (four eyes).
"""

from datetime import datetime

from django.conf import settings

from troth.control.audit.asking import row
from troth.control.people.sign_on.connection import Connection
from troth.control.people.sign_on.identity import Identity
from troth.keys import places
from troth.keys.ids import uuid7


def note(connection: Connection, person: Identity, index: bytes, now: datetime) -> None:
    """They came: for the first time, or again. `index`: of the address, in its current layer."""
    one = uuid7(now)
    keys = settings.TROTH_KEYS().keyring.tenant(connection.tenant, connection.keyset)
    name = keys.seal(person.name.encode(), places.arrival(one, "name"))
    address = keys.seal(person.address.addr_spec.encode(), places.arrival(one, "address"))
    row("SELECT troth.arrival_v1(%s, %s, %s, %s, %s)", one, connection.tenant, index, name, address)
