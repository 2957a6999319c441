"""The command line's eyes for people: the names behind ids, as far as whoever looks may see them."""

import re
from uuid import UUID

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection, within
from troth.control.tenants import clients
from troth.keys import places
from troth.keys.errors import KeyringError
from troth.keys.opened import Keys

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PEOPLE = "SELECT id, human_id, role, name_ct FROM account ORDER BY created_at, id"
_OWNERS = "SELECT id, name_ct FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY created_at, id"


def owners(connection: Connection, keys: Keys) -> list[str]:
    """The owners' names, in the order of their enrolment."""
    with refusals(), within(connection, None):
        rows = connection.execute(_OWNERS).fetchall()
    return [_opened(keys, account, name_ct) for account, name_ct in rows]


def _opened(keys: Keys, account: UUID, name_ct: bytes) -> str:
    try:
        return keys.operator.open(name_ct, places.account(account, "name")).decode()
    except KeyringError:
        return str(account)


def known(connection: Connection, keys: Keys, tenant: UUID | None) -> dict[str, str]:
    """What ids stand for: people of the operator and of one client, client firms, programmes."""
    found = {str(each.id): f"programme {each.code}" for each in clients.programmes(connection)}
    found |= {str(each.id): f"client {each.code}" for each in clients.clients(connection)}
    with refusals(), within(connection, tenant):
        rows = connection.execute(_PEOPLE).fetchall()
    for account, human, role, name_ct in rows:
        name = _opened(keys, account, name_ct)
        found |= {str(account): f"{name} ({role})", str(human): name}
    return found


def legend(text: str, names: dict[str, str]) -> list[str]:
    """A line for each id in a text that stands for something we know."""
    ids = dict.fromkeys(_UUID.findall(text))
    return [f"  {each} is {names[each]}" for each in ids if each in names]
