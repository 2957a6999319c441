"""People: Troth's own mail to somebody with an account: it enters at the sending door like all mail, as the system
tenant's, in an approved category; who is not to be written to (suppressed, erased) gets none of this either.

It is made beside the request that asked for it, once that is committed: the answer takes the same time whether there is
an account, and neither waits for the door nor fails with it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, connections, transaction

from troth.control.people import links
from troth.control.people.desk import Desk
from troth.control.people.models import Login
from troth.control.people.posting import Letter, post
from troth.keys import ids, places
from troth.mail.address import parse_address

type Variables = Mapping[str, str | datetime]

_LINK = "password-link"
_LONGEST_NAME = 120  # characters, as every pack's schema has it
_links = Desk("password mail", 100, connections.close_all)  # whoever asks for more is not a person
_notices = Desk("notices", 10_000, connections.close_all)  # their own: links that a crowd asks for delay none
_MAIL = "SELECT tenant_id, keyset, timezone, name_ct, address_ct, person_id FROM troth.account_mail_v1(%s)"
_PERSON = "SELECT troth.account_person_v1(%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class _Addressee:
    """Somebody with an account, as the system tenant that writes to them knows them."""

    account: UUID
    system: UUID
    zone: str
    name: str = field(repr=False)
    address: str = field(repr=False)


def send_link(name: str) -> None:
    """Queue the link's mail for every account of a name (`<index>@people.invalid`), or for none, in the same time."""
    _links.put(_each(name, _send_link))


def tell(account: UUID, template: str, variables: Variables) -> None:
    """Queue one mail to an account, for when this transaction is committed. `template`: the code of a pack in
    `cli/demo/packs/system`; it gets `name` by itself, and a time is told in the reader's own zone. Never raises.
    """
    given = dict(variables)
    transaction.on_commit(lambda: _notices.put(lambda: _tell(account, template, given)), robust=True)


def invite(account: UUID, template: str, variables: Variables) -> None:
    """The same with a link of an invitation, which the mail alone holds (`link`, `expires`)."""
    given = dict(variables)
    transaction.on_commit(lambda: _notices.put(lambda: _linked(account, "invitation", template, given)), robust=True)


def tell_name(name: str, template: str, variables: Variables) -> None:
    """The same for every account of a name that somebody typed, or for none, in the same time."""
    given = dict(variables)
    work = _each(name, lambda account: _tell(account, template, given))
    transaction.on_commit(lambda: _notices.put(work), robust=True)


def _each(name: str, send: Callable[[UUID], None]) -> Callable[[], None]:
    def work() -> None:
        for account in Login.objects.filter(email=name).values_list("account_id", flat=True):
            send(account)

    return work


def _send_link(account: UUID) -> None:
    _linked(account, "reset", _LINK, {})


def _linked(account: UUID, why: str, template: str, variables: Variables) -> None:
    """The link is committed before the door is asked; without an approved key or category it is not sent."""
    with transaction.atomic():
        to = _addressee(account)
    if to:
        link = links.make(links.maker(), account, why)
        address = f"{settings.TROTH_PUBLIC_URL}{link.path}"
        _write(to, template, {**variables, "link": address, "expires": link.expires})


def _tell(account: UUID, template: str, variables: dict[str, Any]) -> None:
    with transaction.atomic():
        to = _addressee(account)
    if to:
        _write(to, template, variables)


def _write(to: _Addressee, template: str, variables: Variables) -> None:
    told = {name: _told(value, to.zone) if isinstance(value, datetime) else value for name, value in variables.items()}
    post(Letter(to.system, to.address, template, {"name": to.name[:_LONGEST_NAME], **told}))


def _addressee(account: UUID) -> _Addressee | None:
    """None for an account that is closed, or that no system tenant writes to."""
    with connection.cursor() as cursor:
        cursor.execute(_MAIL, [account])
        row = cursor.fetchone()
    if row is None:
        return None
    system, keyset, zone, name_ct, address_ct, person = row
    operator = settings.TROTH_KEYS().operator
    address = operator.open(bytes(address_ct), places.account(account, "address")).decode()
    _verified(account, system, bytes(keyset), address, person)
    name = operator.open(bytes(name_ct), places.account(account, "name")).decode()
    return _Addressee(account, system, zone, name, address)


def _verified(account: UUID, system: UUID, keyset: bytes, address: str, known: UUID | None) -> None:
    """An account that two people approved is a verified recipient of the system tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT troth.now_v1()")
        row = cursor.fetchone()
        assert row is not None
        person = known or ids.uuid7(row[0])
        key, wrapped = settings.TROTH_KEYS().keyring.tenant(system, keyset).new_person_key(person)
        sealed = key.seal(parse_address(address).addr_spec.encode(), places.address(person))
        cursor.execute(_PERSON, [account, person, sealed, wrapped, secrets.token_bytes(32)])


def _told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
