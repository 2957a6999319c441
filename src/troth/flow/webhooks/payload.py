"""Webhooks, composing: an event as its endpoint gets it, in the shape that Resend's users know.

A recipient's data is opened here, at send time, with that person's key: of somebody erased meanwhile only ids and times
are told. Another tenant's or the installation's own data is never among it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from troth.keys import ids, places
from troth.keys.errors import Undecryptable
from troth.keys.hook_ids import ENDPOINT
from troth.keys.keyring import Keyring, PersonKey
from troth.mail.letter import Letter, decode
from troth.mail.mailbox import parse_mailbox
from troth.mail.render import Compiled, RenderError, RenderLimits
from troth.rules.hook_events import TEST_KIND, type_of
from troth.rules.states import Kind, State
from troth.store.hooks import Claimed, EndpointDue, Loaded

_JSON = msgspec.json.Encoder()
_EMAIL, _MESSAGE = "em", "msg"
_TOLD = ("reason", "sentence", "code", "enhanced", "text", "kind", "attempt", "again", "until", "due", "policy")
# after these a worker has rendered it and lived, so that its subject may be rendered here, too
_RENDERED = frozenset({State.SENT, State.DELIVERED, State.DEFERRED, State.BOUNCED})


@dataclass(frozen=True, slots=True)
class Template:
    """An approved version, compiled."""

    code: str
    version: int
    compiled: Compiled


@dataclass(frozen=True, slots=True)
class Opened:
    """What could be opened: nothing of an erased person."""

    address: str | None = None
    letter: Letter | None = None
    detail: Mapping[str, Any] | None = None


def test_body(claim: Claimed, cell: str) -> bytes:
    """The payload of `troth webhook test`."""
    data = {
        "endpoint_id": ids.wire(ENDPOINT, cell, claim.endpoint_id),
        "message": "This is a test, about no mail.",
    }
    return _JSON.encode({"type": type_of(TEST_KIND), "created_at": moment(claim.at), "data": data})


def body(claim: Claimed, loaded: Loaded | None, opened: Opened, template: Template | None, cell: str) -> bytes:
    """The payload of an event; `loaded` None: retention has taken the message."""
    data: dict[str, Any] = {}
    if loaded is not None:
        data = {"created_at": moment(loaded.created_at), "email_id": ids.wire(_EMAIL, cell, loaded.email_id)}
        data |= _letter_part(claim, loaded, opened, template)
    detail = {name: opened.detail[name] for name in _TOLD if name in (opened.detail or {})} if opened.detail else {}
    data |= _outcome(claim.kind, detail)
    troth = {"message": ids.wire(_MESSAGE, cell, claim.message_id), "event": Kind(claim.kind).name.lower()}
    data["troth"] = {**troth, **({"detail": detail} if detail else {})}
    return _JSON.encode({"type": type_of(claim.kind), "created_at": moment(claim.at), "data": data})


def _letter_part(claim: Claimed, loaded: Loaded, opened: Opened, template: Template | None) -> dict[str, Any]:
    letter = opened.letter
    found: dict[str, Any] = {}
    if letter is not None:
        found |= {"from": letter.sender, "message_id": _message_id(claim, letter)}
        subject = _subject(loaded, letter, template)
        found |= {"subject": subject} if subject is not None else {}
        found |= {"tags": dict(letter.tags)} if letter.tags else {}
    if opened.address is not None:
        found["to"] = [opened.address]
    if template is not None:
        found["template_id"] = template.code
    if loaded.scheduled_at is not None:
        found["scheduled_at"] = moment(loaded.scheduled_at)
    return found


def _message_id(claim: Claimed, letter: Letter) -> str:
    """As flow/delivery/compose.py makes it."""
    return f"<{claim.message_id.hex}@{parse_mailbox(letter.sender).address.domain}>"


def _subject(loaded: Loaded, letter: Letter, template: Template | None) -> str | None:
    if template is None:
        return letter.subject
    if State(loaded.message_state) not in _RENDERED:
        return None
    try:
        return template.compiled.render(dict(letter.variables or {}), RenderLimits()).subject
    except RenderError:
        return None


def _outcome(kind: int, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The part that Resend's type of the same name has."""
    words = str(detail.get("text") or detail.get("sentence") or detail.get("reason") or "")
    match kind:
        case Kind.BOUNCED:
            sub = "MailboxFull" if detail.get("kind") == "mailbox" else "General"
            return {"bounce": {"message": words, "type": "Permanent", "subType": sub}}
        case Kind.FAILED:
            return {"failed": {"reason": str(detail.get("reason") or words)}}
        case Kind.SUPPRESSED:
            return {"suppressed": {"message": words, "type": str(detail.get("reason") or "suppressed")}}
        case _:
            return {}


def open_parts(keyring: Keyring, endpoint: EndpointDue, claim: Claimed, loaded: Loaded) -> Opened:
    """Open what this person's key opens; raise KmsUnavailable, or Undecryptable for changed bytes."""
    if loaded.data_key is None:
        return Opened()
    key = keyring.tenant(endpoint.tenant_id, endpoint.keyset).person(loaded.data_key, loaded.person_id)
    return Opened(_address(key, loaded), _letter(key, claim, loaded), _detail(key, claim, loaded))


def _address(key: PersonKey, loaded: Loaded) -> str | None:
    return key.open(loaded.address_ct, places.address(loaded.person_id)).decode() if loaded.address_ct else None


def _letter(key: PersonKey, claim: Claimed, loaded: Loaded) -> Letter | None:
    if loaded.body_ct is None:
        return None
    try:
        return decode(key.open(loaded.body_ct, places.body(claim.message_id)))
    except msgspec.DecodeError as broken:
        raise Undecryptable("the letter is not one") from broken


def _detail(key: PersonKey, claim: Claimed, loaded: Loaded) -> Mapping[str, Any] | None:
    if loaded.detail_ct is None:
        return None
    sealed = key.open(loaded.detail_ct, places.event(claim.message_id, claim.source_key))
    found: Mapping[str, Any] = msgspec.json.decode(sealed)["detail"]
    return found


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
