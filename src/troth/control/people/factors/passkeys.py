"""People: passkeys and security keys (WebAuthn level 3): taken up, and shown: as the only step, as a second factor, or
as a proof. The challenge stands in the session, for one purpose, once, for five minutes.

As the only step a passkey must have verified its person (a finger, a face, a PIN): it is then two factors by itself.
"""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpRequest
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from troth.control.audit import asking
from troth.control.people.factors import kinds, store

MOST = 10
LONGEST_NAME = 60  # characters
_LONGEST = 100_000  # characters of what a browser answers: a kilobyte or two, and the attestation of some devices
_MOST_OPENED = 50  # brackets in it: five, and those of extensions
_SESSION = "passkey"
_CHALLENGED = timedelta(minutes=5)
_ADD, _SIGN_IN, _SHOW = "add", "sign-in", "show"
logging.getLogger("fido2").setLevel(logging.WARNING)  # it would name every credential in the log


class NotShown(Exception):  # noqa: N818 - reads as the sentence it raises
    """The passkey was not shown as it must be; what was wrong is not told."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose passkey it is; `verified`: it made sure who holds it."""

    account: UUID
    name: str
    verified: bool


def begin_adding(request: HttpRequest, account: UUID, name: str) -> dict[str, Any]:
    """What the browser asks for to make one. `name`: the account's, as the device will show it."""
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=account.bytes, name=name, display_name=name),
        credentials=_known(account),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        extensions={"credProps": True},
    )
    _challenge(request, _ADD, state)
    return dict(options)


def add(request: HttpRequest, account: UUID, credential: str, name: str) -> str:
    """Give the name under which the account has it now. Raise NotShown, or store.Taken when there are enough."""
    state, given = _challenged(request, _ADD), _json(credential)
    with _strict():
        data = _server().register_complete(state, RegistrationResponse.from_dict(given))
        if data.credential_data is None or data.credential_data.public_key[3] not in CoseKey.supported_algorithms():
            raise NotShown
    mine = [one for one in store.held(account) if one.kind == kinds.PASSKEY]
    if len(mine) >= MOST:
        raise store.Taken
    called = _plain(name) or f"Passkey {len(mine) + 1}"
    store.add(account, kinds.PASSKEY, {
        "name": called,
        "credential": base64.b64encode(data.credential_data).decode(),
        "transports": _transports(given),
        "count": data.counter,
        "synced": data.is_backup_eligible(),
    })  # fmt: skip
    return called


def begin_showing(request: HttpRequest, account: UUID) -> dict[str, Any]:
    """Of an account that is known, as a second factor or a proof."""
    options, state = _server().authenticate_begin(_known(account), UserVerificationRequirement.PREFERRED)
    _challenge(request, _SHOW, state)
    return dict(options)


def begin_signing_in(request: HttpRequest) -> dict[str, Any]:
    """Of whoever holds one: the same for everybody."""
    options, state = _server().authenticate_begin(None, UserVerificationRequirement.REQUIRED)
    _challenge(request, _SIGN_IN, state)
    return dict(options)


def show(request: HttpRequest, account: UUID, credential: str) -> Shown:
    """Raise NotShown."""
    return _show(_challenged(request, _SHOW), account, _json(credential))


def sign_in(request: HttpRequest, credential: str) -> Shown:
    """The account is the one that the passkey says. Raise NotShown."""
    state, given = _challenged(request, _SIGN_IN), _json(credential)
    with _strict():
        handle = AuthenticationResponse.from_dict(given).response.user_handle
        account = UUID(bytes=bytes(handle or b""))
    return _show(state, account, given)


def rename(account: UUID, factor: int, name: str) -> bool:
    with store.locked(account, kinds.PASSKEY, factor) as one:
        if one is not None:
            one.write({**one.factor.document, "name": _plain(name) or one.factor.document["name"]}, used=False)
        return one is not None


def _plain(name: str) -> str:
    """In one line, without what cannot be seen: it stands in mails and on pages."""
    return "".join(one for one in " ".join(name.split()) if one.isprintable())[:LONGEST_NAME].strip()


def _show(state: dict[str, Any], account: UUID, given: dict[str, Any]) -> Shown:
    mine = {_credential(one).credential_id: one for one in store.held(account) if one.kind == kinds.PASSKEY}
    with _strict():
        response = AuthenticationResponse.from_dict(given)
        used = _server().authenticate_complete(state, [_credential(one) for one in mine.values()], response)
    data = response.response.authenticator_data
    with store.locked(account, kinds.PASSKEY, mine[used.credential_id].id) as one:
        if one is None or _copied(data.counter, one.factor.document["count"]):
            raise NotShown
        one.write({**one.factor.document, "count": data.counter})
        return Shown(account, one.factor.document["name"], data.is_user_verified())


@contextmanager
def _strict() -> Iterator[None]:
    """Whatever fido2's parsers raise at what a stranger sends is the same refusal; no database is asked in here."""
    try:
        yield
    except Exception as wrong:  # see above: IndexError, AttributeError, struct.error and more
        raise NotShown from wrong


def _copied(count: int, before: int) -> bool:
    """A count that stands still or falls is a copy's (section 6.1.1); a synced passkey does not count at all."""
    return bool(count or before) and count <= before


def _server() -> Fido2Server:
    """Ours is one origin, the public one, to the letter: no other of its domain may ask for our passkeys."""
    public = urlsplit(settings.TROTH_PUBLIC_URL)
    origin = f"{public.scheme}://{public.netloc}"
    party = PublicKeyCredentialRpEntity(id=public.hostname, name="Troth")
    return Fido2Server(party, verify_origin=lambda given: given == origin)


def _known(account: UUID) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY,
            id=_credential(one).credential_id,
            transports=one.document["transports"] or None,
        )
        for one in store.held(account)
        if one.kind == kinds.PASSKEY
    ]


def _credential(one: store.Factor) -> AttestedCredentialData:
    return AttestedCredentialData(base64.b64decode(one.document["credential"]))


def _transports(given: dict[str, Any]) -> list[str]:
    """How the browser may reach it another time."""
    told = given["response"].get("transports")
    return [str(one)[:20] for one in told[:8]] if isinstance(told, list) else []


def _challenge(request: HttpRequest, purpose: str, state: dict[str, Any]) -> None:
    request.session[_SESSION] = {
        "for": purpose,
        "challenge": state["challenge"],
        "user_verification": state["user_verification"].value,
        "until": (_now() + _CHALLENGED).isoformat(),
    }


def _challenged(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """What was asked, once."""
    asked = request.session.pop(_SESSION, None)
    if not asked or asked["for"] != purpose or datetime.fromisoformat(asked["until"]) <= _now():
        raise NotShown
    return {"challenge": asked["challenge"], "user_verification": asked["user_verification"]}


def _json(text: str) -> dict[str, Any]:
    """An answer of a browser is short and flat; a deep one would eat the stack of whoever parses it."""
    if len(text) > _LONGEST or text.count("{") + text.count("[") > _MOST_OPENED:
        raise NotShown
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError) as wrong:
        raise NotShown from wrong


def _now() -> datetime:
    found = asking.row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at
