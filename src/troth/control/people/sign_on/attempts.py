"""Signing on: one round trip to a provider: begun by one browser, answered once, in ten minutes.

OpenID Connect answers in the browser that began, cookies and all. SAML's answer is a POST from another site, without
them: it is checked, kept sealed, and collected by the browser that began. The tables keep hashes of both's secrets.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.control.audit.asking import row
from troth.control.people.sign_on.connection import Connection
from troth.control.people.sign_on.identity import Identity
from troth.control.people.sign_on.refusing import NotSignedOn
from troth.keys import places
from troth.keys.keyring import TenantKeys
from troth.mail.address import parse_address

MINUTES = 10
_BYTES = 32
_BEGIN = "SELECT troth.sign_on_begin_v1(%s, %s, %s, %s, %s)"
_KEEP = "SELECT troth.sign_on_keep_v1(%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Begun:
    """`state` goes to the provider and comes back; `secret` stays in the browser's cookie; `at`: our clock."""

    state: str
    secret: bytes = field(repr=False)
    at: datetime


def begin(request: HttpRequest, connection: Connection, after: str) -> Begun:
    """A browser keeps one secret for all that it begins, so that two tabs do not spoil each other's."""
    state = f"_{secrets.token_hex(_BYTES)}"  # an xs:ID, as SAML's request has to have
    secret = secret_of(request) or secrets.token_bytes(_BYTES)
    values = (_hash(state.encode()), _hash(secret), connection.tenant, connection.snapshot, after)
    found = row(_BEGIN, *values)
    assert found is not None
    return Begun(state, secret, found[0])


def is_open(state: str, connection: Connection) -> bool:
    """Whether an answer to it is waited for: asked before anything costly is done with one."""
    found = row("SELECT troth.sign_on_open_v1(%s, %s)", _hash(state.encode()), connection.tenant)
    return bool(found and found[0])


def answered(state: str, connection: Connection, secret: bytes | None) -> str:
    """This is its one answer; where the person wanted to go. `secret` None: asked for when the browser collects."""
    browser = None if secret is None else _hash(secret)
    values = (_hash(state.encode()), connection.tenant, browser)
    found = row("SELECT next_path FROM troth.sign_on_answer_v1(%s, %s, %s)", *values)
    if found is None:
        raise _over()
    return str(found[0])


def kept(state: str, connection: Connection, person: Identity) -> str:
    """A ticket, with which the browser that began collects the answer."""
    ticket = secrets.token_urlsafe(_BYTES)
    told = {"address": person.address.addr_spec, "name": person.name, "second": person.second}
    hashed = _hash(ticket.encode())
    sealed = _keys(connection).seal(json.dumps(told).encode(), places.sign_on_outcome(hashed))
    row(_KEEP, _hash(state.encode()), connection.tenant, hashed, sealed)
    return ticket


def collected(ticket: str, connection: Connection, secret: bytes | None) -> tuple[str, Identity]:
    """Where the person wanted to go, and who they are; once."""
    hashed = _hash(ticket.encode())
    values = (hashed, connection.tenant, _hash(secret or b""))
    found = row("SELECT next_path, outcome_ct FROM troth.sign_on_collect_v1(%s, %s, %s)", *values)
    if found is None:
        raise _over()
    told = json.loads(_keys(connection).open(bytes(found[1]), places.sign_on_outcome(hashed)))
    return str(found[0]), Identity(parse_address(told["address"]), told["name"], told["second"])


# ---- the browser's secret


def remember(response: HttpResponse, begun: Begun) -> None:
    value = base64.urlsafe_b64encode(begun.secret).decode()
    response.set_cookie(
        _cookie(), value, max_age=MINUTES * 60, secure=settings.TROTH_SECURE, httponly=True, samesite="Lax"
    )


def secret_of(request: HttpRequest) -> bytes | None:
    try:
        found = base64.b64decode(request.COOKIES.get(_cookie(), ""), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return found if len(found) == _BYTES else None


def _cookie() -> str:
    return f"{'__Host-' if settings.TROTH_SECURE else ''}troth_sign_on"


def _keys(connection: Connection) -> TenantKeys:
    found: TenantKeys = settings.TROTH_KEYS().keyring.tenant(connection.tenant, connection.keyset)
    return found


def _hash(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _over() -> NotSignedOn:
    return NotSignedOn(
        "an answer to an attempt that is over, or another browser's",
        f"This sign-on was used, is older than {MINUTES} minutes, or was begun in another browser. Start again.",
    )
