"""People: Troth's own mail to somebody with an account: it enters at the sending door like all mail, as the system
tenant's, in an approved category; who is not to be written to (suppressed, erased) gets none of this either.

It is made beside the request that asked for it, so that the answer takes the same time whether there is an account.
"""

import http.client
import json
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import connection, transaction

from troth.control.audit.scope import Connection
from troth.control.people import links
from troth.control.people.models import Login
from troth.keys import ids, places
from troth.mail.address import parse_address

CATEGORY, TEMPLATE = "security-notice", "password-link"
_PATIENCE = 15.0  # seconds
_MOST_WAITING = 100  # more are dropped: whoever asks so often is not a person
_log = logging.getLogger("troth.people")
_desk = ThreadPoolExecutor(1, "password mail")
_MAIL = "SELECT tenant_id, keyset, timezone, name_ct, address_ct, person_id FROM troth.account_mail_v1(%s)"
_PERSON = "SELECT troth.account_person_v1(%s, %s, %s, %s, %s)"


class NotTaken(Exception):  # noqa: N818 - reads as the sentence it raises
    """The door did not take the mail; the problem's type says why."""


def send_link(name: str) -> None:
    """Queue the link's mail for every account of a name (`<index>@people.invalid`), or for none, in the same time."""
    if _desk._work_queue.qsize() < _MOST_WAITING:  # noqa: SLF001 - a thread pool has no other way to ask
        _desk.submit(_send_all, name)


def _send_all(name: str) -> None:
    try:
        for account in Login.objects.filter(email=name).values_list("account_id", flat=True):
            _send(account)
    except Exception as trouble:  # noqa: BLE001 - the desk goes on; whoever asked may ask again
        _log.error("a password link was not sent: %s", type(trouble).__name__)
    finally:
        connection.close()


def _send(account: UUID) -> None:
    """The link is committed before the door is asked; without an approved key or category it is not sent."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_MAIL, [account])
            row = cursor.fetchone()
        if row is None:
            return
        system, keyset, zone, name_ct, address_ct, person = row
        operator = settings.TROTH_KEYS().operator
        address = operator.open(bytes(address_ct), places.account(account, "address")).decode()
        _verified(account, system, bytes(keyset), address, person)
        link = links.make(_raw(), account, "reset")
    variables = {
        "name": operator.open(bytes(name_ct), places.account(account, "name")).decode()[:120],
        "link": f"{settings.TROTH_PUBLIC_URL}{link.path}",
        "expires": _told(link.expires, zone),
    }
    _post(system, address, variables)


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


def _raw() -> Connection:
    """Django's own connection, as the rooms below know one."""
    connection.ensure_connection()
    raw = connection.connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _post(system: UUID, address: str, variables: dict[str, str]) -> None:
    """POST /emails, with the system tenant's own key."""
    door = urlsplit(settings.TROTH_DOOR_URL)
    there = http.client.HTTPConnection(door.hostname or "", door.port, timeout=_PATIENCE)
    mail = {
        "to": [address],
        "tags": [{"name": "category", "value": CATEGORY}],
        "template": {"id": TEMPLATE, "variables": variables},
    }
    headers = {"Authorization": f"Bearer {settings.TROTH_SEND_KEY(system)}", "Content-Type": "application/json"}
    try:
        there.request("POST", "/emails", json.dumps(mail), headers)
        answer = there.getresponse()
        body = answer.read()
    finally:
        there.close()
    if answer.status >= http.client.BAD_REQUEST:
        _log.error("the door did not take a password link's mail: %s", _problem(body, answer.status))


def _problem(body: bytes, status: int) -> str:
    """The problem's type alone: its sentence may name the address."""
    try:
        return str(json.loads(body)["type"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return str(status)


def _told(ends: datetime, zone: str) -> str:
    return f"{ends.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
